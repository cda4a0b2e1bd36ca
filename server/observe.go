package server

import (
	"context"
	"time"

	"github.com/rotaqueue/rota"
)

// observer watches sessions, and finds those lost whose beat has stood still before its own eyes for as long as their
// lease holds. Any number of servers observe one store; each goes by what it has seen itself (P1).
type observer struct {
	seen map[rota.SessionID]sight
	last rota.Elapsed // when the store last answered
}

// sight is a beat, and since when it stands still while the store answers.
type sight struct {
	beat  int64
	since rota.Elapsed
}

// loss is a session that is lost, for those of its tasks that tolerate no more than that.
type loss struct {
	rota.Session
	tolerance rota.Duration
}

const (
	// Sessions are looked at so often, or by this share of the shortest lease.
	observeEvery = 3 * time.Second
	observeShare = 10
	observeLeast = 100 * time.Millisecond
	// blindShare of a lease is how long an observer may have seen nothing: the store did not answer, this process was
	// stopped or the machine asleep. Who was to renew may have been unable to, too, and gets his time once more.
	blindShare = 3
)

// look is told what the store has just answered, and says which sessions are lost and when to look again.
func (o *observer) look(all []rota.Session, now rota.Elapsed) (losses []loss, next time.Duration) {
	blind := now.Sub(o.last)
	o.last, next = now, observeEvery
	seen := make(map[rota.SessionID]sight, len(all))
	for _, x := range all {
		l, wait := lossOf(x)
		if wait <= 0 {
			continue
		}
		at, known := o.seen[x.ID]
		if !known || at.beat != x.Beat || blind > x.TTL.D()/blindShare {
			at = sight{x.Beat, now}
		}
		seen[x.ID] = at
		next = min(next, max(x.TTL.D()/observeShare, observeLeast))
		if left := wait - now.Sub(at.since); left > 0 {
			next = min(next, left)
		} else {
			losses = append(losses, l)
		}
	}
	o.seen = seen
	return losses, next
}

// lossOf is what comes next of a session that stands still, and after how long; 0: nothing.
func lossOf(x rota.Session) (loss, time.Duration) {
	switch {
	case x.TTL <= 0, x.State == rota.SessionLost && x.Next < 0:
		return loss{}, 0
	case x.State == rota.SessionLost:
		return loss{x, x.Next}, x.TTL.D() + x.Next.D() // beyond all reckoning it is negative
	}
	return loss{x, 0}, x.TTL.D()
}

// blind forgets what was seen: the observation starts anew.
func (o *observer) blind() { o.seen = nil }

// observe looks at the sessions once, and loses those that are lost.
func (s *Server) observe(ctx context.Context) (time.Duration, error) {
	all, err := s.store.Sessions(ctx)
	if err != nil {
		s.observer.blind()
		return 0, err
	}
	losses, next := s.observer.look(all, s.elapsed())
	for _, l := range losses {
		if s.elapsed().Sub(s.observer.last) > l.TTL.D()/blindShare {
			return observeLeast, nil // stopped in the middle: what was seen is of another time
		}
		changed, err := s.store.LoseSession(ctx, l.ID, l.Beat, l.tolerance)
		if err != nil {
			s.observer.blind()
			return 0, err
		}
		if changed && l.tolerance == 0 {
			s.log.Warn("a session is lost: it was not renewed in time, and what it ran is rescued", "node", l.Node, "session", l.ID, "ttl", l.TTL.D())
		}
	}
	if len(losses) > 0 {
		s.loops.rescuing.wake()
	}
	return max(next, time.Millisecond), nil
}
