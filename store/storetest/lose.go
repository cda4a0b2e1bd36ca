package storetest

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testLose(s suite) {
	s.test("P1_a_session_whose_beat_stood_still_is_lost", loseStill)
	s.test("P1_a_beat_that_was_raised_is_no_loss", loseRaised)
	s.test("P1_an_opening_raises_the_beat", loseReopened)
	s.test("P3_the_one_who_is_slower_changes_nothing", loseTwice)
	s.test("P3_what_is_lost_is_seen_as_lost", loseSeen)
	s.test("P3_a_finish_of_a_session_lost_by_time_counts_until_the_rescue", loseFinish)
	s.test("P8_what_tolerates_more_is_rescued_later", loseTolerance)
	s.test("P8_a_sessions_tolerance_is_that_of_its_first_opening", loseDefaults)
	s.test("P8_what_goes_on_for_ever_ends_with_its_nodes_return", loseReturns)
	s.test("P8_a_lost_session_is_compared_and_not_renewed", loseCompared)
	s.test("P8_an_ended_keeper_leaves_nothing", loseClosed)
	s.test("P3_a_claim_races_the_loss_by_time", loseRace)
	s.test("P1_a_renewal_races_the_loss", loseRenewalRace)
}

const ttl = rota.Duration(30 * time.Second)

// leased is a session of a node of its own, with a lease, whose tasks are not tolerated unless they say it.
func (w *world) leased(t tb) *session {
	t.Helper()
	s := &session{w: w, id: rota.SessionID(w.name("session")), node: w.name("node")}
	s.openLeased(t, rota.StoreLossKill)
	return s
}

func (s *session) openLeased(t tb, rule rota.OnStoreLoss) rota.Opened {
	t.Helper()
	o := s.opening(true)
	o.TTL, o.OnStoreLoss = ttl, rule
	got, err := s.w.OpenSession(s.w.ctx, o)
	if err != nil {
		t.Fatalf("open session %s: %v", s.id, err)
	}
	return got
}

// watched is a session as observers see it; none when nobody need watch it.
func (s *session) watched(t tb) (x rota.Session, found bool) {
	t.Helper()
	all, err := s.w.Sessions(s.w.ctx)
	if err != nil {
		t.Fatalf("sessions: %v", err)
	}
	i := slices.IndexFunc(all, func(x rota.Session) bool { return x.ID == s.id })
	if i < 0 {
		return x, false
	}
	return all[i], true
}

func (s *session) beat(t tb) int64 {
	t.Helper()
	x, found := s.watched(t)
	if !found {
		t.Fatalf("session %s is not watched", s.id)
	}
	return x.Beat
}

func (s *session) lose(t tb, tolerance rota.Duration) bool {
	t.Helper()
	lost, err := s.w.LoseSession(s.w.ctx, s.id, s.beat(t), tolerance)
	if err != nil {
		t.Fatalf("lose %s: %v", s.id, err)
	}
	return lost
}

func (s *session) renewed(t tb, r rota.Renewal) rota.RenewResult {
	t.Helper()
	r.Session = s.id
	got, err := s.w.Renew(s.w.ctx, []rota.Renewal{r})
	if err != nil {
		t.Fatalf("renew %s: %v", s.id, err)
	}
	return got[0]
}

func loseStill(t *testing.T, w *world) {
	id := w.one(t)
	s := w.leased(t)
	s.claimOne(t, id)
	if x, _ := s.watched(t); x.State != rota.SessionOpen || x.TTL != ttl || x.Node != s.node {
		t.Errorf("watched: %+v", x)
	}
	if moved := w.sweepAll(t, rota.SweepRescue); moved != 0 {
		t.Errorf("%d were rescued of a session that is open", moved)
	}
	if !s.lose(t, 0) {
		t.Error("it was not lost")
	}
	s.wantOver(t)
	if moved := w.sweepAll(t, rota.SweepRescue); moved != 1 {
		t.Errorf("rescued %d", moved)
	}
	w.reopen(t)
	w.sweepAll(t, rota.SweepRescue)
	if x, found := s.watched(t); found {
		t.Errorf("it is watched still: %+v", x)
	}
	if task := w.wantState(t, id, rota.Ready); task.Lost != 1 {
		t.Errorf("%+v", task)
	}
	w.leased(t).claimOne(t, id)
	w.verify(t)
}

