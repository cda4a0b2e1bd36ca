package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// wantStates compares the states of a job's elements.
func (w *world) wantStates(t *testing.T, id rota.JobID, want map[int]rota.State) {
	t.Helper()
	for _, task := range w.all(t, whole(id)) {
		if is, ok := want[task.ID.Index()]; ok && task.State != is {
			t.Errorf("element %v is %v, want %v: %s", task.ID, task.State, is, task.Reason)
		}
	}
}

// endElement ends an element that is held.
func (s *session) endElement(t *testing.T, held map[rota.TaskID]rota.Try, id rota.TaskID, o rota.Outcome) {
	t.Helper()
	s.finish(t, end(held[id], o))
	delete(held, id)
}

// running claims all that is ready in a queue.
func (s *session) running(t *testing.T, queue string) map[rota.TaskID]rota.Try {
	t.Helper()
	held := map[rota.TaskID]rota.Try{}
	for _, a := range s.claim(t, 100, queue) {
		held[a.Task] = a.Try
	}
	return held
}

func dependentsEach(t *testing.T, w *world) {
	s := w.session(t)
	first := w.submit(t, job(array("1-5"), queue("first")))[0]
	next := w.submit(t, job(array("2-4"), after(rota.AfterEach, first), queue("next")))[0]
	last := w.submit(t, job(array("4"), after(rota.AfterEach, next), queue("last")))[0]
	whole := w.one(t, after(rota.AfterOK, next))
	held := s.running(t, "first")
	w.wantStates(t, next, map[int]rota.State{2: rota.Blocked, 3: rota.Blocked, 4: rota.Blocked})
	s.endElement(t, held, rota.Element(first, 5), rota.OutcomeSucceeded)
	s.endElement(t, held, rota.Element(first, 3), rota.OutcomeSucceeded)
	w.wantStates(t, next, map[int]rota.State{2: rota.Blocked, 3: rota.Ready, 4: rota.Blocked})
	s.endElement(t, held, rota.Element(first, 4), rota.OutcomeSucceeded)
	w.wantStates(t, next, map[int]rota.State{2: rota.Blocked, 3: rota.Ready, 4: rota.Ready})
	w.wantStates(t, last, map[int]rota.State{4: rota.Blocked})
	w.verify(t)
	s.endElement(t, held, rota.Element(first, 1), rota.OutcomeSucceeded)
	s.endElement(t, held, rota.Element(first, 2), rota.OutcomeSucceeded)
	held = s.running(t, "next")
	if len(held) != 3 {
		t.Fatalf("runs %v, want all three", held)
	}
	for id := range held {
		s.endElement(t, held, id, rota.OutcomeSucceeded)
	}
	w.settle(t)
	w.wantStates(t, last, map[int]rota.State{4: rota.Ready})
	w.wantState(t, whole, rota.Ready)
	w.verify(t)
}

func dependentsEachFails(t *testing.T, w *world) {
	s := w.session(t)
	first := w.submit(t, job(array("1-4"), queue("first"), retries(0)))[0]
	next := w.submit(t, job(array("1-4"), after(rota.AfterEach, first), queue("next")))[0]
	last := w.submit(t, job(array("1-4"), after(rota.AfterEach, next), queue("last")))[0]
	held := s.running(t, "first")
	s.endElement(t, held, rota.Element(first, 1), rota.OutcomeFailed)
	s.endElement(t, held, rota.Element(first, 2), rota.OutcomeSucceeded)
	w.operate(t, rota.ActCancel, only(rota.Element(first, 3)))
	s.endElement(t, held, rota.Element(first, 3), rota.OutcomeEnded)
	w.settle(t)
	w.wantStates(t, next, map[int]rota.State{1: rota.Cancelled, 2: rota.Ready, 3: rota.Cancelled, 4: rota.Blocked})
	w.wantStates(t, last, map[int]rota.State{1: rota.Cancelled, 2: rota.Blocked, 3: rota.Cancelled, 4: rota.Blocked})
	if task := w.task(t, rota.Element(next, 1)); task.Reason == "" {
		t.Error("cancelled without a reason")
	}
	if got := s.running(t, "next"); len(got) != 1 || got[rota.Element(next, 2)].Task == 0 {
		t.Errorf("runs %v, want the second alone", got)
	}
	// What was tried again by hand, and succeeds, does not bring back what was cancelled; that is tried again by hand, too.
	w.operate(t, rota.ActRetry, only(rota.Element(first, 1)))
	for id := range s.running(t, "first") {
		w.operate(t, rota.ActCancel, only(id))
	}
	w.operate(t, rota.ActRetry, only(rota.Element(next, 1)))
	w.wantStates(t, next, map[int]rota.State{1: rota.Ready, 3: rota.Cancelled})
	w.verify(t)
}

