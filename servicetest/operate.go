package servicetest

import (
	"time"

	"github.com/rotaqueue/rota"
)

var operateTests = []contract{
	{"hold and release", holdAndRelease},
	{"cancel before the start", cancelWaiting},
	{"P9 I10 cancel while it runs", cancelRunning},
	{"P9 kill after cancel is told too", killRunning},
	{"retry what was cancelled", retryCancelled},
	{"remove what has ended", removeEnded},
	{"a dry run changes nothing", dryRun},
	{"what is selected", selections},
	{"what cannot be meant is refused", wrongOperations},
	{"a submitter reaches only own jobs", ownJobsOnly},
	{"P18 an operation covers what was there", coversWhatWasThere},
	{"D12 P28 what a job runs is for its submitter to change", editOfAnothers},
	{"D12 a change is counted before it is known", editCounted},
}

func holdAndRelease(w *world) {
	id := w.kim.submit(run(array(1, 3, 0)))
	w.kim.eventuallyMade(id, 3)
	m := w.node("one")
	op := w.kim.operate(rota.ActHold, rota.Filter{Tasks: []rota.Span{{First: rota.Element(id, 2), Last: rota.Element(id, 2)}}})
	equal(w, "tasks held", op.Done, 1)
	for _, a := range m.claim(2) {
		if a.Task.Index() == 2 {
			w.Error("a held element was claimed")
		}
	}
	m.idle("the last one is held")
	w.kim.operate(rota.ActRelease, jobs(id))
	equal(w, "claimed after release", m.claimOne().Task, rota.Element(id, 2))
	// What waits for a time, or for another job, waits for it again.
	far := w.kim.submit(run(func(s *rota.Spec) { s.At = time.Now().Add(time.Hour) }))
	behind := w.kim.submit(run(after(rota.AfterOK, far)))
	for _, act := range []rota.Act{rota.ActHold, rota.ActRelease} {
		w.kim.operate(act, jobs(far, behind))
	}
	equal(w, "state of the timed job", w.kim.job(far).Progress.State(), rota.Scheduled)
	equal(w, "state of the blocked job", w.kim.job(behind).Progress.State(), rota.Blocked)
}

func cancelWaiting(w *world) {
	id := w.kim.submit(run())
	op, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActCancel, Filter: jobs(id), Reason: "not needed"})
	if err != nil || op.By != "kim" || op.Matched != 1 {
		w.Errorf("cancel: got %+v, error %v", op, err)
	}
	job := w.kim.inState(id, rota.Cancelled)
	if !job.Progress.Ended() || job.Ended.IsZero() {
		w.Errorf("a cancelled job has ended: %+v", job)
	}
	equal(w, "reason", w.kim.task(rota.PlainTask(id)).Reason, "not needed")
	w.node("one").idle("it was cancelled")
}

func cancelRunning(w *world) {
	id := w.kim.submit(run(retries(3)))
	m := w.node("one")
	a := m.claimOne()
	w.kim.operate(rota.ActCancel, jobs(id))
	task := w.kim.task(a.Task)
	equal(w, "state until it is dead", task.State, rota.Running)
	equal(w, "ending", task.Ending, rota.EndingCancel)
	equal(w, "told", m.told(), []rota.EndingTry{{Try: a.Try, How: rota.EndingCancel}})
	m.ends(rota.OutcomeSucceeded, a) // it was too late to stop it
	task = w.kim.task(a.Task)
	equal(w, "state at the end", task.State, rota.Cancelled)
	m.idle("it was cancelled")
}

// told waits until the node is told of endings.
func (m *machine) told() []rota.EndingTry {
	m.c.w.Helper()
	var told []rota.EndingTry
	m.c.w.eventually("the node is told", func() bool {
		news, err := m.c.Await(m.c.ctx, m.id, time.Second)
		if err != nil {
			m.c.w.Fatalf("await: %v", err)
		}
		told = append(told, news.Ending...)
		return len(told) > 0
	})
	return told
}

