package storetest

import (
	"testing"

	"github.com/rotaqueue/rota"
)

func testRemove(s suite) {
	s.test("P18_only_jobs_that_have_ended_are_removed", removeEnded)
	s.test("P18_everything_of_a_removed_job_goes", removeAll)
	s.test("P18_a_large_job_is_removed_in_steps", removeLarge)
}

func removeEnded(t *testing.T, w *world) {
	s := w.session(t)
	var gone, stay []rota.TaskID
	for _, state := range rota.States {
		id := w.inState(t, s, state)
		if state.Ended() {
			gone = append(gone, id)
		} else {
			stay = append(stay, id)
		}
	}
	half := w.submit(t, job(array("1-2"), queue("half")))[0]
	s.finish(t, end(s.claim(t, 1, "half")[0].Try, rota.OutcomeSucceeded))
	op := w.operate(t, rota.ActRemove, rota.Filter{})
	if op.Matched != len(gone) || op.Done != len(gone) {
		t.Errorf("matched %d, done %d, want %d", op.Matched, op.Done, len(gone))
	}
	for _, id := range gone {
		_, err := w.Job(w.ctx, id.Job())
		wantIs(t, "a removed job", err, rota.ErrNotFound)
		_, _, err = w.Task(w.ctx, id)
		wantIs(t, "a removed task", err, rota.ErrNotFound)
	}
	for _, id := range stay {
		w.task(t, id)
	}
	if tasks := w.all(t, whole(half)); len(tasks) != 2 {
		t.Errorf("%d of 2 tasks are left of a job that has not ended", len(tasks))
	}
	w.verify(t)
}

func removeAll(t *testing.T, w *world) {
	s := w.session(t)
	id := w.submit(t, job(retries(1), func(j *rota.NewJob) { j.Input = []byte("input") }))[0]
	task := rota.PlainTask(id)
	for range 2 {
		f := end(s.claimOne(t, task), rota.OutcomeFailed)
		f.Output = []rota.Chunk{{Stream: rota.Stdout, Total: 1, Data: []byte("x")}}
		s.finish(t, f)
		w.settle(t)
	}
	next := w.one(t, after(rota.AfterFail, id))
	w.settle(t)
	w.operate(t, rota.ActRemove, whole(id))
	_, err := w.Output(w.ctx, rota.OutputQuery{Task: task, Stream: rota.Stdout})
	wantIs(t, "output of a removed job", err, rota.ErrNotFound)
	_, _, err = w.Input(w.ctx, id, 0, 10)
	wantIs(t, "input of a removed job", err, rota.ErrNotFound)
	if got := w.jobs(t, rota.JobQuery{}); len(got) != 1 || got[0] != next.Job() {
		t.Errorf("jobs %v", got)
	}
	w.wantState(t, next, rota.Ready)
	r := w.submitResult(t, job(after(rota.AfterAny, id)))
	wantIs(t, "after a removed job", r.Err, rota.ErrNotFound)
	w.verify(t)
}

func removeLarge(t *testing.T, w *world) {
	id := w.submit(t, job(array("1-12000")))[0]
	w.operate(t, rota.ActCancel, whole(id))
	op := w.operate(t, rota.ActRemove, rota.Filter{States: []rota.State{rota.Cancelled}})
	if op.Matched != 1 || op.Done != 1 {
		t.Errorf("remove counts jobs: matched %d, done %d", op.Matched, op.Done)
	}
	if tasks := w.all(t, rota.Filter{}); len(tasks) != 0 {
		t.Errorf("%d tasks are left", len(tasks))
	}
	w.prune(t, rota.Retention{}) // what is no longer shown may go in steps
	w.verify(t)
}
