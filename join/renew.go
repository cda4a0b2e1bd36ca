package join

import (
	"context"
	"time"

	"github.com/rotaqueue/rota"
)

// renewal is what one server says to a renewal.
type renewal struct {
	from *server
	rota.Renewed
	err error
}

// Renew keeps the session's lease: within a third of its time all servers that are known are asked, one more whenever one
// has failed or let its part of that time pass, and the first answer counts (P29). A renewal that arrives twice does no
// harm. When it was sent is for the caller to know, who reckons the lease from then: that is before the first was asked.
func (s *Servers) Renew(ctx context.Context, r rota.Renewal) (rota.Renewed, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.TTL/3)
	defer cancel() // also of the others' that are still under way
	all := s.all()
	over, _ := ctx.Deadline()
	part := time.NewTicker(max(time.Until(over)/time.Duration(len(all)+1), time.Millisecond))
	defer part.Stop()
	answers := make(chan renewal, len(all))
	asked, left := 0, 0
	next := func() {
		if asked == len(all) {
			return
		}
		srv := all[asked]
		asked, left = asked+1, left+1
		go func() {
			got, err := srv.renewals.Renew(ctx, r)
			answers <- renewal{srv, got, err}
		}()
	}
	var failed error
	for next(); left > 0; {
		select {
		case a := <-answers:
			left--
			away := elsewhere(a.from, a.err, s.opts.TTL/3)
			if away == nil {
				s.answered(a.from, all[0])
				s.learn(a.from, a.Servers)
				return a.Renewed, a.err
			}
			failed = worse(failed, away)
			next()
		case <-part.C:
			next()
		}
	}
	return rota.Renewed{}, failed
}
