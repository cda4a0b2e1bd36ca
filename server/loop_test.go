package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotaqueue/rota"
)

// steps is a loop that notes when its steps were done, since it was started.
type steps struct {
	*loop
	at   []time.Duration
	next []time.Duration // what the steps wish, in order; then never
	fail atomic.Bool
}

func runSteps(t *testing.T, every time.Duration, next ...time.Duration) *steps {
	s := &steps{next: next}
	begun := time.Now()
	s.loop = newLoop("test", every, func(context.Context) (time.Duration, error) {
		s.at = append(s.at, time.Since(begun))
		wish := never
		if len(s.next) > 0 {
			wish, s.next = s.next[0], s.next[1:]
		}
		if s.fail.Load() {
			return wish, errors.New("the disk is away")
		}
		return wish, nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.run(ctx, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	synctest.Wait()
	return s
}

func (s *steps) want(t *testing.T, what string, at ...time.Duration) {
	t.Helper()
	synctest.Wait()
	if fmt.Sprint(s.at) != fmt.Sprint(at) {
		t.Errorf("%s: steps at %v, want %v", what, s.at, at)
	}
}

func TestLoopPollsBehindAllWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := runSteps(t, time.Minute)
		pass(2*time.Minute + time.Second)
		s.want(t, "with nothing to do", 0, time.Minute, 2*time.Minute)
	})
}

func TestLoopGoesByWishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := runSteps(t, time.Minute, time.Second, 5*time.Second, time.Hour)
		pass(70 * time.Second)
		s.want(t, "by the steps' wishes", 0, time.Second, 6*time.Second, 66*time.Second)
	})
}

func TestLoopWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := runSteps(t, time.Minute)
		pass(10 * time.Second)
		s.wake()
		s.wake()
		s.want(t, "woken twice at once", 0, 10*time.Second)
		s.within(20 * time.Second)
		s.within(5 * time.Second) // the earlier wish counts
		s.within(30 * time.Second)
		pass(5 * time.Second)
		s.want(t, "after the earliest of three wishes", 0, 10*time.Second, 15*time.Second)
	})
}

func TestLoopTriesAgainAfterFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := runSteps(t, time.Minute, time.Hour)
		s.fail.Store(true)
		s.wake()
		synctest.Wait()
		s.fail.Store(false)
		pass(time.Minute)
		s.want(t, "after a failure", 0, 0, afterFailure)
	})
}

func TestLoopLogsAFailureOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		fail := errors.New("the disk is away")
		l := newLoop("test", time.Second, func(context.Context) (time.Duration, error) { return 0, fail })
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := l.run(ctx, slog.New(slog.NewTextHandler(&out, nil))); err != nil {
			t.Error(err)
		}
		if n := strings.Count(out.String(), "the disk is away"); n != 1 {
			t.Errorf("logged %d times, want once", n)
		}
	})
}

func TestLoopEndsWithABrokenStore(t *testing.T) {
	l := newLoop("test", time.Second, func(context.Context) (time.Duration, error) {
		return 0, rota.Errorf(rota.ErrBroken, "fsync failed")
	})
	if err := l.run(context.Background(), slog.New(slog.DiscardHandler)); !errors.Is(err, rota.ErrBroken) {
		t.Errorf("got %v, want the store's error", err)
	}
}

// pass lets time pass in a test's bubble.
func pass(d time.Duration) { <-time.After(d) }
