package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testEdit(s suite) {
	s.test("D12_a_moved_job_stands_in_the_other_queue_in_every_state", editMoves)
	s.test("D12_priorities_and_executors_change_for_what_waits", editChanges)
	s.test("D12_what_cannot_be_is_refused_job_by_job", editRefuses)
	s.test("D12_dependencies_change_and_cycles_are_named", editCycles)
	s.test("P18_D12_a_large_array_is_moved_in_steps", editMany)
}

// edit changes jobs and lets the operation come to its end.
func (w *world) edit(t tb, e rota.Edit, f rota.Filter) rota.Operation {
	t.Helper()
	op, err := w.Operate(w.ctx, rota.Operation{Act: rota.ActEdit, Filter: f, Edit: &e, By: "ann"})
	if err != nil {
		t.Fatalf("edit: %v", err)
	}
	if op.Ended {
		return op
	}
	w.sweepAll(t, rota.SweepOperate)
	if op, err = w.Operation(w.ctx, op.ID); err != nil || !op.Ended {
		t.Fatalf("the edit has not ended: %+v, %v", op, err)
	}
	return op
}

func editMoves(t *testing.T, w *world) {
	s := w.session(t)
	for _, from := range rota.States {
		id := w.inState(t, s, from)
		was := w.task(t, id)
		n := 1
		if from.Ended() {
			n = 0
		}
		dry, err := w.Operate(w.ctx, rota.Operation{Act: rota.ActEdit, Filter: whole(id.Job()), Edit: &rota.Edit{Queue: ptr("to")}, DryRun: true})
		if err != nil || dry.Matched != n {
			t.Errorf("%v: would be moved: %d, %v", from, dry.Matched, err)
		}
		op := w.edit(t, rota.Edit{Queue: ptr("to")}, whole(id.Job()))
		if op.Done != n || op.Matched != n || op.Refused != 0 {
			t.Errorf("%v: moved %d of %d, refused %d", from, op.Done, op.Matched, op.Refused)
		}
		x, j := w.task(t, id), w.job(t, id.Job())
		want := map[bool]string{true: "to", false: was.Queue}[from < rota.Running]
		if x.State != from || x.Queue != want || (j.Queue == "to") != (n == 1) || (j.Spec.Queue == "to") != (n == 1) {
			t.Errorf("a task that was %v in %s is %v in %s; its job is in %s", from, was.Queue, x.State, x.Queue, j.Queue)
		}
		w.verify(t)
		if from != rota.Running {
			continue
		}
		// What runs stays where it is, and comes after the job when it is to be tried again.
		s.finish(t, end(rota.Try{Task: id, Attempt: x.Number}, rota.OutcomeReturned))
		if x = w.task(t, id); x.Queue != "to" || x.State != rota.Ready {
			t.Errorf("given back, it is %v in %s", x.State, x.Queue)
		}
		for _, a := range s.claim(t, 9, "to") {
			if a.Queue != "to" || a.Spec.Queue != "to" {
				t.Errorf("claimed in %s, of %s", a.Queue, a.Spec.Queue)
			}
			s.finish(t, end(a.Try, rota.OutcomeSucceeded))
		}
		w.verify(t)
	}
	w.reopen(t)
	w.verify(t)
}

func editChanges(t *testing.T, w *world) {
	s := w.session(t)
	first, second := w.one(t, queue("q")), w.one(t, queue("q"))
	w.edit(t, rota.Edit{Raise: 5}, whole(second.Job()))
	if got := s.claim(t, 1, "q"); len(got) != 1 || got[0].Task != second || got[0].Spec.Priority != 5 {
		t.Errorf("claimed first: %s", text(got))
	}
	s.returnAll(t)
	w.edit(t, rota.Edit{Priority: ptr(7)}, whole(first.Job()))
	w.edit(t, rota.Edit{Raise: -6}, whole(second.Job()))
	w.edit(t, rota.Edit{Executor: ptr(rota.ExecutorShell)}, rota.Filter{Queue: "q"})
	got := s.claim(t, 2, "q")
	if len(got) != 2 || got[0].Task != first || got[1].Spec.Priority != -1 || got[0].Spec.Executor != rota.ExecutorShell {
		t.Errorf("claimed then: %s", text(got))
	}
	s.returnAll(t)
	// A whole spec, of one job.
	first = w.one(t, queue("q"))
	spec := w.job(t, first.Job()).Spec
	spec.Name, spec.Retry, spec.At = "other", &rota.Retry{Count: ptr(9)}, w.clock.Now().Add(time.Hour)
	w.edit(t, rota.Edit{Spec: &spec}, whole(first.Job()))
	x := w.wantState(t, first, rota.Scheduled)
	if x.Name != "other" || x.Limit-x.Number+x.Returns < 9 {
		t.Errorf("edited to %s", text(x))
	}
	w.verify(t)
}

