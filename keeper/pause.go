package keeper

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/executor"
)

const (
	shortestPause = 20 * time.Millisecond
	longestPause  = 5 * time.Second
	patience      = 5 // failures of ours after which an attempt is given back, for another node to try
)

// pause keeps the slots from starting anything after a failure of our own (no more processes, no memory, no space in
// our folder): it would befall the whole queue, one attempt after the other. When it is over, attempts are started one by
// one, until that went well for as many as there are slots: what there is for one may not be there for all at once. It
// belongs to the keeper's lock.
type pause struct {
	on      bool
	trying  bool          // one is being started
	started int           // one by one, since the latest failure
	length  time.Duration // of the latest; 0: all is well
	timer   *time.Timer
}

func (p *pause) begin(resume func()) {
	p.trying, p.started = false, 0
	if p.on {
		return // another slot met the same
	}
	p.on = true
	p.length = min(max(2*p.length, shortestPause), longestPause)
	p.timer = time.AfterFunc(p.length, resume)
}

func (p *pause) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// failed is the end, or not, of an attempt that could not be started.
func (k *Local) failed(a *attempt, f *failure) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f.outcome != rota.OutcomeReturned {
		e := executor.Exit{Try: a.process.Try, Outcome: f.outcome, Reason: f.reason, Ended: clock.Elapsed()}
		if f.code > 0 {
			e.Code = &f.code
		}
		k.finish(a, e)
		k.tryAnother()
		return
	}
	if a.watch.asked() {
		k.giveBack(a, takenBack)
		k.tryAnother()
		return
	}
	if k.closed {
		return
	}
	if k.pause.length == 0 {
		k.log.Warn("processes cannot be started; pausing", "task", a.process.Task, "attempt", a.process.Attempt, "error", f.reason)
	}
	if a.failures++; a.failures >= patience {
		k.giveBack(a, f.reason)
	} else {
		a.state = Waiting
		k.waiting = append([]*attempt{a}, k.waiting...)
	}
	k.pause.begin(k.resume)
}

// Check makes a process that becomes none, and writes as much beside the slots as a script may well have.
func (k *Local) Check() error {
	err := forSlot()
	if err == nil {
		err = canFork()
	}
	if err == nil {
		err = k.canWrite()
	}
	if err != nil {
		return rota.Errorf(rota.ErrUnavailable, "%v", err)
	}
	return nil
}

func (k *Local) canWrite() error {
	slots := filepath.Join(k.dir, "slots")
	if err := os.MkdirAll(slots, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(slots, "check")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 64<<10))
	return errors.Join(err, f.Close())
}

func (k *Local) resume() {
	k.mu.Lock()
	k.pause.on = false
	k.work.Broadcast()
	k.mu.Unlock()
}

// tryAnother is for when an attempt was not started for a reason of its own, which says nothing of the others.
func (k *Local) tryAnother() {
	if k.pause.trying {
		k.pause.trying = false
		k.work.Broadcast()
	}
}

// couldStart says that processes can be started: one was. The keeper is locked.
func (k *Local) couldStart() {
	if k.pause.length == 0 || k.pause.on {
		return
	}
	k.pause.trying, k.pause.length = false, shortestPause
	if k.pause.started++; k.pause.started >= k.slots {
		k.pause.length = 0
		k.log.Info("processes can be started again")
	}
	k.work.Broadcast()
}
