package storetest

import (
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
)

func testHome(s suite) {
	s.test("P27_a_home_claims_its_own_jobs_and_nobody_else_does", homeOwn)
	s.test("P27_a_home_that_closed_leaves_its_jobs_to_all", homeClosed)
	s.test("P27_a_home_that_was_lost_leaves_its_jobs_to_all", homeLost)
	s.test("P27_a_whole_node_takes_over_what_a_transient_one_had_for_itself", homeOfWhole)
	s.test("P27_order_across_homes_is_by_rank_and_id", homeOrder)
	s.test("P27_retried_and_made_later_tasks_stay_at_home", homeStays)
}

func (s *session) claimHome(t tb, most int) []rota.Assignment {
	t.Helper()
	return s.exchange(t, rota.Claim{Max: most, Home: s.id}).Claimed
}

func homeOwn(t *testing.T, w *world) {
	h, other, whole := w.session(t), w.session(t), w.session(t)
	mine, theirs, free := w.one(t, home(h.id)), w.one(t, home(other.id)), w.one(t)
	if got := ids(h.claimHome(t, 9)); !slices.Equal(got, []rota.TaskID{mine}) {
		t.Errorf("the home claimed %v, want %v", got, mine)
	}
	if got := ids(whole.claim(t, 9)); !slices.Equal(got, []rota.TaskID{free}) {
		t.Errorf("a whole node claimed %v, want %v", got, free)
	}
	if got := ids(other.claimHome(t, 9)); !slices.Equal(got, []rota.TaskID{theirs}) {
		t.Errorf("the other home claimed %v, want %v", got, theirs)
	}
	w.verify(t)
}

func homeClosed(t *testing.T, w *world) {
	h, whole := w.session(t), w.session(t)
	id, free := w.one(t, home(h.id)), w.one(t)
	if got := ids(whole.claim(t, 9)); !slices.Equal(got, []rota.TaskID{free}) {
		t.Fatalf("claimed %v, want %v", got, free)
	}
	if err := w.CloseSession(w.ctx, h.id); err != nil {
		t.Fatal(err)
	}
	w.settle(t)
	late := w.one(t, home(h.id)) // submitted through a home that is gone
	if got := ids(whole.claim(t, 9)); !slices.Equal(got, []rota.TaskID{id, late}) {
		t.Errorf("claimed %v, want %v and %v", got, id, late)
	}
	w.verify(t)
}

func homeLost(t *testing.T, w *world) {
	h, whole := w.session(t), w.session(t)
	id, running := w.one(t, home(h.id)), w.one(t, home(h.id), rank(-1))
	if got := ids(h.claimHome(t, 1)); !slices.Equal(got, []rota.TaskID{running}) {
		t.Fatalf("claimed %v", got)
	}
	next := w.sessionOf(t, h.node, true)
	w.settle(t)
	if got := ids(next.claimHome(t, 9)); len(got) != 0 {
		t.Errorf("the next home claimed %v of the one before", got)
	}
	if got := ids(whole.claim(t, 9)); !slices.Equal(got, []rota.TaskID{running, id}) {
		t.Errorf("claimed %v, want %v and %v", got, running, id)
	}
	w.verify(t)
}

// homeOfWhole is a home whose session goes on as a whole node's: a transient node handed its keeper over.
func homeOfWhole(t *testing.T, w *world) {
	h := w.session(t)
	id := w.one(t, home(h.id))
	o := h.opening(true)
	o.Node.Transient = true
	if _, err := w.OpenSession(w.ctx, o); err != nil {
		t.Fatal(err)
	}
	if got := ids(h.claim(t, 9)); len(got) != 0 {
		t.Errorf("claimed %v that a transient node's home has", got)
	}
	if _, err := w.OpenSession(w.ctx, h.opening(true)); err != nil {
		t.Fatal(err)
	}
	if got := ids(h.claim(t, 9)); !slices.Equal(got, []rota.TaskID{id}) {
		t.Errorf("claimed %v, want %v", got, id)
	}
	w.verify(t)
}

func homeOrder(t *testing.T, w *world) {
	a, b, whole := w.session(t), w.session(t), w.session(t)
	var want []rota.TaskID
	for i := range 9 {
		want = append(want, w.one(t, rank(int64(i/3)), func(j *rota.NewJob) { j.Home = []rota.SessionID{"", a.id, b.id}[i%3] }))
	}
	for _, s := range []*session{a, b} {
		if err := w.CloseSession(w.ctx, s.id); err != nil {
			t.Fatal(err)
		}
	}
	w.settle(t)
	got := append(ids(whole.claim(t, 4)), ids(whole.claim(t, 9))...)
	if !slices.Equal(got, want) {
		t.Errorf("claimed %v, want %v", got, want)
	}
}

func homeStays(t *testing.T, w *world) {
	h, whole := w.session(t), w.session(t)
	w.submitOnly(t, job(array("1-3"), home(h.id), retries(1)))
	w.settle(t)
	got := h.claimHome(t, 9)
	if len(got) != 3 {
		t.Fatalf("claimed %v", ids(got))
	}
	h.finish(t, end(got[0].Try, rota.OutcomeFailed), end(got[1].Try, rota.OutcomeReturned), end(got[2].Try, rota.OutcomeFailed))
	w.settle(t)
	w.operate(t, rota.ActHold, only(got[2].Task))
	w.operate(t, rota.ActRelease, only(got[2].Task))
	if taken := ids(whole.claim(t, 9)); len(taken) != 0 {
		t.Errorf("a whole node claimed %v", taken)
	}
	if again := ids(h.claimHome(t, 9)); !slices.Equal(again, ids(got)) {
		t.Errorf("the home claimed %v, want %v", again, ids(got))
	}
	w.verify(t)
}
