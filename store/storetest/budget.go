package storetest

import (
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testBudget(s suite) {
	s.test("P7_failures_are_tried_again_up_to_the_limit", budgetFailures)
	s.test("P7_refused_is_never_tried_again", budgetRefused)
	s.test("P7_given_back_does_not_count_and_is_capped", budgetReturns)
	s.test("P7_lost_attempts_have_their_own_budget", budgetLost)
	s.test("P7_an_assignment_counts_the_failures", budgetCounts)
	s.test("P22_a_task_that_is_tried_again_keeps_its_rank", budgetRank)
}

func budgetFailures(t *testing.T, w *world) {
	id := w.one(t, retries(2))
	s := w.session(t)
	for n := 1; n <= 2; n++ {
		f := end(s.claimOne(t, id), rota.OutcomeFailed)
		f.RetryIn = rota.Duration(time.Duration(n) * time.Minute)
		s.finish(t, f)
		task := w.wantState(t, id, rota.Scheduled)
		if want := w.clock.Now().Add(f.RetryIn.D()); !task.RunAt.Equal(want) || task.Limit != 3 {
			t.Errorf("after failure %d: again at %v, want %v; limit %d", n, task.RunAt, want, task.Limit)
		}
		w.clock.Advance(f.RetryIn.D() - time.Microsecond)
		w.settle(t)
		w.wantState(t, id, rota.Scheduled)
		w.clock.Advance(time.Microsecond)
		w.settle(t)
		w.wantState(t, id, rota.Ready)
	}
	f := end(s.claimOne(t, id), rota.OutcomeTimedOut)
	f.RetryIn = rota.Duration(time.Minute)
	s.finish(t, f)
	w.wantState(t, id, rota.Failed)
	if j := w.job(t, id.Job()); j.State() != rota.Failed || j.Ended.IsZero() {
		t.Errorf("the job is %v, ended %v", j.State(), j.Ended)
	}
	w.verify(t)
}

func budgetRefused(t *testing.T, w *world) {
	id := w.one(t, retries(5))
	s := w.session(t)
	s.finish(t, end(s.claimOne(t, id), rota.OutcomeRefused))
	if task := w.wantState(t, id, rota.Failed); task.Number != 1 {
		t.Errorf("attempt %d", task.Number)
	}
	w.verify(t)
}

func budgetReturns(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	for n := 1; n <= rota.MaxReturns; n++ {
		try := s.claimOne(t, id)
		if try.Attempt != n {
			t.Fatalf("attempt %d after %d give-backs", try.Attempt, n-1)
		}
		s.finish(t, end(try, rota.OutcomeReturned))
		want := rota.Ready
		if n == rota.MaxReturns {
			want = rota.Held
		}
		if task := w.wantState(t, id, want); task.Returns != n || task.Limit != 1+n {
			t.Fatalf("after %d give-backs: returns %d, limit %d", n, task.Returns, task.Limit)
		}
	}
	if w.task(t, id).Reason == "" {
		t.Error("it is held and does not say why")
	}
	if got := s.claim(t, 1); len(got) != 0 {
		t.Errorf("claimed %v", ids(got))
	}
	w.operate(t, rota.ActRelease, only(id))
	s.finish(t, end(s.claimOne(t, id), rota.OutcomeSucceeded))
	if task := w.wantState(t, id, rota.Succeeded); task.Number != rota.MaxReturns+1 {
		t.Errorf("attempt %d", task.Number)
	}
	w.verify(t)
}

func budgetLost(t *testing.T, w *world) {
	s := w.session(t)
	id := w.one(t, maxLost(2))
	for n := 1; n <= 3; n++ {
		s.finish(t, end(s.claimOne(t, id), rota.OutcomeLost))
		want := rota.Ready
		if n == 3 {
			want = rota.Failed
		}
		if task := w.wantState(t, id, want); task.Lost != n {
			t.Fatalf("after %d losses: lost %d, limit %d", n, task.Lost, task.Limit)
		}
	}
	id = w.one(t, onLost(rota.LostFail))
	s.finish(t, end(s.claimOne(t, id), rota.OutcomeLost))
	w.wantState(t, id, rota.Failed)

	id = w.one(t, retries(1)) // a loss leaves the retry
	s.finish(t, end(s.claimOne(t, id), rota.OutcomeLost))
	s.finish(t, end(s.claimOne(t, id), rota.OutcomeFailed))
	w.wantState(t, id, rota.Scheduled)
	w.settle(t)
	s.finish(t, end(s.claimOne(t, id), rota.OutcomeFailed))
	w.wantState(t, id, rota.Failed)
	w.verify(t)
}

func budgetCounts(t *testing.T, w *world) {
	w.one(t, retries(9))
	s := w.session(t)
	failures := 0
	for i, o := range []rota.Outcome{rota.OutcomeReturned, rota.OutcomeFailed, rota.OutcomeLost, rota.OutcomeTimedOut, rota.OutcomeReturned, rota.OutcomeSucceeded} {
		got := s.claim(t, 1)
		if len(got) != 1 || got[0].Failures != failures || got[0].Attempt != i+1 {
			t.Fatalf("attempt %d: claimed %+v, want %d failures", i+1, got, failures)
		}
		if want := 10 + i - failures; got[0].Limit != want {
			t.Errorf("attempt %d: limit %d, want %d", i+1, got[0].Limit, want)
		}
		if o.IsRetried() {
			failures++
		}
		s.finish(t, end(got[0].Try, o))
		w.settle(t)
	}
}

func budgetRank(t *testing.T, w *world) {
	s := w.session(t)
	for _, o := range []rota.Outcome{rota.OutcomeReturned, rota.OutcomeLost, rota.OutcomeFailed} {
		first := w.one(t, rank(3), retries(1))
		try := s.claimOne(t, first)
		later, behind := w.one(t, rank(3)), w.one(t, rank(4))
		s.finish(t, end(try, o))
		w.settle(t)
		if got := ids(s.claim(t, 9)); len(got) != 3 || got[0] != first || got[1] != later || got[2] != behind {
			t.Errorf("after %s: claimed %v, want %v, %v, %v", o, got, first, later, behind)
		}
		s.returnAll(t)
		s.play(t, rota.OutcomeSucceeded)
	}
	w.verify(t)
}
