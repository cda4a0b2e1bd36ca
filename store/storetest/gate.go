package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"pgregory.net/rapid"
)

func testGate(s suite) {
	s.test("P16_a_place_that_is_freed_admits_the_next", gateAdmits)
	s.test("P16_acts_on_gated_tasks", gateActs)
	s.test("P16_a_limit_holds_while_a_large_array_is_made", gateMaking)
	s.test("P16_a_limit_holds_under_everything", gateProperty)
}

// atGate are the tasks of an array that run or may be claimed, and those behind the gate.
func (w *world) atGate(t tb, id rota.JobID) (open, gated []rota.TaskID) {
	t.Helper()
	for _, task := range w.all(t, whole(id)) {
		switch {
		case task.Gated && task.State != rota.Ready:
			t.Fatalf("task %v is %v and gated", task.ID, task.State)
		case task.Gated:
			gated = append(gated, task.ID)
		case task.State == rota.Ready || task.State == rota.Running:
			open = append(open, task.ID)
		}
	}
	return open, gated
}

func (w *world) wantGate(t tb, id rota.JobID, most int) {
	t.Helper()
	open, gated := w.atGate(t, id)
	if len(open) > most {
		t.Fatalf("P16: %v are admitted, and %d is the limit", open, most)
	}
	if len(open) < most && len(gated) > 0 {
		t.Fatalf("P16: %v are admitted of %d, and %v wait", open, most, gated)
	}
}

func gateAdmits(t *testing.T, w *world) {
	id := w.submit(t, job(array("1-7%3")))[0]
	w.wantGate(t, id, 3)
	s := w.session(t)
	got := s.claim(t, 9)
	if want := []rota.TaskID{rota.Element(id, 1), rota.Element(id, 2), rota.Element(id, 3)}; !slices.Equal(ids(got), want) {
		t.Fatalf("claimed %v, want %v", ids(got), want)
	}
	for i, o := range []rota.Outcome{rota.OutcomeSucceeded, rota.OutcomeFailed} {
		s.finish(t, end(got[i].Try, o))
		w.wantGate(t, id, 3)
		if next := s.claim(t, 9); len(next) != 1 || next[0].Task != rota.Element(id, 4+i) {
			t.Fatalf("after the finish, claimed %v", ids(next))
		}
	}
	s.finish(t, end(got[2].Try, rota.OutcomeReturned))
	w.wantGate(t, id, 3)
	s.returnAll(t)
	if n := s.play(t, rota.OutcomeSucceeded); n != 5 {
		t.Errorf("%d were left", n)
	}
	w.verify(t)
}

func gateActs(t *testing.T, w *world) {
	id := w.submit(t, job(array("1-6%2")))[0]
	e := func(i int) rota.TaskID { return rota.Element(id, i) }
	step := func(act rota.Act, wantOpen ...int) {
		t.Helper()
		w.wantGate(t, id, 2)
		open, _ := w.atGate(t, id)
		var got []int
		for _, o := range open {
			got = append(got, o.Index())
		}
		if !slices.Equal(got, wantOpen) {
			t.Errorf("after %s: %v are admitted, want %v", act, got, wantOpen)
		}
	}
	step("submit", 1, 2)
	w.operate(t, rota.ActCancel, only(e(1)))
	step(rota.ActCancel, 2, 3)
	w.operate(t, rota.ActHold, only(e(2), e(4)))
	step(rota.ActHold, 3, 5)
	w.operate(t, rota.ActRelease, only(e(2), e(4)))
	step(rota.ActRelease, 3, 5)
	w.operate(t, rota.ActRetry, only(e(1)))
	step(rota.ActRetry, 3, 5)
	w.operate(t, rota.ActCancel, whole(id))
	step(rota.ActCancel)
	w.operate(t, rota.ActRetry, whole(id))
	w.wantGate(t, id, 2)
	if n := w.session(t).play(t, rota.OutcomeSucceeded); n != 6 {
		t.Errorf("%d of 6 ran", n)
	}
	w.verify(t)
}

func gateMaking(t *testing.T, w *world) {
	id := w.submitOnly(t, job(array("1-11000%3")))[0]
	s := w.session(t)
	ran := 0
	for more := true; more; {
		more = w.sweep(t, rota.Sweep{What: rota.SweepMake}).More
		for range 3 {
			got := s.claim(t, 100)
			if len(got) != 3 {
				t.Fatalf("claimed %d, and 3 is the limit", len(got))
			}
			s.finish(t, ends(got, rota.OutcomeSucceeded)...)
			ran += len(got)
		}
	}
	if p := w.job(t, id).Progress; p.Succeeded != ran || p.Made != 11_000 {
		t.Errorf("%+v after %d", p, ran)
	}
	w.verify(t)
}

// gateProperty does at random to an array what can be done to its tasks, and holds the limit after each step; then
// everything that is left runs to its end.
func gateProperty(t *testing.T, w *world) {
	rapid.Check(t, func(t *rapid.T) {
		q, most := w.name("q"), rapid.IntRange(1, 4).Draw(t, "limit")
		n := rapid.IntRange(most, 12).Draw(t, "tasks")
		id := w.submit(t, job(array("1-"+text(n)), limit(most), queue(q), retries(rapid.IntRange(0, 2).Draw(t, "retries"))))[0]
		s := w.session(t)
		var running []rota.Assignment
		element := rapid.Custom(func(t *rapid.T) rota.Filter { return only(rota.Element(id, rapid.IntRange(1, n).Draw(t, "index"))) })
		t.Repeat(map[string]func(*rapid.T){
			"claim": func(t *rapid.T) {
				running = append(running, s.claim(t, rapid.IntRange(1, 9).Draw(t, "max"), q)...)
			},
			"finish": func(t *rapid.T) {
				if len(running) == 0 {
					t.Skip("nothing runs")
				}
				i := rapid.IntRange(0, len(running)-1).Draw(t, "which")
				x := s.exchange(t, rota.Claim{Max: rapid.IntRange(0, 2).Draw(t, "max"), Queues: []string{q}}, end(running[i].Try, rapid.SampledFrom(outcomes).Draw(t, "outcome")))
				running = append(slices.Delete(running, i, i+1), x.Claimed...)
			},
			"act": func(t *rapid.T) {
				act := rapid.SampledFrom([]rota.Act{rota.ActCancel, rota.ActHold, rota.ActRelease, rota.ActRetry}).Draw(t, "act")
				w.operate(t, act, element.Draw(t, "task"))
			},
			"lose": func(t *rapid.T) {
				s, running = w.sessionOf(t, s.node, true, tries(running)...), nil
				w.settle(t)
			},
			"time": func(t *rapid.T) {
				w.clock.Advance(time.Second)
				w.settle(t)
			},
			"": func(t *rapid.T) { w.wantGate(t, id, most) },
		})
		s.finish(t, ends(running, rota.OutcomeFailed)...)
		w.drain(t, s, id)
		w.wantGate(t, id, most)
	})
	w.verify(t)
}

// drain brings every task of a job to its end.
func (w *world) drain(t tb, s *session, id rota.JobID) {
	t.Helper()
	for range 100 {
		j := w.job(t, id)
		if j.Progress.Ended() {
			if j.Ended.IsZero() {
				t.Fatalf("job %v has ended and does not say when", id)
			}
			return
		}
		w.operate(t, rota.ActRelease, whole(id))
		w.clock.Advance(time.Hour)
		w.settle(t)
		s.play(t, rota.OutcomeSucceeded, j.Spec.Queue)
	}
	t.Fatalf("I1: job %v never ends: %+v", id, w.job(t, id).Progress)
}
