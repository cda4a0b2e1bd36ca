package server

import (
	"context"
	"time"

	"github.com/rotaqueue/rota"
)

// othersPoll is how often a server looks for what others of its store made claimable, behind their notices.
const othersPoll = 2 * time.Second

// ready says that something may have become claimable, here and to the other servers of the store.
func (s *Server) ready() {
	s.hub.claimable.raise()
	s.store.Notify(rota.NoticeReady)
}

// hear passes on what another server of the store tells.
func (s *Server) hear(n rota.Notice) {
	switch n {
	case rota.NoticeReady:
		s.hub.claimable.raise()
	case rota.NoticeEnding:
		s.hub.endings.raise()
	case rota.NoticeLook:
		s.hub.looks.raise()
	}
}

// lookAtOthers is the step of the loop that finds what notices did not tell.
func (s *Server) lookAtOthers(ctx context.Context) (time.Duration, error) {
	shared, err := s.isShared(ctx)
	if err != nil || !shared {
		return never, err
	}
	queues, err := s.store.Queues(ctx)
	for _, q := range queues {
		if q.Counts[rota.Ready] > 0 {
			s.hub.claimable.raise()
			break
		}
	}
	return othersPoll, err
}

// isShared reports whether other servers write to the store.
func (s *Server) isShared(ctx context.Context) (bool, error) {
	if known := s.shared.Load(); known != nil {
		return *known, nil
	}
	id, err := s.store.Identity(ctx)
	if err == nil {
		s.shared.Store(&id.Shared)
	}
	return id.Shared, err
}

// looks are when a waiting call looks again for itself. Where others write too, no wake may come: then it looks often at
// first, and more rarely the longer it waits.
type looks struct {
	pause  time.Duration
	shared bool
}

const (
	lookFirst = 10 * time.Millisecond
	lookLast  = time.Second
)

func (s *Server) newLooks(ctx context.Context) looks {
	shared, _ := s.isShared(ctx)
	return looks{pause: lookFirst, shared: shared}
}

// next is how long to wait for the next look.
func (l *looks) next() time.Duration {
	if !l.shared {
		return lookAgain
	}
	l.pause = min(l.pause*5/4, lookLast)
	return l.pause
}
