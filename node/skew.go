package node

import (
	"log/slog"
	"time"

	"github.com/rotaqueue/rota"
)

// skew is by how much this machine's clock is ahead of the store's (C8). Nothing goes by it: it is told, for what jobs
// and people read off this machine's clock differs by that from what Rota says. It belongs to whoever renews, one at a time.
type skew struct {
	ahead time.Duration
	told  bool // in the log
}

// maxTrip is how long an answer may take for its time to say something: half of it is what the measure may be wrong by.
const maxTrip = 2 * rota.SkewShown

// measure compares the two clocks, when an answer has come that took some time and says what the store's clock was
// meanwhile.
func (s *skew) measure(now, store time.Time, trip time.Duration, log *slog.Logger) {
	if store.IsZero() || trip > maxTrip {
		return
	}
	s.ahead = now.Add(-trip / 2).Sub(store)
	differs := s.ahead.Abs() >= rota.SkewShown
	switch {
	case differs && !s.told:
		log.Warn("this machine's clock is not the store's, which says what is due", "ahead", s.ahead.Round(time.Millisecond))
	case !differs && s.told:
		log.Info("this machine's clock is the store's again", "ahead", s.ahead.Round(time.Millisecond))
	}
	s.told = differs
}
