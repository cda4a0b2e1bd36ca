package keeper

import (
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
// our folder): it would befall the whole queue, one attempt after the other. It belongs to the keeper's lock.
type pause struct {
	on     bool
	length time.Duration // of the latest; 0: all is well
	timer  *time.Timer
}

func (p *pause) begin(resume func()) {
	if p.on {
		return // another slot met the same
	}
	p.on = true
	p.length = min(max(2*p.length, shortestPause), longestPause)
	p.timer = time.AfterFunc(p.length, resume)
}

// over says that something could be started, and reports whether that is news.
func (p *pause) over() bool {
	was := p.length > 0 && !p.on
	if was {
		p.length = 0
	}
	return was
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
		return
	}
	if a.watch.asked() {
		k.giveBack(a, takenBack)
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
		a.state, a.slot = Waiting, nil
		k.waiting = append([]*attempt{a}, k.waiting...)
	}
	k.pause.begin(k.resume)
}

func (k *Local) resume() {
	k.mu.Lock()
	k.pause.on = false
	k.work.Broadcast()
	k.mu.Unlock()
}