func loseRaised(t *testing.T, w *world) {
	id := w.one(t)
	s := w.leased(t)
	s.claimOne(t, id)
	before := s.beat(t)
	if r := s.renewed(t, rota.Renewal{State: rota.NodeUp}); r.Err != nil {
		t.Fatal(r.Err)
	}
	if now := s.beat(t); now <= before {
		t.Errorf("the renewal took the beat from %d to %d", before, now)
	}
	for _, tolerance := range []rota.Duration{0, -1} {
		if lost, err := w.LoseSession(w.ctx, s.id, before, tolerance); lost || err != nil {
			t.Errorf("lost %v, %v", lost, err)
		}
	}
	if lost, err := w.LoseSession(w.ctx, "nobody", 0, 0); lost || err != nil {
		t.Errorf("an unknown one: lost %v, %v", lost, err)
	}
	w.settle(t)
	w.wantState(t, id, rota.Running)
}

// loseReopened: the keeper's lease is reckoned from openings too, be they of another daemon or repeated.
func loseReopened(t *testing.T, w *world) {
	s := w.leased(t)
	for _, sole := range []bool{true, false} {
		before := s.beat(t)
		if _, err := w.OpenSession(w.ctx, s.opening(sole)); err != nil {
			t.Fatal(err)
		}
		if lost, err := w.LoseSession(w.ctx, s.id, before, 0); lost || err != nil || s.beat(t) <= before {
			t.Errorf("opened again, sole %v: lost %v, %v; the beat went from %d to %d", sole, lost, err, before, s.beat(t))
		}
	}
}

func loseTwice(t *testing.T, w *world) {
	s := w.leased(t)
	s.claimOne(t, w.one(t, onStoreLoss("1m")))
	beat := s.beat(t)
	for i, want := range []bool{true, false} {
		if lost, err := w.LoseSession(w.ctx, s.id, beat, 0); lost != want || err != nil {
			t.Errorf("call %d: lost %v, %v", i+1, lost, err)
		}
	}
	long := rota.Duration(time.Minute)
	for i, want := range []bool{true, false} {
		if lost, err := w.LoseSession(w.ctx, s.id, beat, long); lost != want || err != nil {
			t.Errorf("call %d with a tolerance: lost %v, %v", i+1, lost, err)
		}
	}
	if lost, err := w.LoseSession(w.ctx, s.id, beat, 0); lost || err != nil {
		t.Errorf("with less again: lost %v, %v", lost, err)
	}
	if x, _ := s.watched(t); x.Waited != long {
		t.Errorf("waited: %v", x.Waited)
	}
	closed := w.leased(t)
	beat = closed.beat(t)
	if err := w.CloseSession(w.ctx, closed.id); err != nil {
		t.Fatal(err)
	}
	if lost, err := w.LoseSession(w.ctx, closed.id, beat, 0); lost || err != nil {
		t.Errorf("a closed one: lost %v, %v", lost, err)
	}
	if n := w.node(t, closed.node); n.State != rota.NodeDown || !n.Lost.IsZero() {
		t.Errorf("its node: %+v", n)
	}
}

func loseSeen(t *testing.T, w *world) {
	s := w.leased(t)
	w.clock.Advance(time.Minute)
	aside := w.sessionOf(t, s.node, false)
	s.lose(t, 0)
	if n := w.node(t, s.node); n.State != rota.NodeUp {
		t.Errorf("with another session that is open: %+v", n)
	}
	aside.lose(t, 0)
	if n := w.node(t, s.node); n.State != rota.NodeLost || !n.Lost.Equal(w.clock.Now()) {
		t.Errorf("lost: %+v", n)
	}
	w.sessionOf(t, s.node, true)
	if n := w.node(t, s.node); n.State != rota.NodeUp || !n.Lost.IsZero() {
		t.Errorf("back again: %+v", n)
	}
}

func loseFinish(t *testing.T, w *world) {
	first, second := w.one(t), w.one(t)
	s := w.leased(t)
	as := s.claim(t, 2)
	s.lose(t, 0)
	s.finish(t, end(as[0].Try, rota.OutcomeSucceeded))
	w.settle(t)
	s.refused(t, end(as[1].Try, rota.OutcomeSucceeded))
	w.wantState(t, first, rota.Succeeded)
	w.wantState(t, second, rota.Ready)
	w.verify(t)
}

// rules are jobs that tolerate ever more.
var rules = []rota.OnStoreLoss{rota.StoreLossKill, "1m", "1h", rota.StoreLossRun}

