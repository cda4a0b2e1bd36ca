package storetest

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/rotaqueue/rota"
)

func testRescue(s suite) {
	s.test("P3_a_lost_session_claims_nothing_and_renews_nothing", rescueLost)
	s.test("P3_a_closed_session_claims_nothing_and_renews_nothing", rescueClosed)
	s.test("P3_an_unknown_session_has_lost_its_lease", rescueUnknown)
	s.test("P3_a_finish_before_the_sweep_wins", rescueFinishFirst)
	s.test("P3_a_finish_after_the_sweep_is_refused", rescueFinishLate)
	s.test("P6_a_refused_claim_does_not_lose_the_finish", rescueFinishAndClaim)
	s.test("P7_what_was_never_started_is_given_back_and_the_rest_is_lost", rescueStarted)
	s.test("P7_what_waits_for_its_rescue_is_lost_whatever_the_next_session_knows", rescueLater)
	s.test("P7_what_takes_its_node_down_again_and_again_runs_alone_and_is_set_aside", rescueAside)
	s.test("P3_only_the_sessions_of_that_node_are_lost", rescueOthers)
	s.test("P3_a_claim_races_the_loss_of_its_session", rescueRace)
	s.test("P18_many_tasks_are_rescued", rescueMany)
}

// wantOver checks that a session is no more.
func (s *session) wantOver(t tb) {
	t.Helper()
	_, err := s.try(rota.Claim{Max: 1})
	wantIs(t, "a claim of a session that is over", err, rota.ErrLeaseLost)
	r, err := s.w.Renew(s.w.ctx, []rota.Renewal{{Session: s.id, State: rota.NodeUp}})
	if err != nil || len(r) != 1 {
		t.Fatalf("renew: %+v, %v", r, err)
	}
	wantIs(t, "a renewal of a session that is over", r[0].Err, rota.ErrLeaseLost)
	if got, err := s.w.OpenSession(s.w.ctx, s.opening(false)); err == nil && !got.Lost {
		t.Errorf("a session that is over is revived")
	}
}

func rescueLost(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	next := w.sessionOf(t, s.node, true)
	s.wantOver(t)
	next.claimOne(t, id)
	w.verify(t)
}

func rescueClosed(t *testing.T, w *world) {
	id, waiting := w.one(t), w.one(t)
	s := w.session(t)
	if got := s.claim(t, 1); len(got) != 1 || got[0].Task != id {
		t.Fatalf("claimed %v", ids(got))
	}
	for range 2 { // a repeat changes nothing: the first answer may be lost
		if err := w.CloseSession(w.ctx, s.id); err != nil {
			t.Fatal(err)
		}
	}
	s.wantOver(t)
	swept := w.sweep(t, rota.Sweep{What: rota.SweepRescue})
	if swept.Moved != 1 || !swept.Ready || len(swept.Jobs) != 1 || swept.Jobs[0] != id.Job() {
		t.Errorf("rescued: %+v", swept)
	}
	w.wantState(t, id, rota.Ready)
	if got := w.session(t).claim(t, 9); len(got) != 2 || got[0].Try != (rota.Try{Task: id, Attempt: 2}) || got[1].Task != waiting {
		t.Errorf("claimed %v", tries(got))
	}
	w.verify(t)
}

func rescueUnknown(t *testing.T, w *world) {
	w.one(t)
	s := &session{w: w, id: "nobody", node: "nowhere"}
	_, err := s.try(rota.Claim{Max: 1})
	wantIs(t, "a claim of an unknown session", err, rota.ErrLeaseLost)
	_, err = s.try(rota.Claim{}, end(rota.Try{Task: rota.PlainTask(1), Attempt: 1}, rota.OutcomeSucceeded))
	wantIs(t, "a finish of an unknown session", err, rota.ErrLeaseLost)
	r, err := w.Renew(w.ctx, []rota.Renewal{{Session: s.id, State: rota.NodeUp}})
	if err != nil || len(r) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	wantIs(t, "a renewal of an unknown session", r[0].Err, rota.ErrLeaseLost)
}