func killRunning(w *world) {
	id := w.kim.submit(run(retries(3)))
	m := w.node("one")
	a := m.claimOne()
	w.kim.operate(rota.ActCancel, jobs(id))
	m.told()
	w.kim.operate(rota.ActKill, jobs(id))
	equal(w, "told", m.told(), []rota.EndingTry{{Try: a.Try, How: rota.EndingKill}})
	m.ends(rota.OutcomeEnded, a)
	equal(w, "state at the end", w.kim.job(id).Progress.State(), rota.Cancelled)
}

func retryCancelled(w *world) {
	id := w.kim.submit(run())
	w.kim.operate(rota.ActCancel, jobs(id))
	w.kim.operate(rota.ActRetry, jobs(id))
	a := w.node("one").claimOne()
	equal(w, "attempt", a.Attempt, 1)
	equal(w, "limit", a.Limit >= 1, true)
}

func removeEnded(w *world) {
	ended, waiting := w.kim.submit(run()), w.kim.submit(run(held))
	m := w.node("one")
	m.runs(rota.OutcomeSucceeded, 1)
	w.kim.operate(rota.ActRemove, jobs(ended, waiting))
	_, err := w.kim.Job(w.kim.ctx, ended)
	w.refused("a removed job", err, rota.ErrNotFound)
	_, _, err = w.kim.Task(w.kim.ctx, rota.PlainTask(ended))
	w.refused("a removed job's task", err, rota.ErrNotFound)
	equal(w, "state of the other", w.kim.job(waiting).Progress.State(), rota.Held)
	_, err = w.kim.Submit(w.kim.ctx, rota.Submission{Spec: run(after(rota.AfterAny, ended))})
	w.refused("after a removed job", err, rota.ErrNotFound)
}

func dryRun(w *world) {
	id := w.kim.submit(run(array(1, 7, 0)))
	w.kim.eventuallyMade(id, 7)
	op, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActCancel, Filter: jobs(id), DryRun: true})
	if err != nil || op.Matched != 7 || op.Done != 0 {
		w.Errorf("dry run: got %+v, error %v; want 7 matched", op, err)
	}
	equal(w, "ready after the dry run", w.kim.job(id).Ready, 7)
}

func selections(w *world) {
	a := w.kim.submit(run(named("train-1"), labelled("team", "red")))
	b := w.kim.submit(run(named("train-2"), queued("gpu")))
	c := w.kim.submit(run(named("test"), held))
	count := func(what string, f rota.Filter, want int) {
		w.Helper()
		op, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActCancel, Filter: f, DryRun: true})
		if err != nil || op.Matched != want {
			w.Errorf("%s: matched %d, error %v; want %d", what, op.Matched, err, want)
		}
	}
	count("by name", rota.Filter{Name: "train-*"}, 2)
	count("by label", rota.Filter{Labels: map[string]string{"team": "red"}}, 1)
	count("by another label", rota.Filter{Labels: map[string]string{"team": "blue"}}, 0)
	count("by queue", rota.Filter{Queue: "gpu"}, 1)
	count("by state", rota.Filter{States: []rota.State{rota.Held}}, 1)
	count("by submitter", rota.Filter{Submitter: "kim"}, 3)
	count("by job", jobs(a, c), 2)
	count("by all of it", rota.Filter{Tasks: jobs(a, b).Tasks, Name: "train-*", Queue: "gpu"}, 1)
}

