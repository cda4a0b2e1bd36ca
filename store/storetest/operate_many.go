package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testOperateMany(s suite) {
	s.test("P18_a_large_cancel_is_felt_at_once_and_done_in_steps", manyCancel)
	s.test("P18_a_large_hold_is_felt_at_once_and_released_again", manyHold)
	s.test("P18_a_large_retry", manyRetry)
	s.test("P18_an_array_that_is_still_to_be_made_is_cancelled_whole", manyUnmade)
	s.test("P18_what_is_submitted_afterwards_is_not_touched", manyLater)
}

// many is how many tasks a large operation has: more than any one transaction may move.
func many() int {
	if Soak {
		return 4 * maxStep
	}
	return maxStep + 1_000
}

func manyTasks() func(*rota.NewJob) { return array(fmt.Sprint("1-", many())) }

// begin gives a large operation, which is not to be done at once.
func (w *world) begin(t tb, act rota.Act, f rota.Filter) rota.Operation {
	t.Helper()
	op, err := w.Operate(w.ctx, rota.Operation{Act: act, Filter: f, By: "ann"})
	if err != nil {
		t.Fatalf("operate %s: %v", act, err)
	}
	if op.Ended || op.Done > maxStep {
		t.Errorf("P18: %s of %d tasks did %d in one transaction, and %d is the most", act, many(), op.Done, maxStep)
	}
	return op
}

func manyCancel(t *testing.T, w *world) {
	id := w.submit(t, job(manyTasks()))[0]
	s := w.session(t)
	running := s.claim(t, 5)
	op := w.begin(t, rota.ActCancel, whole(id))
	if got := s.claim(t, 100); len(got) != 0 {
		t.Errorf("claimed %d tasks of what is being cancelled", len(got))
	}
	if n := len(s.endings(t)); n != 5 {
		w.settle(t) // running ones may be asked in a later step
		if n = len(s.endings(t)); n != 5 {
			t.Errorf("%d of 5 running tasks are asked to end", n)
		}
	}
	for done, step := op.Done, 0; !op.Ended; step++ {
		w.reopen(t)
		if got := s.claim(t, 1); len(got) != 0 {
			t.Fatalf("claimed %v while it is being cancelled", ids(got))
		}
		w.sweep(t, rota.Sweep{What: rota.SweepOperate})
		var err error
		if op, err = w.Operation(w.ctx, op.ID); err != nil || op.Done < done || step > 100 {
			t.Fatalf("step %d: %+v, %v", step, op, err)
		}
		done = op.Done
	}
	if op.Matched != many() || op.Done != many() {
		t.Errorf("matched %d, done %d", op.Matched, op.Done)
	}
	if p := w.job(t, id).Progress; p.Cancelled != many()-5 || p.Running != 5 {
		t.Errorf("%+v", p)
	}
	s.finish(t, ends(running, rota.OutcomeEnded)...)
	if j := w.job(t, id); !j.Progress.Ended() || j.Ended.IsZero() {
		t.Errorf("ended %v, %+v", j.Ended, j.Progress)
	}
	w.verify(t)
}

func manyHold(t *testing.T, w *world) {
	id := w.submit(t, job(manyTasks()))[0]
	s := w.session(t)
	w.begin(t, rota.ActHold, rota.Filter{Queue: rota.DefaultQueue})
	if got := s.claim(t, 100); len(got) != 0 {
		t.Errorf("claimed %d tasks of what is being held", len(got))
	}
	if _, err := w.Operate(w.ctx, rota.Operation{Act: rota.ActRelease, Filter: whole(id)}); err != nil {
		t.Fatal(err)
	}
	w.settle(t)
	if p := w.job(t, id).Progress; p.Ready != many() {
		t.Errorf("held, then released: %+v", p)
	}
	if got := s.claim(t, 3); len(got) != 3 || got[0].Task != rota.Element(id, 1) {
		t.Errorf("claimed %v", ids(got))
	}
	w.verify(t)
}

func manyRetry(t *testing.T, w *world) {
	id := w.submit(t, job(manyTasks(), limit(2)))[0]
	w.operate(t, rota.ActCancel, whole(id))
	op := w.begin(t, rota.ActRetry, rota.Filter{States: []rota.State{rota.Cancelled}})
	if j := w.job(t, id); !j.Ended.IsZero() {
		t.Errorf("being retried, ended %v", j.Ended)
	}
	w.reopen(t)
	w.settle(t)
	op, err := w.Operation(w.ctx, op.ID)
	if err != nil || !op.Ended || op.Done != many() || op.Matched != many() {
		t.Errorf("%+v, %v", op, err)
	}
	w.wantGate(t, id, 2)
	if got := w.session(t).claim(t, 9); len(got) != 2 {
		t.Errorf("claimed %v", ids(got))
	}
	w.verify(t)
}

func manyUnmade(t *testing.T, w *world) {
	s := w.session(t)
	for _, steps := range []int{0, 1} {
		id := w.submitOnly(t, job(manyTasks()))[0]
		for range steps {
			w.sweep(t, rota.Sweep{What: rota.SweepMake})
		}
		if _, err := w.Operate(w.ctx, rota.Operation{Act: rota.ActCancel, Filter: whole(id)}); err != nil {
			t.Fatal(err)
		}
		for more := true; more; {
			if got := s.claim(t, 9); len(got) != 0 {
				t.Fatalf("made after the cancel, and claimed: %v", ids(got))
			}
			more = w.sweep(t, rota.Sweep{What: rota.SweepMake}).More
		}
		w.settle(t)
		if j := w.job(t, id); j.Cancelled != many() || !j.Progress.Ended() || j.Ended.IsZero() {
			t.Errorf("after %d steps: ended %v, %+v", steps, j.Ended, j.Progress)
		}
	}
	w.verify(t)
}

func manyLater(t *testing.T, w *world) {
	_, last := rota.JobID(1_000_000).Tasks()
	for _, f := range []rota.Filter{{Queue: rota.DefaultQueue}, {Tasks: []rota.Span{{First: rota.PlainTask(1), Last: last}}}} {
		id := w.submit(t, job(manyTasks()))[0]
		w.begin(t, rota.ActCancel, f)
		later := w.one(t)
		s := w.session(t)
		got := s.claim(t, 2) // it may still stand behind those that are being cancelled, but they are not claimed
		if len(got) > 0 && got[0].Task != later {
			t.Errorf("claimed %v", ids(got))
		}
		soon := w.one(t, at(w.clock.Now().Add(time.Hour)))
		w.settle(t)
		if len(got) == 0 {
			s.claimOne(t, later)
		}
		if p := w.job(t, id).Progress; p.Cancelled != many() {
			t.Errorf("%+v", p)
		}
		if task := w.wantState(t, later, rota.Running); task.Ending != "" {
			t.Errorf("a later task is asked to end: %+v", task)
		}
		w.wantState(t, soon, rota.Scheduled)
		w.operate(t, rota.ActCancel, only(later, soon))
		s.finish(t, end(rota.Try{Task: later, Attempt: 1}, rota.OutcomeEnded))
	}
	w.verify(t)
}
