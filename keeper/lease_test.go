package keeper

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/executor"
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

func TestP8EachAttemptGoesOnAsLongAsItTolerates(t *testing.T) {
	r := newRig(t, 3)
	jobs := []executor.Process{sh(1, "echo up; exec sleep 1000"), sh(2, "echo up; exec sleep 1000"), sh(3, "echo up; exec sleep 1000")}
	jobs[1].Tolerance, jobs[2].Tolerance = rota.Duration(time.Hour), -1
	r.start(jobs...)
	for _, p := range jobs {
		r.says(p.Try, rota.Stdout, "up")
	}
	r.Lease(in(-time.Minute))
	if e := r.await(try(1)); e.Outcome != rota.OutcomeEnded {
		t.Errorf("%+v", e)
	}
	strict, patient := sh(4, "true"), sh(5, "true")
	patient.Tolerance = rota.Duration(time.Hour)
	r.start(strict, patient) // one slot is free
	if e := r.await(try(5)); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("behind one whose lease is over: %+v", e)
	}
	if len(r.ends[try(4)])+len(r.ends[try(2)])+len(r.ends[try(3)]) > 0 {
		t.Errorf("ended: %+v", r.ends)
	}
	r.Lease(in(-2 * time.Hour))
	if e := r.await(try(2)); e.Outcome != rota.OutcomeEnded || e.Reason != "ended because the lease was not renewed in time" {
		t.Errorf("%+v", e)
	}
	r.Lease(0)
	if e := r.await(try(4)); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v", e)
	}
	if held := r.Held(); !slices.Contains(held, try(3)) || len(r.ends[try(3)]) > 0 {
		t.Errorf("the one that tolerates all: held %v, ends %v", held, r.ends[try(3)])
	}
}

// The machine sleeps, and the lease ends meanwhile: the clock jumps, and no timer has moved.
func TestP2AfterASleepTheLeaseIsLookedAtFirst(t *testing.T) {
	r := newRig(t, 2)
	k := r.local
	var asleep atomic.Int64
	k.mu.Lock()
	k.lease.now = func() rota.Elapsed { return clock.Elapsed() + rota.Elapsed(asleep.Load()) }
	k.mu.Unlock()
	r.Lease(in(time.Hour))
	r.start(sh(1, "echo up; exec sleep 1000"))
	r.says(try(1), rota.Stdout, "up")
	asleep.Store(int64(2 * time.Hour))
	r.start(sh(2, "true")) // a slot is free
	k.checkLease()         // as the alarm does on waking; see TestP2TheAlarmRingsByTheClockSinceBoot
	if e := r.await(try(1)); e.Outcome != rota.OutcomeEnded {
		t.Errorf("%+v", e)
	}
	if r.Return(); r.await(try(2)).Spawned {
		t.Error("it was started after the lease")
	}
}

func TestP2TheAlarmRingsByTheClockSinceBoot(t *testing.T) {
	rang := make(chan rota.Elapsed, 10)
	a, err := newAlarm(func() { rang <- clock.Elapsed() })
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	a.set(never)
	for _, d := range []time.Duration{-time.Hour, 20 * time.Millisecond} {
		at := in(d)
		a.set(at)
		if now := <-rang; now < at {
			t.Errorf("it was set to %v and rang at %v", at, now)
		}
	}
}
