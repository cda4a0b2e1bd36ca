package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testPromote(s suite) {
	s.test("P1_a_task_is_promoted_when_the_store_clock_says_so", promoteDue)
	s.test("P18_many_are_promoted_in_steps", promoteMany)
	s.test("P16_promoted_tasks_stand_behind_the_gate", promoteGate)
}

func promoteDue(t *testing.T, w *world) {
	start := w.clock.Now()
	later, soon := start.Add(2*time.Hour), start.Add(time.Hour)
	c, a, b := w.one(t, at(later)), w.one(t, at(soon), rank(1)), w.one(t, at(soon))
	s := w.session(t)
	step := func(moved int, ready bool, next time.Time, jobs ...rota.JobID) {
		t.Helper()
		got := w.sweep(t, rota.Sweep{What: rota.SweepPromote})
		slices.Sort(got.Jobs)
		if got.Moved != moved || got.More || got.Ready != ready || !got.Next.Equal(next) || !slices.Equal(got.Jobs, jobs) {
			t.Errorf("promoted %+v; want %d, ready %v, next %v, jobs %v", got, moved, ready, next, jobs)
		}
	}
	step(0, false, soon)
	w.clock.Advance(time.Hour - time.Microsecond)
	step(0, false, soon)
	w.clock.Advance(time.Microsecond)
	step(2, true, later, a.Job(), b.Job())
	if got := ids(s.claim(t, 9)); !slices.Equal(got, []rota.TaskID{b, a}) {
		t.Errorf("claimed %v, want %v by rank", got, []rota.TaskID{b, a})
	}
	step(0, false, later)
	w.operate(t, rota.ActHold, only(c))
	step(0, false, time.Time{})
	w.operate(t, rota.ActRelease, only(c))
	w.clock.Advance(24 * time.Hour)
	step(1, true, time.Time{}, c.Job())
	s.claimOne(t, c)
	w.verify(t)
}

func promoteMany(t *testing.T, w *world) {
	id := w.submit(t, job(array("1-6000"), at(w.clock.Now().Add(time.Minute))))[0]
	w.clock.Advance(time.Minute)
	if moved := w.sweepAll(t, rota.SweepPromote); moved != 6000 {
		t.Errorf("promoted %d", moved)
	}
	if p := w.job(t, id).Progress; p.Ready != 6000 {
		t.Errorf("%+v", p)
	}
	if got := w.session(t).claim(t, 2); len(got) != 2 || got[0].Task != rota.Element(id, 1) {
		t.Errorf("claimed %v", ids(got))
	}
	w.verify(t)
}

func promoteGate(t *testing.T, w *world) {
	id := w.submit(t, job(array("1-6%2"), at(w.clock.Now().Add(time.Minute)), retries(1)))[0]
	w.clock.Advance(time.Minute)
	w.settle(t)
	w.wantGate(t, id, 2)
	s := w.session(t)
	got := s.claim(t, 9)
	f := end(got[0].Try, rota.OutcomeFailed)
	f.RetryIn = rota.Duration(time.Minute)
	s.finish(t, f)
	w.wantGate(t, id, 2) // the one that waits for its retry leaves its place to the next
	w.clock.Advance(time.Minute)
	w.settle(t)
	w.wantGate(t, id, 2)
	s.finish(t, end(got[1].Try, rota.OutcomeSucceeded))
	if n := s.play(t, rota.OutcomeSucceeded); n != 5 {
		t.Errorf("%d were left", n)
	}
	w.verify(t)
}
