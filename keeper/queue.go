package keeper

import (
	"cmp"
	"slices"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/executor"
)

// Start queues processes behind those that wait.
func (k *Local) Start(ps []executor.Process) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return rota.Errorf(rota.ErrUnavailable, "start %d processes: the keeper is closed", len(ps))
	}
	added := 0
	for _, p := range ps {
		if a := k.attempts[p.Try]; a != nil {
			if a.state == Ended {
				k.reports.add(a.exit)
			}
			continue
		}
		a := &attempt{process: p, state: Waiting}
		k.attempts[p.Try] = a
		k.waiting = append(k.waiting, a)
		added++
	}
	k.employ(added)
	return nil
}

// employ finds hands for what waits, some of which is new.
func (k *Local) employ(added int) {
	for range min(added, k.idle) {
		k.work.Signal()
	}
	for n := len(k.waiting) - k.idle; n > 0 && k.made < k.slots; n-- {
		k.threads.Add(1)
		go newSlot(k, k.made).run()
		k.made++
	}
}

// Resize says how many attempts may run at once from now on. What runs beyond that goes on. More than now needs threads:
// where the system has none, it stays as it is, and says so.
func (k *Local) Resize(slots int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if slots < 0 || slots == k.slots || k.closed {
		return
	}
	if slots > k.slots && k.alone {
		if err := canFork(); err != nil {
			k.log.Error("the slots stay as many as they are", "slots", k.slots, "wanted", slots, "error", err)
			return
		}
		ReserveThreads(slots - k.made + spareThreads)
	}
	k.slots = slots
	k.employ(len(k.waiting))
}

// Stop ends an attempt.
func (k *Local) Stop(try rota.Try, now bool) {
	k.mu.Lock()
	a := k.attempts[try]
	if a == nil || a.state != Running {
		if a != nil && a.state == Waiting {
			k.giveBack(a, takenBack)
		}
		k.mu.Unlock()
		return
	}
	k.mu.Unlock()
	a.watch.end(stopped, now)
}

// Return takes back what waits.
func (k *Local) Return(tries ...rota.Try) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(tries) == 0 {
		for _, a := range k.waiting {
			if a.state == Waiting {
				k.giveBack(a, takenBack)
			}
		}
		k.waiting = nil
		return
	}
	for _, try := range tries {
		if a := k.attempts[try]; a != nil && a.state == Waiting {
			k.giveBack(a, takenBack) // it leaves the queue when its turn comes
		}
	}
}

const takenBack = "taken back before it was started"

func (k *Local) giveBack(a *attempt, reason string) {
	k.finish(a, executor.Exit{Try: a.process.Try, Outcome: rota.OutcomeReturned, Reason: reason, Ended: clock.Elapsed()})
}

// finish is the end of an attempt; it is reported, and remembered until it is forgotten.
func (k *Local) finish(a *attempt, e executor.Exit) {
	a.state, a.streams, a.exit = Ended, [2]string{}, e
	a.process = executor.Process{Try: e.Try, Note: a.process.Note}
	if !k.closed {
		k.reports.add(e)
	}
}

// Exits delivers the ends.
func (k *Local) Exits() <-chan []executor.Exit {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reports.out
}

// handOver makes the keeper report to somebody else from now on: what it has is the first answer, by task and attempt,
// and every end that was not forgotten is reported to them once (P10). Whoever had Exits before finds it closed. There
// is nothing to hand over once the keeper is closed.
func (k *Local) handOver() ([]Held, <-chan []executor.Exit, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, nil, rota.Errorf(rota.ErrUnavailable, "hand the keeper over: it is closed")
	}
	k.reports.close()
	k.reports = newReports()
	go k.reports.deliver()
	held := make([]Held, 0, len(k.attempts))
	for try, a := range k.attempts {
		held = append(held, Held{try, a.state, a.process.Note})
		if a.state == Ended {
			k.reports.add(a.exit)
		}
	}
	slices.SortFunc(held, func(a, b Held) int { return compareTries(a.Try, b.Try) })
	return held, k.reports.out, nil
}

// isRunning reports whether anything runs or waits.
func (k *Local) isRunning() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range k.attempts {
		if a.state != Ended {
			return true
		}
	}
	return false
}

// isEmpty reports whether nothing is held.
func (k *Local) isEmpty() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.attempts) == 0
}

// Held are the attempts that were not forgotten, by task and attempt.
func (k *Local) Held() []rota.Try {
	k.mu.Lock()
	defer k.mu.Unlock()
	held := make([]rota.Try, 0, len(k.attempts))
	for try := range k.attempts {
		held = append(held, try)
	}
	slices.SortFunc(held, compareTries)
	return held
}

func compareTries(a, b rota.Try) int {
	return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Attempt, b.Attempt))
}

// Forget drops ends. What has not ended is not forgotten.
func (k *Local) Forget(tries []rota.Try) {
	k.mu.Lock()
	for _, try := range tries {
		if a := k.attempts[try]; a != nil && a.state == Ended {
			delete(k.attempts, try)
		}
	}
	k.mu.Unlock()
	k.journal.forget(tries)
}

// File is where an attempt's stream is now.
func (k *Local) File(try rota.Try, s rota.Stream) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	a := k.attempts[try]
	switch {
	case a == nil:
		return ""
	case a.state == Ended:
		return a.exit.Output[s]
	case s == rota.Stdout:
		return a.streams[0]
	}
	return a.streams[1]
}

// take is the next attempt for a slot, which waits for it. It is nil when the keeper closes.
func (k *Local) take(s *slot) *attempt {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.busy {
		s.busy = false
		k.running--
	}
	for !k.closed {
		if a := k.next(); a != nil {
			a.state = Running
			s.busy = true
			k.running++
			if k.lease.endOf(&a.process) != never {
				k.lookAtLease()
			}
			k.meterSoon()
			return a
		}
		if k.pause.length > 0 {
			s.close() // what it has open may be what another lacks
		}
		k.idle++
		k.work.Wait()
		k.idle--
	}
	return nil
}

func (k *Local) next() *attempt {
	if k.running >= k.slots || k.pause.on || k.pause.trying {
		return nil
	}
	for i := 0; i < len(k.waiting); {
		a := k.waiting[i]
		if a.state == Waiting && !k.lease.allows(&a.process) {
			i++ // its turn comes with the next lease; those behind it may have longer
			continue
		}
		k.drop(i)
		if a.state == Waiting {
			k.pause.trying = k.pause.length > 0
			return a
		}
	}
	return nil
}

// drop takes one out of the queue, which is nearly always the first.
func (k *Local) drop(i int) {
	if i > 0 {
		k.waiting = slices.Delete(k.waiting, i, i+1)
		return
	}
	k.waiting[0] = nil
	if k.waiting = k.waiting[1:]; len(k.waiting) == 0 {
		k.waiting = nil
	}
}

// started says that the attempt has a process, which writes to these files.
func (k *Local) started(a *attempt, streams [2]string) {
	k.mu.Lock()
	a.streams = streams
	k.couldStart()
	k.mu.Unlock()
}

// leave says that the attempt's files are about to be settled: nobody is told of them any more.
func (k *Local) leave(a *attempt) {
	k.mu.Lock()
	a.streams = [2]string{}
	k.mu.Unlock()
}

// ended is the end of an attempt that ran.
func (k *Local) ended(a *attempt, e executor.Exit) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.finish(a, e)
}
