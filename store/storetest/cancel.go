package storetest

import (
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
)

func testCancel(s suite) {
	s.test("P9_a_running_task_is_asked_to_end", cancelAsks)
	s.test("P9_whatever_the_exit_it_is_cancelled", cancelOutcomes)
	s.test("P9_a_kill_is_never_softened", cancelKill)
	s.test("P9_a_cancelled_task_that_is_lost_is_cancelled", cancelLost)
	s.test("I10_a_retry_after_a_cancel_runs_again", cancelRetry)
}

func (s *session) endings(t tb) []rota.EndingTry {
	t.Helper()
	es, err := s.w.Endings(s.w.ctx, s.id)
	if err != nil {
		t.Fatalf("endings of %s: %v", s.id, err)
	}
	return es
}

func cancelAsks(t *testing.T, w *world) {
	id, other := w.one(t), w.one(t)
	s, idle := w.session(t), w.session(t)
	got := tries(s.claim(t, 2))
	op := w.operate(t, rota.ActCancel, only(id))
	if op.Matched != 1 || op.Done != 1 || !op.Ended {
		t.Errorf("operation %+v", op)
	}
	if task := w.wantState(t, id, rota.Running); task.Ending != rota.EndingCancel {
		t.Errorf("ending %q", task.Ending)
	}
	want := []rota.EndingTry{{Try: got[0], How: rota.EndingCancel}}
	if es := s.endings(t); !slices.Equal(es, want) {
		t.Errorf("endings %v, want %v", es, want)
	}
	if es := idle.endings(t); len(es) != 0 {
		t.Errorf("endings of another session: %v", es)
	}
	r, err := w.Renew(w.ctx, []rota.Renewal{{Session: idle.id, State: rota.NodeUp}, {Session: s.id, State: rota.NodeUp, Seq: 1, Held: got}})
	if err != nil || len(r) != 2 || len(r[0].Ending) != 0 || !slices.Equal(r[1].Ending, want) {
		t.Errorf("renewed %+v, %v; want %v", r, err, want)
	}
	s.finish(t, end(got[0], rota.OutcomeEnded), end(got[1], rota.OutcomeSucceeded))
	if task := w.wantState(t, id, rota.Cancelled); task.Ending != "" {
		t.Errorf("cancelled, and still asked to end: %q", task.Ending)
	}
	w.wantState(t, other, rota.Succeeded)
	if es := s.endings(t); len(es) != 0 {
		t.Errorf("endings afterwards: %v", es)
	}
	w.verify(t)
}

func cancelOutcomes(t *testing.T, w *world) {
	s := w.session(t)
	for _, act := range []rota.Act{rota.ActCancel, rota.ActKill} {
		for _, o := range outcomes {
			try := s.claimOne(t, w.one(t, retries(5)))
			w.operate(t, act, only(try.Task))
			s.finish(t, end(try, o))
			w.wantState(t, try.Task, rota.Cancelled)
			if j := w.job(t, try.Task.Job()); j.State() != rota.Cancelled || j.Ended.IsZero() {
				t.Errorf("%s: the job is %v, ended %v", o, j.State(), j.Ended)
			}
		}
	}
	w.verify(t)
}

func cancelKill(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	try := s.claimOne(t, id)
	for _, c := range []struct {
		act  rota.Act
		want rota.Ending
	}{{rota.ActCancel, rota.EndingCancel}, {rota.ActKill, rota.EndingKill}, {rota.ActCancel, rota.EndingKill}} {
		w.operate(t, c.act, only(id))
		if es := s.endings(t); len(es) != 1 || es[0].Try != try || es[0].How != c.want {
			t.Errorf("after %s: %v, want %s", c.act, es, c.want)
		}
	}
}

func cancelLost(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	try := s.claimOne(t, id)
	w.operate(t, rota.ActCancel, only(id))
	w.sessionOf(t, s.node, true, try)
	w.settle(t)
	if task := w.wantState(t, id, rota.Cancelled); task.Ending != "" {
		t.Errorf("ending %q", task.Ending)
	}
	w.verify(t)
}

func cancelRetry(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	try := s.claimOne(t, id)
	w.operate(t, rota.ActCancel, only(id))
	s.finish(t, end(try, rota.OutcomeEnded))
	w.operate(t, rota.ActRetry, only(id))
	again := s.claimOne(t, id)
	if again.Attempt != 2 || len(s.endings(t)) != 0 {
		t.Errorf("again as %v, endings %v", again, s.endings(t))
	}
	s.finish(t, end(again, rota.OutcomeSucceeded))
	w.wantState(t, id, rota.Succeeded)
	w.verify(t)
}