func wrongOperations(w *world) {
	w.kim.submit(run())
	for _, tt := range []struct {
		what string
		op   rota.Operation
	}{
		{"nothing selected", rota.Operation{Act: rota.ActCancel}},
		{"no act", rota.Operation{Filter: jobs(1)}},
		{"an act of the store's own", rota.Operation{Act: rota.ActStarve, Filter: jobs(1)}},
		{"a range that runs backwards", rota.Operation{Act: rota.ActHold, Filter: rota.Filter{Tasks: []rota.Span{{First: 9, Last: 3}}}}},
		{"a pattern that is none", rota.Operation{Act: rota.ActHold, Filter: rota.Filter{Name: "a["}}},
	} {
		for _, c := range []*client{w.kim, w.admin} {
			_, err := c.Operate(c.ctx, tt.op)
			w.refused(tt.what, err, rota.ErrInvalid)
		}
	}
	_, err := w.kim.Operation(w.kim.ctx, 4711)
	w.refused("an operation that is not there", err, rota.ErrNotFound)
}

func ownJobsOnly(w *world) {
	kims, lees := w.kim.submit(run(named("x"))), w.lee.submit(run(named("x")))
	op := w.kim.operate(rota.ActHold, rota.Filter{Name: "x"})
	equal(w, "tasks held by a submitter", op.Done, 1)
	equal(w, "own job", w.kim.job(kims).Progress.State(), rota.Held)
	equal(w, "another's job", w.kim.job(lees).Progress.State(), rota.Ready)
	_, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActHold, Filter: rota.Filter{Submitter: "lee"}})
	w.refused("another's jobs by name", err, rota.ErrDenied)
	op = w.operator.operate(rota.ActHold, rota.Filter{Name: "x"})
	equal(w, "tasks held by an operator", op.Done, 1)
}

func coversWhatWasThere(w *world) {
	const n = 7_000
	id := w.kim.submit(run(named("big"), array(1, n, 0)))
	w.kim.eventuallyMade(id, n)
	op, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActHold, Filter: rota.Filter{Name: "big"}})
	if err != nil {
		w.Fatal(err)
	}
	w.node("one").idle("an operation's effect on claiming is immediate")
	later := w.kim.submit(run(named("big")))
	w.eventually("the operation ends", func() bool {
		op, err = w.kim.Operation(w.kim.ctx, op.ID)
		return err != nil || op.Ended
	})
	if err != nil || op.Done != n {
		w.Errorf("operation: got %+v, error %v; want %d done", op, err, n)
	}
	equal(w, "held", w.kim.job(id).Held, n)
	equal(w, "state of a later job", w.kim.job(later).Progress.State(), rota.Ready)
}

func editOfAnothers(w *world) {
	id := w.kim.submit(run())
	spec := w.kim.job(id).Spec
	spec.Argv = []string{"env"}
	edit := func(c *client, e rota.Edit) error {
		_, err := c.Operate(c.ctx, rota.Operation{Act: rota.ActEdit, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(id)}}, Edit: &e})
		return err
	}
	w.refused("an operator changes what another's job runs", edit(w.operator, rota.Edit{Spec: &spec}), rota.ErrDenied)
	if err := edit(w.operator, rota.Edit{Raise: 3}); err != nil {
		w.Errorf("an operator raises another's job: %v", err)
	}
	spec.Caller = &rota.Caller{User: "root", Admin: true}
	if err := edit(w.kim, rota.Edit{Spec: &spec}); err != nil {
		w.Errorf("kim changes what kim's job runs: %v", err)
	}
	if c := w.kim.job(id).Spec.Caller; c != nil && (c.Admin || c.User == "root") {
		w.Errorf("the job says of itself that %+v brought it", c)
	}
	equal(w, "what it runs", w.kim.job(id).Spec.Argv, []string{"env"})
}

// editCounted: who is to be asked what is to be changed is told first of how many jobs; done, a change says what it is.
func editCounted(w *world) {
	id := w.kim.submit(run())
	op := rota.Operation{Act: rota.ActEdit, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(id)}}, DryRun: true}
	got, err := w.kim.Operate(w.kim.ctx, op)
	if err != nil {
		w.Fatal(err)
	}
	equal(w, "jobs", got.Matched, 1)
	op.DryRun = false
	_, err = w.kim.Operate(w.kim.ctx, op)
	w.refused("an edit without a change", err, rota.ErrInvalid)
}