func rescueFinishFirst(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	try := s.claimOne(t, id)
	w.sessionOf(t, s.node, true, try)
	if err := w.KeepOutput(w.ctx, try, []rota.Chunk{{Stream: rota.Stdout, Total: 1, Data: []byte("x")}}); err != nil {
		t.Errorf("output of an attempt that still holds: %v", err)
	}
	s.finish(t, end(try, rota.OutcomeSucceeded))
	w.settle(t)
	if task := w.wantState(t, id, rota.Succeeded); task.Lost != 0 || task.Number != 1 {
		t.Errorf("%+v", task)
	}
	w.verify(t)
}

func rescueFinishLate(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	try := s.claimOne(t, id)
	next := w.sessionOf(t, s.node, true, try)
	w.settle(t)
	w.wantState(t, id, rota.Ready)
	s.refused(t, end(try, rota.OutcomeSucceeded))
	w.wantState(t, id, rota.Ready)
	second := next.claimOne(t, id)
	s.refused(t, end(try, rota.OutcomeSucceeded))
	err := w.KeepOutput(w.ctx, try, []rota.Chunk{{Stream: rota.Stdout, Total: 1, Data: []byte("x")}})
	wantIs(t, "output of an attempt that was lost", err, rota.ErrLeaseLost)
	next.finish(t, end(second, rota.OutcomeFailed))
	w.wantState(t, id, rota.Failed)
	w.verify(t)
}

// rescueFinishAndClaim has a lost session send both: the claim is refused, and when it then sends the finish alone
// under the same number, it is recorded, whether the first time or now.
func rescueFinishAndClaim(t *testing.T, w *world) {
	id := w.one(t)
	w.one(t)
	s := w.session(t)
	try := s.claim(t, 1)[0].Try
	w.sessionOf(t, s.node, true, try)
	_, err := s.try(rota.Claim{Max: 1}, end(try, rota.OutcomeSucceeded))
	wantIs(t, "finish and claim of a lost session", err, rota.ErrLeaseLost)
	s.finish(t, end(try, rota.OutcomeSucceeded))
	w.settle(t)
	w.wantState(t, id, rota.Succeeded)
	w.verify(t)
}

func rescueStarted(t *testing.T, w *world) {
	started, queued := w.one(t), w.one(t)
	s := w.session(t)
	got := tries(s.claim(t, 2))
	old := rota.Try{Task: got[1].Task, Attempt: 9} // the journal may know others
	next := w.sessionOf(t, s.node, true, got[0], old)
	w.settle(t)
	if task := w.wantState(t, started, rota.Ready); task.Lost != 1 || task.Returns != 0 || task.Outcome != rota.OutcomeLost || task.Limit != 2 {
		t.Errorf("what was started: %+v", task)
	}
	if task := w.wantState(t, queued, rota.Ready); task.Lost != 0 || task.Returns != 1 || task.Outcome != rota.OutcomeReturned || task.Limit != 2 {
		t.Errorf("what was never started: %+v", task)
	}
	if again := tries(next.claim(t, 9)); len(again) != 2 || again[0].Attempt != 2 || again[1].Attempt != 2 {
		t.Errorf("claimed %v", again)
	}
	if task, earlier := w.history(t, started); len(earlier) != 1 || earlier[0].Outcome != rota.OutcomeLost || earlier[0].Reason == "" || earlier[0].Ended.IsZero() {
		t.Errorf("%+v, earlier %+v", task, earlier)
	}
	w.verify(t)
}

// rescueLater has a node die again before what its first session ran was rescued: the journal of the second life does
// not tell of it any more.
func rescueLater(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	try := s.claimOne(t, id)
	w.sessionOf(t, s.node, true, try)
	w.sessionOf(t, s.node, true)
	w.settle(t)
	if task := w.wantState(t, id, rota.Ready); task.Lost != 1 || task.Returns != 0 || task.Outcome != rota.OutcomeLost {
		t.Errorf("what was started: %+v", task)
	}
	w.verify(t)
}

