package servicetest

import (
	"github.com/rotaqueue/rota"
)

var arrayTests = []contract{
	{"every element runs once", everyElement},
	{"P16 at most so many at once", limitedArray},
	{"P16 a place that is freed by any end is filled", limitedEnds},
	{"P18 a large array", largeArray},
	{"one failed element fails the job", oneElementFails},
}

func everyElement(w *world) {
	id := w.kim.submit(run(func(s *rota.Spec) {
		s.Array = &rota.Array{Ranges: []rota.Range{{First: 0, Last: 6, Step: 3}, {First: 10, Last: 11}}}
	}))
	job := w.kim.job(id)
	equal(w, "tasks", job.Tasks, 5)
	m := w.node("one")
	var got []int
	as := m.claim(5)
	for _, a := range as {
		if a.Task.Job() != id || !a.Task.IsElement() {
			w.Errorf("claimed %v, which is no element of %v", a.Task, id)
		}
		got = append(got, a.Task.Index())
	}
	equal(w, "indexes in order", got, []int{0, 3, 6, 10, 11})
	m.ends(rota.OutcomeSucceeded, as...)
	m.idle("all elements have run")
	equal(w, "succeeded", w.kim.job(id).Succeeded, 5)
}

func limitedArray(w *world) {
	id := w.kim.submit(run(array(1, 5, 2)))
	m := w.node("one")
	running := m.claim(2)
	w.kim.eventuallyMade(id, 5)
	for left := 3; left > 0; left-- {
		m.idle("two of the array run")
		job := w.kim.job(id)
		equal(w, "running", job.Running, 2)
		equal(w, "ready behind the gate", job.Ready, left)
		got := m.exchange(10, finish(running[0].Try, rota.OutcomeSucceeded))
		if len(got.Claimed) != 1 {
			w.Fatalf("a place came free: claimed %d tasks, want 1", len(got.Claimed))
		}
		running = append(running[1:], got.Claimed[0])
	}
	m.ends(rota.OutcomeSucceeded, running...)
	equal(w, "state", w.kim.job(id).Progress.State(), rota.Succeeded)
}

// eventuallyMade waits until all tasks of a job have been made.
func (c *client) eventuallyMade(id rota.JobID, n int) {
	c.w.Helper()
	c.w.eventually("all tasks are made", func() bool { return c.job(id).Made == n })
}

func limitedEnds(w *world) {
	id := w.kim.submit(run(array(1, 8, 1), retries(0)))
	w.kim.eventuallyMade(id, 8)
	m := w.node("one")
	for _, o := range []rota.Outcome{rota.OutcomeFailed, rota.OutcomeRefused, rota.OutcomeReturned, rota.OutcomeTimedOut, rota.OutcomeSucceeded} {
		m.ends(o, m.claimOne())
	}
	m.claimOne()
	// The place of one that is cancelled before it runs is no place at all.
	w.kim.operate(rota.ActCancel, rota.Filter{Tasks: []rota.Span{{First: rota.Element(id, 7), Last: rota.Element(id, 8)}}})
	m.idle("one of the array runs")
}

func largeArray(w *world) {
	const n = 7_000
	id := w.kim.submit(run(array(1, n, 0)))
	job := w.kim.job(id)
	equal(w, "tasks", job.Tasks, n)
	equal(w, "tasks that have not ended", job.Left(), n)
	m := w.node("one")
	m.ends(rota.OutcomeSucceeded, m.claimOne()) // while the rest is being made
	w.kim.eventuallyMade(id, n)
	w.kim.operate(rota.ActCancel, jobs(id))
	job = w.kim.job(id)
	equal(w, "succeeded", job.Succeeded, 1)
	equal(w, "cancelled", job.Cancelled, n-1)
}

func oneElementFails(w *world) {
	id := w.kim.submit(run(array(1, 3, 0), retries(0)))
	m := w.node("one")
	as := m.claim(3)
	m.ends(rota.OutcomeSucceeded, as[0], as[2])
	m.ends(rota.OutcomeFailed, as[1])
	job := w.kim.job(id)
	equal(w, "state", job.Progress.State(), rota.Failed)
	if !job.Progress.Ended() || job.Succeeded != 2 || job.Failed != 1 {
		w.Errorf("progress: %+v", job.Progress)
	}
}
