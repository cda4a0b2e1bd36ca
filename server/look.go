package server

import (
	"context"
	"errors"
	"time"

	"github.com/rotaqueue/rota"
)

const (
	// lookPatience is how long a call that does not wait gives the node of a running attempt to tell what there is.
	lookPatience = 3 * time.Second
	// lookRenewed is how often a call that waits says so.
	lookRenewed = rota.LookFor / 2
	// lookPoll is how often a node is looked after for wishes while some come, for lookHot after the last.
	lookPoll = 100 * time.Millisecond
	lookHot  = 5 * time.Second
)

// elsewhere is what a call of Output wishes to see of an attempt that runs at another server's node.
type elsewhere struct {
	first    int64 // number of its first wish: it takes an answer to that or to a later one
	asked    time.Time
	answered bool
}

// waits reports whether an answer is to come that there is not yet.
func (e *elsewhere) waits() bool { return e.first != 0 && !e.answered }

// look is the node's answer as far as there is one. The node hears of the wish by a notice, or within a second by itself.
func (s *Server) look(ctx context.Context, e *elsewhere, q rota.OutputQuery) (rota.Output, error) {
	l := rota.Look{Try: rota.Try{Task: q.Task, Attempt: q.Attempt}, Stream: q.Stream, Offset: q.Offset, Max: min(q.Max, rota.MaxLooked)}
	none := rota.Output{Offset: max(q.Offset, 0)}
	if e.first == 0 || time.Since(e.asked) >= lookRenewed {
		number, err := s.store.Look(ctx, l)
		if errors.Is(err, rota.ErrConflict) {
			return none, nil // it has just ended
		}
		if err != nil {
			return none, err
		}
		if e.first == 0 {
			e.first = number
		}
		e.asked = time.Now()
		s.hub.looks.raise()
		s.store.Notify(rota.NoticeLook)
	}
	l.Number = e.first
	out, err := s.store.Shown(ctx, l)
	if errors.Is(err, rota.ErrNotFound) {
		return none, nil
	}
	e.answered = err == nil
	return out, err
}

// ShowOutput answers a look that Await has told of.
func (s *Server) ShowOutput(ctx context.Context, l rota.Look, out rota.Output) error {
	p, err := s.allow(ctx, "show output")
	if err == nil {
		err = s.ownAttempt(ctx, p, l.Try)
	}
	switch {
	case errors.Is(err, rota.ErrLeaseLost):
		return nil // it has ended: nobody waits for this any more
	case err != nil:
		return err
	case l.Stream != rota.Stdout && l.Stream != rota.Stderr:
		return rota.Invalid("stream %q: write stdout or stderr", l.Stream)
	case len(out.Data) > rota.MaxLooked:
		return rota.Errorf(rota.ErrTooLarge, "output of %v: %d bytes shown at once, and %d is the limit", l.Try, len(out.Data), rota.MaxLooked)
	}
	return s.outward(s.store.ShowOutput(ctx, l, out))
}

// tellLooks is those of the looks that the session was not told before.
func (n *session) tellLooks(looked uint64, looks []rota.Look) (news []rota.Look) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.looked = looked
	told := make(map[rota.Look]bool, len(looks))
	for _, l := range looks {
		if !n.shown[l] {
			news = append(news, l)
		}
		told[l] = true
	}
	n.shown = told
	if len(news) > 0 {
		n.hot = time.Now().Add(lookHot)
	}
	return news
}

// poll is how soon to look after the session by ourselves.
func (n *session) poll() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Now().Before(n.hot) {
		return lookPoll
	}
	return endingPoll
}
