package servicetest

import (
	"time"

	"github.com/rotaqueue/rota"
)

var attemptTests = []contract{
	{"D14 P7 a failure is tried again, up to the limit", failures},
	{"P7 what can never run is not tried again", refusedOutcome},
	{"P7 a give-back costs nothing of the budget", givenBack},
	{"P7 give-backs have an end", givenBackTooOften},
	{"P7 I5 a retry by hand raises the limit and keeps the number growing", retryByHand},
	{"a retry that waits is made at once by hand", retryNow},
	{"earlier attempts are remembered", earlierAttempts},
	{"what was written is counted, and unknown is not nothing", writtenBytes},
}

func failures(w *world) {
	id := w.kim.submit(run(retries(2)))
	m := w.node("one")
	for n := 1; n <= 3; n++ {
		a := m.claimOne()
		equal(w, "attempt", a.Attempt, n)
		equal(w, "limit", a.Limit, 3)
		equal(w, "earlier failures", a.Failures, n-1)
		m.ends(rota.OutcomeFailed, a)
	}
	task := w.kim.task(rota.PlainTask(id))
	equal(w, "state after the last", task.State, rota.Failed)
	equal(w, "reason", task.Reason, "it ended with 3")
	m.idle("its attempts are used up")
}

func refusedOutcome(w *world) {
	id := w.kim.submit(run(retries(5)))
	m := w.node("one")
	m.ends(rota.OutcomeRefused, m.claimOne())
	equal(w, "state", w.kim.job(id).Progress.State(), rota.Failed)
}

func givenBack(w *world) {
	id := w.kim.submit(run(retries(0)))
	m := w.node("one")
	for n := 1; n <= 3; n++ {
		a := m.claimOne()
		equal(w, "attempt", a.Attempt, n)
		m.ends(rota.OutcomeReturned, a)
	}
	m.ends(rota.OutcomeFailed, m.claimOne())
	task := w.kim.task(rota.PlainTask(id))
	equal(w, "state", task.State, rota.Failed)
	equal(w, "give-backs", task.Returns, 3)
	if task.Attempt.Number != 4 || task.Limit < 4 {
		w.Errorf("attempt %d of %d, want the fourth", task.Attempt.Number, task.Limit)
	}
}

func givenBackTooOften(w *world) {
	id := w.kim.submit(run())
	m := w.node("one")
	m.runs(rota.OutcomeReturned, rota.MaxReturns)
	m.idle("it was given back too often")
	task := w.kim.task(rota.PlainTask(id))
	equal(w, "state", task.State, rota.Held)
	if task.Reason == "" {
		w.Error("held without a reason")
	}
}

func retryByHand(w *world) {
	id := w.kim.submit(run(retries(0)))
	m := w.node("one")
	m.runs(rota.OutcomeFailed, 1)
	op := w.kim.operate(rota.ActRetry, jobs(id))
	equal(w, "tasks retried", op.Done, 1)
	if job := w.kim.job(id); job.Progress.Ended() || !job.Ended.IsZero() {
		w.Errorf("a job that is tried again has not ended: %+v", job)
	}
	a := m.claimOne()
	if a.Attempt != 2 || a.Limit < 2 {
		w.Errorf("got attempt %d of %d, want the second", a.Attempt, a.Limit)
	}
	m.ends(rota.OutcomeSucceeded, a)
	equal(w, "state", w.kim.job(id).Progress.State(), rota.Succeeded)
}

func retryNow(w *world) {
	id := w.kim.submit(run(retries(1)))
	m := w.node("one")
	f := finish(m.claimOne().Try, rota.OutcomeFailed)
	f.RetryIn = rota.Duration(time.Hour)
	m.exchange(0, f)
	task := w.kim.task(rota.PlainTask(id))
	if task.State != rota.Scheduled || time.Until(task.RunAt) < time.Minute {
		w.Errorf("after a failure: %v, at %v; want it scheduled in an hour", task.State, task.RunAt)
	}
	m.idle("the retry waits")
	w.kim.operate(rota.ActRetry, jobs(id))
	equal(w, "attempt", m.claimOne().Attempt, 2)
}

func earlierAttempts(w *world) {
	id := w.kim.submit(run(retries(3)))
	m := w.node("one")
	m.runs(rota.OutcomeFailed, 1)
	m.runs(rota.OutcomeTimedOut, 1)
	m.runs(rota.OutcomeSucceeded, 1)
	task, earlier, err := w.kim.Task(w.kim.ctx, rota.PlainTask(id))
	if err != nil {
		w.Fatal(err)
	}
	if len(earlier) != 2 || earlier[0].Number != 1 || earlier[0].Outcome != rota.OutcomeFailed ||
		earlier[1].Number != 2 || earlier[1].Outcome != rota.OutcomeTimedOut {
		w.Errorf("earlier attempts: got %+v", earlier)
	}
	if task.Attempt.Number != 3 || task.Attempt.Outcome != rota.OutcomeSucceeded {
		w.Errorf("latest attempt: got %+v", task.Attempt)
	}
}

func writtenBytes(w *world) {
	id := w.kim.submit(run(retries(3)))
	m := w.node("one")
	a := m.claimOne()
	equal(w, "written while it runs", w.kim.task(rota.PlainTask(id)).Written, rota.Written{})
	m.ends(rota.OutcomeFailed, a)
	m.runs(rota.OutcomeReturned, 1)
	m.runs(rota.OutcomeSucceeded, 1)
	task, earlier, err := w.kim.Task(w.kim.ctx, rota.PlainTask(id))
	if err != nil || len(earlier) != 2 {
		w.Fatalf("%+v, %v", earlier, err)
	}
	first, third := int64(1), int64(3)
	equal(w, "written by the first", earlier[0].Written, rota.Written{Stdout: &first, Stderr: new(int64)})
	equal(w, "written by one that never started", earlier[1].Written, rota.Written{})
	equal(w, "written by the latest", task.Written, rota.Written{Stdout: &third, Stderr: new(int64)})
}