func editRefuses(t *testing.T, w *world) {
	w.change(t, "small", rota.AllowanceChange{Max: rota.LimitsChange{Memory: ptr[int64](gib)}})
	fits, big := w.one(t, queue("q")), w.one(t, queue("q"), memory(2*gib))
	op := w.edit(t, rota.Edit{Queue: ptr("small")}, rota.Filter{Queue: "q"})
	if op.Done != 1 || op.Refused != 1 || !strings.Contains(op.Why, big.Job().String()) || !strings.Contains(op.Why, "2GiB") {
		t.Errorf("edited %+v", op)
	}
	if a, b := w.task(t, fits), w.task(t, big); a.Queue != "small" || b.Queue != "q" {
		t.Errorf("one is in %s, the other in %s", a.Queue, b.Queue)
	}
	script := job(queue("q"))
	script.Spec.Executor, script.Spec.Argv, script.Spec.Script = rota.ExecutorScript, nil, "#!/bin/sh\n"
	id := w.submit(t, script)[0]
	if op := w.edit(t, rota.Edit{Executor: ptr(rota.ExecutorExec)}, whole(id)); op.Refused != 1 {
		t.Errorf("a script for exec: %+v", op)
	}
	many := w.submit(t, job(array("1-3")))[0]
	_, err := w.Operate(w.ctx, rota.Operation{Act: rota.ActEdit, Filter: only(rota.Element(many, 2)), Edit: &rota.Edit{Raise: 1}})
	wantIs(t, "one task of an array", err, rota.ErrInvalid)
	w.verify(t)
}

func editCycles(t *testing.T, w *world) {
	a := w.one(t, held).Job()
	b := w.submit(t, job(after(rota.AfterOK, a)))[0]
	c := w.submit(t, job(after(rota.AfterOK, b)))[0]
	after := func(id, on rota.JobID) rota.Operation {
		spec := w.job(t, id).Spec
		spec.After = []rota.Dependency{{Job: on, When: rota.AfterOK}}
		return w.edit(t, rota.Edit{Spec: &spec}, whole(id))
	}
	op := after(a, c)
	if want := a.String() + " waits for " + c.String() + " waits for " + b.String() + " waits for " + a.String(); op.Refused != 1 || !strings.Contains(op.Why, want) {
		t.Errorf("a cycle: %+v, want %q", op, want)
	}
	if op := after(a, a); op.Refused != 1 {
		t.Errorf("a job after itself: %+v", op)
	}
	// What is no cycle goes, and takes effect at once, both ways.
	free := w.one(t)
	if op := after(free.Job(), a); op.Done != 1 {
		t.Errorf("after another: %+v", op)
	}
	w.wantState(t, free, rota.Blocked)
	spec := w.job(t, free.Job()).Spec
	spec.After = []rota.Dependency{}
	w.edit(t, rota.Edit{Spec: &spec}, whole(free.Job()))
	w.wantState(t, free, rota.Ready)
	w.verify(t)
	w.operate(t, rota.ActCancel, whole(a))
	w.settle(t)
	w.wantState(t, rota.PlainTask(c), rota.Cancelled)
	w.verify(t)
}

func editMany(t *testing.T, w *world) {
	id := w.submit(t, job(queue("q"), array("1-3000"), limit(7)))[0]
	half := w.submitOnly(t, job(queue("q"), array("1-3000")))[0]
	w.sweep(t, rota.Sweep{What: rota.SweepMake})
	s := w.session(t)
	running := s.claim(t, 5, "q")
	op := w.edit(t, rota.Edit{Queue: ptr("to"), Raise: 3}, rota.Filter{Queue: "q"})
	if op.Done != 2 || op.Refused != 0 {
		t.Errorf("moved %+v", op)
	}
	w.verify(t)
	w.settle(t)
	for _, j := range []rota.JobID{id, half} {
		for _, x := range w.all(t, rota.Filter{Tasks: []rota.Span{rota.SpanOf(j)}}) {
			if want := map[bool]string{true: "q", false: "to"}[x.State == rota.Running]; x.Queue != want {
				t.Fatalf("task %v, %v, is in %s", x.ID, x.State, x.Queue)
			}
		}
	}
	w.verify(t)
	for _, a := range running {
		s.finish(t, end(a.Try, rota.OutcomeSucceeded))
	}
	if got := s.claim(t, 10, "to"); len(got) < 7 || got[0].Spec.Priority != 3 {
		t.Errorf("claimed %d", len(got))
	}
	w.verify(t)
}
