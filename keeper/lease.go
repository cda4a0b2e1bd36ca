package keeper

import (
	"sync/atomic"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
)

// lease is how long the keeper may run anything. Its timer belongs to the keeper's lock; its end is read by whoever is
// about to start something.
type lease struct {
	until atomic.Int64 // a rota.Elapsed; 0: for ever
	timer *time.Timer
}

// leaseLook is how often the elapsed clock is looked at. Timers stand still while the machine sleeps, and that clock
// goes on (P2): a lease that ended meanwhile is noticed this long after waking at the latest, and by whoever would start
// something at once.
const leaseLook = time.Second

func (l *lease) isOver() bool {
	until := rota.Elapsed(l.until.Load())
	return until != 0 && clock.Elapsed() >= until
}

func (l *lease) stop() {
	if l.timer != nil {
		l.timer.Stop()
	}
}

// Lease says until when the keeper may run anything; 0 is for ever, as it begins. Past that it ends everything that
// runs, at once, and starts nothing, until a later lease is set: whoever was to renew it may be lost, and others may
// have its tasks (P2, P4, P8). What waits goes on waiting.
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

// lookAtLease sets the timer for the next look.
func (k *Local) lookAtLease() {
	k.lease.stop()
	until := rota.Elapsed(k.lease.until.Load())
	if until == 0 {
		return
	}
	left := min(until.Sub(clock.Elapsed()), leaseLook)
	k.lease.timer = time.AfterFunc(left, k.checkLease)
}

func (k *Local) checkLease() {
	if k.lease.isOver() {
		k.endAll(unleased)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.lookAtLease()
	}
}
