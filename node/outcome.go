package node

import (
	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// finish is the end of an attempt on its way to the store.
type finish struct {
	rota.Finish
	started, ended rota.Elapsed // started is zero when it never did
	spent          []string     // files of which the store has everything once the finish is recorded
	kept, left     int64        // bytes of those, and of the files that stay
}

// at is the finish as it is sent at a time.
func (f *finish) at(now rota.Elapsed) rota.Finish {
	out := f.Finish
	if f.started != 0 {
		out.StartedAgo = rota.Duration(max(now.Sub(f.started), 1))
	}
	out.EndedAgo = rota.Duration(max(now.Sub(f.ended), 0))
	return out
}

// finishOf is what an exit means for the store. An attempt that was ended without anybody asking for it went away
// with its node: that is no failure of the job's.
func finishOf(a *attempt, m mode) *finish {
	x := a.exit
	f := &finish{started: x.Started, ended: x.Ended, Finish: rota.Finish{Try: x.Try, Outcome: x.Outcome,
		Exit: x.Code, Signal: x.Signal, Reason: x.Reason, Usage: x.Usage, Written: x.Written}}
	switch {
	case x.Outcome.IsRetried():
		f.RetryIn = a.Retry.WaitJittered(a.Failures + 1)
	case x.Outcome == rota.OutcomeEnded && a.asked == "":
		f.Outcome, f.Reason = rota.OutcomeLost, whyEnded(a, m)
	}
	return f
}

func whyEnded(a *attempt, m mode) string {
	switch {
	case a.gone:
		return "the store no longer had it as this node's, which ended it"
	case m == lost:
		return "the node lost its session while it ran"
	case m >= stopping:
		return "the node was stopped while it ran"
	}
	return a.exit.Reason // the keeper's own: its lease was over, or it was told to end
}

// exited is told that attempts have ended.
func (r *reactor) exited(xs []executor.Exit, now rota.Elapsed) {
	for _, x := range xs {
		a := r.held[x.Try]
		if a == nil { // the keeper had it from an earlier time
			a = &attempt{Assignment: rota.Assignment{Try: x.Try, Retry: rota.DefaultRetry()}}
			r.hold(a, inKeeper)
		}
		if a.stage != inKeeper {
			continue
		}
		a.exit = x
		r.measure(a, now)
		if !wrote(x) && len(x.Artifacts) == 0 && x.Missed == "" {
			r.finish(a, finishOf(a, r.mode), now)
			continue
		}
		r.enter(a, reading)
		r.todo.collect = append(r.todo.collect, x)
	}
}

// measure learns from an exit how long tasks run, and whether they can be started at all.
func (r *reactor) measure(a *attempt, now rota.Elapsed) {
	x := a.exit
	switch {
	case x.Spawned:
		r.pace.ran(x.Ended.Sub(x.Started))
		r.started(x.Started, now)
	case x.Outcome == rota.OutcomeReturned && a.asked == "" && !a.gone && r.mode == up:
		r.log.Warn("a task could not be started and is given back", "task", x.Task, "attempt", x.Attempt, "reason", x.Reason)
		r.balk(now)
	}
}

func wrote(x executor.Exit) bool {
	for _, path := range x.Output {
		if path != "" {
			return true
		}
	}
	return false
}

// large is told that the output of attempts is too large for their finish: it is kept first, and their slots are
// free meanwhile.
func (r *reactor) large(tries []rota.Try) {
	for _, t := range tries {
		if a := r.held[t]; a != nil && a.stage == reading {
			r.enter(a, keeping)
		}
	}
}

// collected is told what became of ended attempts' output: their finishes can go.
func (r *reactor) collected(cs []collected, now rota.Elapsed) {
	for _, c := range cs {
		a := r.held[c.try]
		if a == nil || (a.stage != reading && a.stage != keeping) {
			continue
		}
		f := finishOf(a, r.mode)
		f.Output, f.spent, f.kept, f.left = c.chunks, c.spent, c.kept, c.left
		if f.Outcome != rota.OutcomeSucceeded {
			f.Error = c.said
		}
		if c.problem != "" {
			f.Reason = join(f.Reason, "output not kept: "+c.problem)
		}
		if c.missed != "" {
			f.Reason = join(f.Reason, "artifacts not kept: "+c.missed)
		}
		r.finish(a, f, now)
	}
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