func rescueAside(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	lost := 0
	crash := func(alone bool, want rota.State) rota.Task {
		t.Helper()
		got := s.claim(t, 1)
		if len(got) != 1 || got[0].Task != id || got[0].Alone != alone {
			t.Fatalf("claimed %+v; alone is to be %v", got, alone)
		}
		s = w.sessionOf(t, s.node, true, got[0].Try)
		w.settle(t)
		lost++
		task := w.wantState(t, id, want)
		if task.Lost != lost {
			t.Fatalf("lost %d times, want %d", task.Lost, lost)
		}
		return task
	}
	crash(false, rota.Ready)
	// A loss that its node tells of, and a give-back, are no crashes.
	s.finish(t, end(s.claimOne(t, id), rota.OutcomeReturned))
	if task := crash(false, rota.Ready); task.Crashes != 2 {
		t.Errorf("%+v", task)
	}
	if task := crash(true, rota.Held); task.Crashes != 3 || !strings.HasPrefix(task.Reason, "set aside: ") {
		t.Errorf("%+v", task)
	}
	w.operate(t, rota.ActRelease, only(id))
	got := s.claim(t, 1)
	if len(got) != 1 || !got[0].Alone {
		t.Fatalf("released: %+v", got)
	}
	s.finish(t, end(got[0].Try, rota.OutcomeSucceeded))
	w.wantState(t, id, rota.Succeeded)

	told := w.one(t)
	for range 2 {
		s.finish(t, end(s.claimOne(t, told), rota.OutcomeLost))
	}
	if task := w.wantState(t, told, rota.Ready); task.Crashes != 0 || task.Lost != 2 {
		t.Errorf("losses that the node told of: %+v", task)
	}
	w.verify(t)
}

func rescueOthers(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	try := s.claimOne(t, id)
	w.sessionOf(t, w.name("node"), true)
	second := w.sessionOf(t, s.node, false) // an upgrade: the old keeper lives on
	w.settle(t)
	w.wantState(t, id, rota.Running)
	s.finish(t, end(try, rota.OutcomeReturned))
	second.finish(t, end(second.claimOne(t, id), rota.OutcomeSucceeded))
	w.wantState(t, id, rota.Succeeded)
	w.verify(t)
}

// rescueRace loses a session while it claims: either it has the task and the rescue finds it, or it has nothing.
func rescueRace(t *testing.T, w *world) {
	s := w.session(t)
	for range times(1000) {
		id := rota.PlainTask(w.submitOnly(t, job())[0])
		next := &session{w: w, id: rota.SessionID(w.name("session")), node: s.node}
		var wg sync.WaitGroup
		var claimed, opened error
		wg.Go(func() { _, claimed = s.try(rota.Claim{Max: 1}) })
		wg.Go(func() { _, opened = w.OpenSession(w.ctx, next.opening(true)) })
		wg.Wait()
		if opened != nil || claimed != nil && !errors.Is(claimed, rota.ErrLeaseLost) {
			t.Fatalf("open: %v, claim: %v", opened, claimed)
		}
		w.sweepAll(t, rota.SweepRescue)
		w.wantState(t, id, rota.Ready)
		next.finish(t, end(next.claimOne(t, id), rota.OutcomeSucceeded))
		s = next
	}
	w.verify(t)
}

func rescueMany(t *testing.T, w *world) {
	const n = 6000
	id := w.submit(t, job(array("1-6000")))[0]
	s := w.session(t)
	for range n / 500 {
		if got := s.claim(t, 500); len(got) != 500 {
			t.Fatalf("claimed %d", len(got))
		}
	}
	if err := w.CloseSession(w.ctx, s.id); err != nil {
		t.Fatal(err)
	}
	w.reopen(t)
	if moved := w.sweepAll(t, rota.SweepRescue); moved != n {
		t.Errorf("rescued %d", moved)
	}
	if moved := w.sweepAll(t, rota.SweepRescue); moved != 0 {
		t.Errorf("rescued %d again", moved)
	}
	if p := w.job(t, id).Progress; p.Ready != n {
		t.Errorf("%+v", p)
	}
	w.verify(t)
}
