package keeper

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// lease is how long the keeper may run anything. The alarm belongs to the keeper's lock; the end is read by whoever is
// about to start something.
type lease struct {
	now   func() rota.Elapsed // clock.Elapsed, but for tests
	until atomic.Int64        // a rota.Elapsed; 0: for ever
	alarm *alarm
}

const (
	never = rota.Elapsed(math.MaxInt64)
	// leaseLeast is how much of its lease must be left for an attempt to be started.
	leaseLeast = 100 * time.Millisecond
)

// endOf is when a process may run no more (P8).
func (l *lease) endOf(p *executor.Process) rota.Elapsed {
	until := rota.Elapsed(l.until.Load())
	if until == 0 || p.Tolerance < 0 {
		return never
	}
	return until + rota.Elapsed(p.Tolerance)
}

// allows reports whether a process may still be started.
func (l *lease) allows(p *executor.Process) bool {
	end := l.endOf(p)
	return end == never || l.now()+rota.Elapsed(leaseLeast) < end
}

// Lease says until when the keeper may run anything; 0 is for ever, as it begins. An attempt whose tolerance is over
// then, too, is ended at once, and none of that kind is started until a later lease is set: whoever was to renew it may
// be lost, and others may have its tasks (P2, P4, P8). What waits goes on waiting. The clock is that of clock.Elapsed,
// which goes on while the machine sleeps: a lease that ended meanwhile is the first thing that is looked at after that.
func (k *Local) Lease(until rota.Elapsed) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	k.lease.until.Store(int64(until))
	k.lookAtLease()
	k.work.Broadcast()
}

// lookAtLease sets the alarm to the first end of what runs.
func (k *Local) lookAtLease() {
	first := never
	for _, a := range k.attempts {
		if a.state == Running && !a.unleased {
			first = min(first, k.lease.endOf(&a.process))
		}
	}
	k.lease.alarm.set(first)
}

// checkLease ends what may run no more.
func (k *Local) checkLease() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	now := k.lease.now()
	for _, a := range k.attempts {
		if a.state == Running && !a.unleased && now >= k.lease.endOf(&a.process) {
			a.unleased = true
			go a.watch.end(unleased, true) // which may wait for one that is just being reaped
		}
	}
	k.lookAtLease()
}