func loseTolerance(t *testing.T, w *world) {
	var all []rota.TaskID
	for _, rule := range append(rules, "") {
		all = append(all, w.one(t, onStoreLoss(rule)))
	}
	s := &session{w: w, id: "s", node: "n"}
	s.openLeased(t, "1m")
	s.claim(t, len(all))
	left := []rota.TaskID{all[0], all[1], all[2], all[3], all[4]}
	for _, step := range []struct {
		waited, next rota.Duration
		rescued      []rota.TaskID
	}{
		{0, rota.Duration(time.Minute), []rota.TaskID{all[0]}},
		{rota.Duration(30 * time.Second), rota.Duration(time.Minute), nil},
		{rota.Duration(time.Minute), rota.Duration(time.Hour), []rota.TaskID{all[1], all[4]}},
		{rota.Duration(time.Hour), -1, []rota.TaskID{all[2]}},
		{rota.Duration(1000 * time.Hour), -1, nil},
	} {
		if !s.lose(t, step.waited) {
			t.Errorf("after %v nothing changed", step.waited)
		}
		if x, _ := s.watched(t); x.State != rota.SessionLost || x.Waited != step.waited || x.Next != step.next {
			t.Errorf("after %v: %+v, want %v to be next", step.waited, x, step.next)
		}
		w.reopen(t)
		if moved := w.sweepAll(t, rota.SweepRescue); moved != len(step.rescued) {
			t.Errorf("after %v: rescued %d, want %v", step.waited, moved, step.rescued)
		}
		left = slices.DeleteFunc(left, func(id rota.TaskID) bool { return slices.Contains(step.rescued, id) })
		for _, id := range all {
			if running := w.task(t, id).State == rota.Running; running != slices.Contains(left, id) {
				t.Errorf("after %v: task %v runs: %v", step.waited, id, running)
			}
		}
	}
	if n := w.node(t, "n"); n.Running != 1 || n.State != rota.NodeLost {
		t.Errorf("the node: %+v", n)
	}
	s.finish(t, end(rota.Try{Task: all[3], Attempt: 1}, rota.OutcomeSucceeded))
	w.settle(t)
	if x, found := s.watched(t); found {
		t.Errorf("it is watched still: %+v", x)
	}
	w.verify(t)
}

func loseDefaults(t *testing.T, w *world) {
	id := w.one(t)
	s := &session{w: w, id: "s", node: "n"}
	want := rota.Opened{TTL: ttl, OnStoreLoss: "1m"}
	if got := s.openLeased(t, "1m"); !reflect.DeepEqual(got, want) {
		t.Errorf("opened: %+v, want %+v", got, want)
	}
	s.claimOne(t, id)
	o := s.opening(true)
	o.TTL, o.OnStoreLoss = 2*ttl, rota.StoreLossKill
	want.Seq = s.seq
	if got, err := w.OpenSession(w.ctx, o); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("opened again with others: %+v, %v; want %+v", got, err, want)
	}
	s.lose(t, 0)
	w.settle(t)
	w.wantState(t, id, rota.Running) // its keeper was told of a minute
	unknown := w.session(t)
	if x, _ := unknown.watched(t); x.TTL != 0 {
		t.Errorf("a session without a TTL: %+v", x)
	}
	if got, err := w.OpenSession(w.ctx, unknown.opening(true)); err != nil || got.OnStoreLoss != rota.StoreLossRun {
		t.Errorf("one that said nothing: %+v, %v", got, err)
	}
}

// loseReturns has a node come back on which something goes on for ever: in a keeper that lives, or not.
func loseReturns(t *testing.T, w *world) {
	for _, lives := range []bool{true, false} {
		started, queued := w.one(t, onStoreLoss(rota.StoreLossRun)), w.one(t, onStoreLoss(rota.StoreLossRun))
		s := w.leased(t)
		as := s.claim(t, 2)
		s.lose(t, 0)
		_, err := w.OpenSession(w.ctx, s.opening(true))
		wantIs(t, "a lost session opened anew", err, rota.ErrLeaseLost)
		next := &session{w: w, id: rota.SessionID(w.name("session")), node: s.node}
		o := next.opening(true, as[0].Try)
		if lives {
			o.Others = []rota.SessionID{s.id}
		}
		if _, err := w.OpenSession(w.ctx, o); err != nil {
			t.Fatal(err)
		}
		w.settle(t)
		if !lives {
			if task := w.wantState(t, started, rota.Ready); task.Lost != 1 {
				t.Errorf("what was started: %+v", task)
			}
			if task := w.wantState(t, queued, rota.Ready); task.Returns != 1 || task.Lost != 0 {
				t.Errorf("what was never started: %+v", task)
			}
			continue
		}
		w.wantState(t, started, rota.Running)
		if got, err := w.OpenSession(w.ctx, s.opening(false)); err != nil || !got.Lost || got.Seq != s.seq || got.OnStoreLoss != rota.StoreLossKill {
			t.Errorf("its keeper goes on: %+v, %v", got, err)
		}
		s.wantOver(t)
		s.finish(t, end(as[0].Try, rota.OutcomeSucceeded), end(as[1].Try, rota.OutcomeFailed))
		w.wantState(t, started, rota.Succeeded)
		if err := w.CloseSession(w.ctx, next.id); err != nil {
			t.Fatal(err)
		}
	}
	w.verify(t)
}