func dependentsEachOfSeveral(t *testing.T, w *world) {
	s := w.session(t)
	a, b := w.submit(t, job(array("1-3"), queue("a")))[0], w.submit(t, job(array("1-3"), queue("b")))[0]
	c := w.one(t, queue("c"))
	next := w.submit(t, job(array("1-3"), after(rota.AfterEach, a, b), after(rota.AfterOK, c.Job()), queue("next")))[0]
	of, too := s.running(t, "a"), s.running(t, "b")
	s.endElement(t, of, rota.Element(a, 1), rota.OutcomeSucceeded)
	s.endElement(t, of, rota.Element(a, 2), rota.OutcomeSucceeded)
	s.endElement(t, too, rota.Element(b, 1), rota.OutcomeSucceeded)
	w.wantStates(t, next, map[int]rota.State{1: rota.Blocked, 2: rota.Blocked, 3: rota.Blocked})
	s.finish(t, end(s.claim(t, 1, "c")[0].Try, rota.OutcomeSucceeded))
	w.settle(t)
	w.wantStates(t, next, map[int]rota.State{1: rota.Ready, 2: rota.Blocked, 3: rota.Blocked})
	s.endElement(t, of, rota.Element(a, 3), rota.OutcomeSucceeded)
	s.endElement(t, too, rota.Element(b, 3), rota.OutcomeSucceeded)
	w.wantStates(t, next, map[int]rota.State{1: rota.Ready, 2: rota.Blocked, 3: rota.Ready})
	s.endElement(t, too, rota.Element(b, 2), rota.OutcomeSucceeded)
	w.wantStates(t, next, map[int]rota.State{1: rota.Ready, 2: rota.Ready, 3: rota.Ready})
	w.verify(t)
}

func dependentsEachMadeLate(t *testing.T, w *world) {
	s := w.session(t)
	const n = 6000
	first := w.submit(t, job(array("1-6000"), queue("first"), retries(0)))[0]
	held := s.running(t, "first")
	s.endElement(t, held, rota.Element(first, 1), rota.OutcomeSucceeded)
	s.endElement(t, held, rota.Element(first, 2), rota.OutcomeFailed)
	next := w.submitOnly(t, job(array("1-6000"), after(rota.AfterEach, first), queue("next")))[0]
	s.endElement(t, held, rota.Element(first, 3), rota.OutcomeSucceeded)
	w.operate(t, rota.ActCancel, rota.Filter{Tasks: []rota.Span{{First: rota.Element(first, 5000), Last: rota.Element(first, n)}}})
	w.settle(t)
	w.sweepAll(t, rota.SweepMake)
	w.settle(t)
	w.wantStates(t, next, map[int]rota.State{1: rota.Ready, 2: rota.Cancelled, 3: rota.Ready, 4: rota.Blocked, 4999: rota.Blocked, 5000: rota.Cancelled, n: rota.Cancelled})
	w.operate(t, rota.ActCancel, whole(first))
	for id := range held {
		s.endElement(t, held, id, rota.OutcomeEnded)
	}
	w.settle(t)
	if p := w.job(t, next).Progress; p.Ready != 2 || p.Cancelled != n-2 {
		t.Errorf("%+v", p)
	}
	w.verify(t)
	// It has ended, and is removed only when nobody waits for its elements.
	late := w.submitOnly(t, job(array("1-2"), after(rota.AfterEach, first), queue("late")))[0]
	w.operate(t, rota.ActRemove, whole(first))
	w.settle(t)
	w.job(t, first)
	w.sweepAll(t, rota.SweepMake)
	w.settle(t)
	w.wantStates(t, late, map[int]rota.State{1: rota.Ready, 2: rota.Cancelled})
	w.operate(t, rota.ActRemove, whole(first))
	w.sweepAll(t, rota.SweepPrune)
	if _, err := w.Job(w.ctx, first); !errors.Is(err, rota.ErrNotFound) {
		t.Errorf("removed, and there: %v", err)
	}
	w.verify(t)
}

