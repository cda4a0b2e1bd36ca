package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

// loop is one piece of background work: a step that is done when the last one wished, when somebody wakes it, and
// every so often behind all wakes. Between them it costs nothing.
type loop struct {
	name  string
	every time.Duration
	// step does a bounded piece of the work and says how soon the next is wished; never is "no sooner than every".
	step func(context.Context) (time.Duration, error)

	mu   sync.Mutex
	due  time.Time // when the next step is wished; zero: not yet known
	kick chan struct{}
}

const (
	never = time.Duration(1<<63 - 1)
	// afterFailure is how long a loop waits when its step failed.
	afterFailure = 2 * time.Second
)

func newLoop(name string, every time.Duration, step func(context.Context) (time.Duration, error)) *loop {
	return &loop{name: name, every: every, step: step, kick: make(chan struct{}, 1)}
}

// wake asks for a step now.
func (l *loop) wake() { l.within(0) }

// within asks for a step after so long at the latest.
func (l *loop) within(d time.Duration) {
	due := time.Now().Add(min(d, l.every))
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.due.IsZero() && !due.Before(l.due) {
		return
	}
	l.due = due
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// run does steps until ctx ends. Its error is that of a store that is not durable; all others are logged, once for
// as long as they stay the same, and the step is tried again.
func (l *loop) run(ctx context.Context, log *slog.Logger) error {
	l.wake()
	timer := time.NewTimer(never)
	defer timer.Stop()
	failing := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.kick:
			timer.Reset(time.Until(l.wished()))
			continue
		case <-timer.C:
		}
		l.begin()
		next, err := l.step(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, rota.ErrBroken):
			return fmt.Errorf("%s: %w", l.name, err)
		case err != nil:
			if failing != err.Error() {
				failing = err.Error()
				log.Error("background work failed and will be tried again", "loop", l.name, "error", err)
			}
			next = afterFailure
		default:
			failing = ""
		}
		l.within(next)
	}
}

func (l *loop) wished() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.due
}

// begin forgets all wishes up to now: the step that follows fulfils them.
func (l *loop) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = time.Time{}
}