func loseCompared(t *testing.T, w *world) {
	runs, queued := w.one(t, onStoreLoss(rota.StoreLossRun)), w.one(t, onStoreLoss(rota.StoreLossRun))
	ended := w.one(t)
	s := w.leased(t)
	as := s.claim(t, 3)
	s.lose(t, 0)
	w.settle(t)
	w.wantState(t, ended, rota.Ready)
	w.operate(t, rota.ActCancel, only(runs))
	before, seen := s.beat(t), w.node(t, s.node).Seen
	w.clock.Advance(time.Minute)
	r := s.renewed(t, rota.Renewal{Lost: true, Seq: s.seq, Held: []rota.Try{as[0].Try, as[2].Try}})
	want := rota.Renewed{Ending: []rota.EndingTry{{Try: as[0].Try, How: rota.EndingCancel}}, Strays: []rota.Try{as[1].Try}, Gone: []rota.Try{as[2].Try}, Now: w.clock.Now()}
	if r.Err != nil || text(r.Renewed) != text(want) || as[1].Task != queued {
		t.Errorf("compared: %+v, want %+v", r, want)
	}
	if after := s.beat(t); after != before || !w.node(t, s.node).Seen.Equal(seen) {
		t.Errorf("the beat went from %d to %d", before, after)
	}
	s.finish(t, end(as[0].Try, rota.OutcomeEnded), end(as[1].Try, rota.OutcomeReturned))
	w.wantState(t, runs, rota.Cancelled)
	w.wantState(t, queued, rota.Ready)
	w.verify(t)
}

func loseClosed(t *testing.T, w *world) {
	id := w.one(t, onStoreLoss(rota.StoreLossRun))
	s := w.leased(t)
	s.claimOne(t, id)
	s.lose(t, 0)
	w.settle(t)
	w.wantState(t, id, rota.Running)
	for range 2 {
		if err := w.CloseSession(w.ctx, s.id); err != nil {
			t.Fatal(err)
		}
	}
	w.settle(t)
	w.wantState(t, id, rota.Ready)
	if n := w.node(t, s.node); n.State != rota.NodeLost {
		t.Errorf("its node: %+v", n)
	}
	w.verify(t)
}

// loseRace loses a session by time while it claims: either it has the task and the rescue finds it, or it has nothing.
func loseRace(t *testing.T, w *world) {
	for range times(1000) {
		id := rota.PlainTask(w.submitOnly(t, job(maxLost(5)))[0])
		s := w.leased(t)
		beat := s.beat(t)
		var wg sync.WaitGroup
		var claimed, lost error
		wg.Go(func() { _, claimed = s.try(rota.Claim{Max: 1}) })
		wg.Go(func() { _, lost = w.LoseSession(w.ctx, s.id, beat, 0) })
		wg.Wait()
		if lost != nil || claimed != nil && !errors.Is(claimed, rota.ErrLeaseLost) {
			t.Fatalf("lose: %v, claim: %v", lost, claimed)
		}
		w.sweepAll(t, rota.SweepRescue)
		w.wantState(t, id, rota.Ready)
		next := w.leased(t)
		next.finish(t, end(next.claimOne(t, id), rota.OutcomeSucceeded))
	}
	w.verify(t)
}

// loseRenewalRace has a renewal and the loss come at once: one of them finds that the other was first.
func loseRenewalRace(t *testing.T, w *world) {
	for range times(1000) {
		s := w.leased(t)
		beat := s.beat(t)
		var wg sync.WaitGroup
		var answer rota.RenewResult
		var lost bool
		var err error
		wg.Go(func() { answer = s.renewed(t, rota.Renewal{State: rota.NodeUp}) })
		wg.Go(func() { lost, err = w.LoseSession(w.ctx, s.id, beat, 0) })
		wg.Wait()
		if err != nil || lost == (answer.Err == nil) || answer.Err != nil && !errors.Is(answer.Err, rota.ErrLeaseLost) {
			t.Fatalf("lost %v, %v; renewed: %v", lost, err, answer.Err)
		}
	}
}
