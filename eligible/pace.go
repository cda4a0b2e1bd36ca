package eligible

import (
	"math"
	"time"
)

// Pace holds starts to a number in a second: a bucket of tokens, of which only the moment is kept at which it will be full
// again (GCRA). The bucket holds a twentieth of a second's starts, so that one claim can take some, and is filled as much
// slower: no second, wherever it begins, has more starts than it may.
type Pace struct {
	Full int64 // microseconds; 0: it is full
}

// burst is how many starts the bucket holds, and gap the microseconds in which one more comes.
func burst(perSecond float64) (tokens int64, gap float64) {
	tokens = 1 + int64(perSecond/20)
	return tokens, 1e6 / (perSecond - float64(tokens-1))
}

// Room is how many may start now, at most most.
func (p Pace) Room(perSecond float64, now int64, most int) int {
	tokens, gap := burst(perSecond)
	missing := float64(max(p.Full-now, 0)) / gap
	return max(0, min(most, int(math.Floor(float64(tokens)-missing+1e-9))))
}

// Take is the pace when n have started now.
func (p Pace) Take(perSecond float64, now int64, n int) Pace {
	_, gap := burst(perSecond)
	return Pace{Full: max(p.Full, now) + int64(math.Ceil(float64(n)*gap))}
}

// Wait is how long it is until one may start.
func (p Pace) Wait(perSecond float64, now int64) time.Duration {
	tokens, gap := burst(perSecond)
	us := float64(p.Full-now) - float64(tokens-1)*gap
	return max(0, time.Duration(math.Ceil(us))*time.Microsecond)
}
