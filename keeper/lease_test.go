package keeper

import (
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
)

// in is a reading of the elapsed clock that is so far ahead.
func in(d time.Duration) rota.Elapsed { return clock.Elapsed() + rota.Elapsed(d) }

func TestP2WhenTheLeaseIsOverEverythingEndsAndNothingStarts(t *testing.T) {
	r := newRig(t, 1)
	r.start(sh(1, "trap '' TERM; echo up; while :; do sleep 1000; done"), sh(2, "true"))
	r.says(try(1), rota.Stdout, "up")
	r.Lease(in(time.Hour))
	r.Lease(in(10 * time.Millisecond))
	e := r.await(try(1))
	if e.Outcome != rota.OutcomeEnded || e.Signal != 9 || e.Reason != "ended because the lease was not renewed in time" {
		t.Errorf("%+v", e)
	}
	if len(r.ends) > 1 {
		t.Errorf("ended: %+v", r.ends)
	}
	r.start(sh(3, "true"), sh(4, "true"))
	r.Return(try(3)) // it waits, so it can be taken back
	if e := r.await(try(3)); e.Outcome != rota.OutcomeReturned {
		t.Errorf("%+v", e)
	}
	r.Lease(in(time.Hour))
	for _, n := range []int{2, 4} { // they went on waiting
		if e := r.await(try(n)); e.Outcome != rota.OutcomeSucceeded {
			t.Errorf("under a new lease: %+v", e)
		}
	}
}

func TestP2ALeaseThatIsRenewedEndsNothing(t *testing.T) {
	r := newRig(t, 2)
	r.start(sh(1, "echo up; exec sleep 1000"))
	r.says(try(1), rota.Stdout, "up")
	r.Lease(in(time.Minute))
	r.Lease(in(time.Hour))
	r.Lease(0)
	if e := r.run(sh(2, "true")); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v", e)
	}
	if held := r.Held(); len(held) != 2 {
		t.Errorf("held %v", held)
	}
}

// A slot that wakes after the lease, with an attempt already in hand, does not start it.
func TestP2ASlotLooksAtTheLeaseBeforeItStarts(t *testing.T) {
	k := newRig(t, 0).local
	k.lease.until.Store(1)
	s, a := newSlot(k, 0), &attempt{process: command(1, "/bin/true"), state: Running}
	if f := s.start(a); f == nil || f.outcome != rota.OutcomeReturned || a.watch.pid != 0 {
		t.Errorf("%+v", f)
	}
	s.close()
}