func dependentsEachHeld(t *testing.T, w *world) {
	s := w.session(t)
	first := w.submit(t, job(array("1-4"), queue("first"), retries(0)))[0]
	soon := w.clock.Now().Add(time.Hour)
	next := w.submit(t, job(array("1-4"), held, at(soon), after(rota.AfterEach, first), queue("next")))[0]
	tries := s.running(t, "first")
	w.operate(t, rota.ActRelease, only(rota.Element(next, 1)))
	w.wantStates(t, next, map[int]rota.State{1: rota.Blocked, 2: rota.Held, 3: rota.Held})
	s.endElement(t, tries, rota.Element(first, 1), rota.OutcomeSucceeded)
	s.endElement(t, tries, rota.Element(first, 2), rota.OutcomeSucceeded)
	s.endElement(t, tries, rota.Element(first, 3), rota.OutcomeFailed)
	w.settle(t)
	w.wantStates(t, next, map[int]rota.State{1: rota.Scheduled, 2: rota.Held, 3: rota.Cancelled, 4: rota.Held})
	w.operate(t, rota.ActRelease, whole(next))
	w.wantStates(t, next, map[int]rota.State{1: rota.Scheduled, 2: rota.Scheduled, 3: rota.Cancelled, 4: rota.Blocked})
	w.verify(t)
	waits := func(on ...rota.Dependency) {
		spec := w.job(t, next).Spec
		spec.After = on
		if op := w.edit(t, rota.Edit{Spec: &spec}, whole(next)); op.Done != 1 {
			t.Errorf("edited: %+v", op)
		}
	}
	waits()
	w.wantStates(t, next, map[int]rota.State{2: rota.Scheduled, 4: rota.Scheduled})
	waits(rota.Dependency{Job: first, When: rota.AfterEach})
	w.wantStates(t, next, map[int]rota.State{2: rota.Scheduled, 4: rota.Blocked})
	s.endElement(t, tries, rota.Element(first, 4), rota.OutcomeSucceeded)
	w.wantStates(t, next, map[int]rota.State{4: rota.Scheduled})
	w.verify(t)
}

func dependentsEachRefused(t *testing.T, w *world) {
	plain, few := w.one(t), w.submit(t, job(array("1-9:2")))[0]
	for name, c := range map[string]struct {
		job  rota.NewJob
		want error
	}{
		"of a single task":    {job(array("1"), after(rota.AfterEach, plain.Job())), rota.ErrInvalid},
		"not there":           {job(array("1,3,4"), after(rota.AfterEach, few)), rota.ErrInvalid},
		"more lines":          {job(lines("a", "b"), after(rota.AfterEach, few)), rota.ErrInvalid},
		"of no job":           {job(array("1"), after(rota.AfterEach, 4711)), rota.ErrNotFound},
		"being uploaded":      {job(array("1"), after(rota.AfterEach, w.submitOnly(t, job(lines("a"), more))[0])), rota.ErrConflict},
		"all there":           {job(array("1-3:2,9"), after(rota.AfterEach, few)), nil},
		"as many lines":       {job(lines("a"), after(rota.AfterEach, few)), nil},
		"another job, as one": {job(after(rota.AfterOK, few)), nil},
	} {
		if r := w.submitResult(t, c.job); !errors.Is(r.Err, c.want) {
			t.Errorf("%s: %v, want %v", name, r.Err, c.want)
		}
	}
	// An upload is refused with its last part, and can be ended.
	id := w.submitOnly(t, job(lines("a"), more, after(rota.AfterEach, few)))[0]
	if _, err := w.AddPart(w.ctx, id, rota.Part{Number: 1, Lines: []string{"b"}, Last: true}); !errors.Is(err, rota.ErrInvalid) {
		t.Errorf("a line too many: %v", err)
	}
	if _, err := w.AddPart(w.ctx, id, rota.Part{Number: 1, Last: true}); err != nil {
		t.Errorf("its end: %v", err)
	}
	w.settle(t)
	w.verify(t)
}
