package servicetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/rotaqueue/rota"
)

var dependencyTests = []contract{
	{"P15 each end and each wish", eachEnd},
	{"P15 an end that was before", endedBefore},
	{"P15 all of several", severalBefore},
	{"P15 starving goes down a chain", starvingChain},
	{"P15 submit races the finish", dependencyRace},
	{"D12 which jobs run after which is told", edgesTold},
}

// endings are the ways for a job to end.
var endings = []struct {
	name  string
	fired map[rota.When]bool // which wishes it fulfils
	end   func(*world, *machine, rota.JobID)
}{
	{"success", map[rota.When]bool{rota.AfterOK: true, rota.AfterAny: true},
		func(w *world, m *machine, id rota.JobID) { m.ends(rota.OutcomeSucceeded, m.claimOne()) }},
	{"failure", map[rota.When]bool{rota.AfterFail: true, rota.AfterAny: true},
		func(w *world, m *machine, id rota.JobID) { m.ends(rota.OutcomeFailed, m.claimOne()) }},
	{"cancel", map[rota.When]bool{rota.AfterAny: true},
		func(w *world, m *machine, id rota.JobID) { w.kim.operate(rota.ActCancel, jobs(id)) }},
}

func eachEnd(w *world) {
	m := w.node("one")
	wishes := []rota.When{rota.AfterOK, rota.AfterAny, rota.AfterFail}
	for _, e := range endings {
		first := w.kim.submit(run(retries(0)))
		var next []rota.JobID
		for _, when := range wishes {
			id := w.kim.submit(run(after(when, first)))
			equal(w, "state of a job that waits for another", w.kim.job(id).Progress.State(), rota.Blocked)
			next = append(next, id)
		}
		e.end(w, m, first)
		for i, when := range wishes { // the oldest first, as they are claimed
			follows(w, m, fmt.Sprintf("%s after %s", when, e.name), next[i], e.fired[when])
		}
	}
}

// follows checks that a job may run now, or was cancelled with a reason.
func follows(w *world, m *machine, what string, id rota.JobID, may bool) {
	w.Helper()
	if may {
		w.kim.inState(id, rota.Ready)
		a := m.claimOne()
		equal(w, what, a.Task.Job(), id)
		m.ends(rota.OutcomeSucceeded, a)
		return
	}
	job := w.kim.inState(id, rota.Cancelled)
	if task := w.kim.task(rota.PlainTask(id)); job.Reason == "" && task.Reason == "" {
		w.Errorf("%s: cancelled without a reason", what)
	}
}

func endedBefore(w *world) {
	m := w.node("one")
	ok := w.kim.submit(run())
	m.runs(rota.OutcomeSucceeded, 1)
	follows(w, m, "ok after a success that was before", w.kim.submit(run(after(rota.AfterOK, ok))), true)
	follows(w, m, "fail after a success that was before", w.kim.submit(run(after(rota.AfterFail, ok))), false)
}

func severalBefore(w *world) {
	m := w.node("one")
	a, b := w.kim.submit(run()), w.kim.submit(run(array(1, 3, 0)))
	last := w.kim.submit(run(after(rota.AfterOK, a, b)))
	for range 4 {
		equal(w, "state before all have ended", w.kim.job(last).Progress.State(), rota.Blocked)
		m.runs(rota.OutcomeSucceeded, 1)
	}
	follows(w, m, "after all", last, true)
}

func starvingChain(w *world) {
	m := w.node("one")
	first := w.kim.submit(run(retries(0)))
	second := w.kim.submit(run(array(1, 3, 0), after(rota.AfterOK, first)))
	third := w.kim.submit(run(after(rota.AfterOK, second)))
	instead := w.kim.submit(run(after(rota.AfterAny, second)))
	m.runs(rota.OutcomeFailed, 1)
	w.kim.inState(second, rota.Cancelled)
	w.kim.inState(third, rota.Cancelled)
	follows(w, m, "any after a starved job", instead, true)
}

func dependencyRace(w *world) {
	m := w.node("one")
	for range 50 {
		first := w.kim.submit(run())
		a := m.claimOne()
		var next rota.JobID
		var both sync.WaitGroup
		both.Go(func() { next = w.kim.submit(run(after(rota.AfterOK, first))) })
		both.Go(func() { m.ends(rota.OutcomeSucceeded, a) })
		both.Wait()
		if w.Failed() {
			return
		}
		b := m.claimOne()
		equal(w, "claimed after the race", b.Task.Job(), next)
		m.ends(rota.OutcomeSucceeded, b)
	}
}

func edgesTold(w *world) {
	first := w.kim.submit(run())
	next := w.kim.submit(run(after(rota.AfterOK, first)))
	last := w.kim.submit(run(after(rota.AfterAny, next)))
	got, err := w.viewer.Edges(w.viewer.ctx, rota.EdgeQuery{Of: []rota.JobID{first}, Max: 5})
	if err != nil {
		w.Fatal(err)
	}
	equal(w, "edges of the first", got, []rota.Edge{{Job: next, On: first, When: rota.AfterOK}})
	if got, err = w.viewer.Edges(w.viewer.ctx, rota.EdgeQuery{}); err != nil || len(got) != 2 || got[0].Job != last {
		w.Errorf("all edges: %+v, error %v", got, err)
	}
	if got, err = w.viewer.Edges(w.viewer.ctx, rota.EdgeQuery{Before: last}); err != nil || len(got) != 1 {
		w.Errorf("edges of older jobs: %+v, error %v", got, err)
	}
	_, err = w.viewer.Edges(w.viewer.ctx, rota.EdgeQuery{Max: -1})
	w.refused("a number below 0", err, rota.ErrInvalid)
	_, err = w.viewer.Edges(w.viewer.ctx, rota.EdgeQuery{Of: slices.Repeat([]rota.JobID{first}, rota.MaxEdgesOf+1)})
	w.refused("too many at once", err, rota.ErrTooLarge)
}
