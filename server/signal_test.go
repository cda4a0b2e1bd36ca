package server

import (
	"sync"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestSignalLosesNoRaise(t *testing.T) {
	var s signal
	const raises = 1_000
	var all sync.WaitGroup
	for range 4 { // waiters that look, then wait while nothing is new
		all.Go(func() {
			for {
				seen, more := s.now()
				if seen == raises {
					return
				}
				<-more
			}
		})
	}
	for range raises {
		s.raise()
	}
	all.Wait() // hangs if one was lost
	if got := s.counted(); got != raises {
		t.Errorf("counted %d, want %d", got, raises)
	}
}

func TestHubWakesThoseWhoWatch(t *testing.T) {
	var h hub
	a, leaveA := h.watch(1)
	same, leaveSame := h.watch(1)
	b, leaveB := h.watch(2)
	h.changed(1)
	h.changed(3)
	if a != same || a.counted() != 1 || b.counted() != 0 {
		t.Errorf("job 1 changed: told %d and %d times, job 2 %d times", a.counted(), same.counted(), b.counted())
	}
	h.changedAny()
	if a.counted() != 2 || b.counted() != 1 {
		t.Errorf("any changed: job 1 told %d times, job 2 %d times", a.counted(), b.counted())
	}
	for _, leave := range []func(){leaveA, leaveSame, leaveB} {
		leave()
	}
	if len(h.jobs) != 0 || h.watched.Load() != 0 {
		t.Errorf("all left, but %d jobs are watched by %d", len(h.jobs), h.watched.Load())
	}
	h.changed(rota.JobID(1)) // nobody is there
}
