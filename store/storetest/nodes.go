package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testNodes(s suite) {
	s.test("P4_a_name_belongs_to_a_key", nodeKey)
	s.test("P4_who_comes_back_from_his_own_folder_is_never_refused", nodeOwn)
	s.test("P4_a_name_is_taken_by_force", nodeForce)
	s.test("P4_what_was_ousted_is_lost_at_its_deadline_and_not_before", nodeOusted)
	s.test("P4_what_was_ousted_comes_back_under_another_name", nodeOustedReturns)
	s.test("P4_two_take_one_name_at_once", nodeRace)
	s.test("P4_a_node_may_hold_several_sessions", nodeSessions)
	s.test("P13_a_session_of_an_older_keeper_goes_on_beside_the_new_one", nodeOlder)
	s.test("P4_a_node_with_another_name_keeps_its_sessions", nodeRenamed)
	s.test("P4_it_is_known_whose_a_session_is_and_what_runs_in_it", nodeOwns)
	s.test("a_node_is_seen_as_it_is", nodeSeen)
	s.test("opening_again_with_the_same_words_changes_nothing", nodeOpensAgain)
	s.test("a_node_that_is_asked_drains_until_it_starts_anew", nodeDrains)
	s.test("a_drain_goes_on_with_its_session", nodeDrainGoesOn)
	s.test("who_does_not_run_is_not_drained", nodeNotDrained)
	s.test("P6_renewals_are_answered_one_by_one", nodeRenewals)
}

func (w *world) node(t tb, name string) rota.Node {
	t.Helper()
	nodes, err := w.Nodes(w.ctx)
	if err != nil {
		t.Fatalf("nodes: %v", err)
	}
	for _, n := range nodes {
		if n.Name == name {
			return n
		}
	}
	t.Fatalf("no node %q among %d", name, len(nodes))
	return rota.Node{}
}

func nodeKey(t *testing.T, w *world) {
	s := w.session(t)
	other := (&session{w: w, id: "stranger", node: s.node}).opening(true)
	other.Key = "another key"
	_, err := w.OpenSession(w.ctx, other)
	wantIs(t, "a name that belongs to another key", err, rota.ErrConflict)
	id := w.one(t)
	s.claimOne(t, id) // the stranger has not made it lost
	if err := w.CloseSession(w.ctx, s.id); err != nil {
		t.Fatal(err)
	}
	_, err = w.OpenSession(w.ctx, other)
	wantIs(t, "the same, when the owner is gone", err, rota.ErrConflict)
	w.reopen(t)
	w.sessionOf(t, s.node, false)
	if n := w.node(t, s.node); n.State != rota.NodeUp {
		t.Errorf("back again: %+v", n)
	}
}

func nodeSessions(t *testing.T, w *world) {
	a := w.session(t)
	b := w.sessionOf(t, a.node, false)
	w.submit(t, job(array("1-4")))
	x, y := a.claim(t, 2), b.claim(t, 2)
	if len(x) != 2 || len(y) != 2 {
		t.Fatalf("claimed %v and %v", ids(x), ids(y))
	}
	if n := w.node(t, a.node); n.Running != 4 {
		t.Errorf("%d run on the node", n.Running)
	}
	if nodes, err := w.Nodes(w.ctx); err != nil || len(nodes) != 1 {
		t.Errorf("nodes %+v, %v", nodes, err)
	}
	if err := w.CloseSession(w.ctx, a.id); err != nil {
		t.Fatal(err)
	}
	if n := w.node(t, a.node); n.State != rota.NodeUp {
		t.Errorf("with one session left the node is %v", n.State)
	}
	b.finish(t, ends(y, rota.OutcomeSucceeded)...)
	w.settle(t)
	if n := len(b.claim(t, 9)); n != 2 {
		t.Errorf("claimed %d of what the closed session left", n)
	}
}

func nodeSeen(t *testing.T, w *world) {
	s := w.session(t)
	start := w.clock.Now()
	o := s.opening(false).Node
	n := w.node(t, s.node)
	if n.Version != o.Version || n.Platform != o.Platform || n.PID != o.PID || n.Slots != o.Slots || len(n.Queues) != 1 || n.Queues[0] != "*" ||
		n.Executors["exec"] != "1" || n.Transient || n.State != rota.NodeUp || !n.Started.Equal(start) || !n.Seen.Equal(start) {
		t.Errorf("at first: %+v", n)
	}
	w.clock.Advance(time.Minute)
	if r, err := w.Renew(w.ctx, []rota.Renewal{{Session: s.id, State: rota.NodeDraining}}); err != nil || r[0].Err != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if n := w.node(t, s.node); n.State != rota.NodeDraining || !n.Seen.Equal(w.clock.Now()) || !n.Started.Equal(start) {
		t.Errorf("draining: %+v", n)
	}
	if err := w.CloseSession(w.ctx, s.id); err != nil {
		t.Fatal(err)
	}
	if n := w.node(t, s.node); n.State != rota.NodeDown || n.Running != 0 {
		t.Errorf("down: %+v", n)
	}
}

func nodeOpensAgain(t *testing.T, w *world) {
	s := w.sessionOf(t, "n", true)
	id := w.one(t)
	try := s.claimOne(t, id)
	other := w.sessionOf(t, "n", false)
	lost := w.one(t)
	other.claimOne(t, lost)
	// The first answer was lost, or another daemon of the same keeper goes on: it is told how far the session has come.
	if got, err := w.OpenSession(w.ctx, s.opening(true)); err != nil || got.Seq != s.seq || s.seq == 0 {
		t.Fatalf("opened again after %d exchanges: %+v, %v", s.seq, got, err)
	}
	w.wantState(t, lost, rota.Ready) // sole: the node has no other session
	w.settle(t)
	w.wantState(t, id, rota.Running)
	s.finish(t, end(try, rota.OutcomeSucceeded))
	w.verify(t)
}

func nodeOlder(t *testing.T, w *world) {
	old, dead := w.sessionOf(t, "n", true), w.sessionOf(t, "n", false)
	runs := w.one(t)
	try := old.claimOne(t, runs)
	left := w.one(t)
	dead.claimOne(t, left)
	now := &session{w: w, id: rota.SessionID(w.name("session")), node: "n"}
	o := now.opening(true)
	o.Others = []rota.SessionID{old.id}
	if _, err := w.OpenSession(w.ctx, o); err != nil {
		t.Fatal(err)
	}
	o = old.opening(false) // its daemon is the same, and says nothing new of the node
	o.Node.Slots = 99
	if got, err := w.OpenSession(w.ctx, o); err != nil || got.Seq != old.seq {
		t.Fatalf("%+v, %v", got, err)
	}
	if n := w.node(t, "n"); n.Slots != 4 || n.Running != 1 {
		t.Errorf("%+v", n)
	}
	w.settle(t)
	w.wantState(t, runs, rota.Running)
	w.wantState(t, left, rota.Ready)
	old.finish(t, end(try, rota.OutcomeSucceeded))
	now.claimOne(t, left)
	w.verify(t)
}

func nodeRenamed(t *testing.T, w *world) {
	goesOn, dead := w.sessionOf(t, "before", true), w.sessionOf(t, "before", false)
	runs := w.one(t)
	try := goesOn.claimOne(t, runs)
	left := w.one(t)
	dead.claimOne(t, left)
	o := goesOn.opening(true) // with the key of its folder
	o.Node.Name = "after"
	if got, err := w.OpenSession(w.ctx, o); err != nil || got.Seq != goesOn.seq {
		t.Fatalf("%+v, %v", got, err)
	}
	w.settle(t)
	w.wantState(t, runs, rota.Running)
	w.wantState(t, left, rota.Ready)
	if b, a := w.node(t, "before"), w.node(t, "after"); b.State != rota.NodeDown || b.Running != 0 || a.State != rota.NodeUp || a.Running != 1 {
		t.Errorf("before %+v, after %+v", b, a)
	}
	goesOn.finish(t, end(try, rota.OutcomeSucceeded))
	o.Session, o.Key, o.Node.Name = "thief", "another key", "thief"
	if _, err := w.OpenSession(w.ctx, o); err != nil {
		t.Fatal(err)
	}
	if n := w.node(t, "after"); n.State != rota.NodeUp {
		t.Errorf("another node with another key made it %+v", n)
	}
	w.verify(t)
}

func nodeRenewals(t *testing.T, w *world) {
	a, b, c := w.session(t), w.session(t), w.session(t)
	if err := w.CloseSession(w.ctx, b.id); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	r, err := w.Renew(w.ctx, []rota.Renewal{{Session: c.id, State: rota.NodeDraining}, {Session: b.id, State: rota.NodeUp}, {Session: "nobody", State: rota.NodeUp}, {Session: a.id, State: rota.NodeUp}})
	if err != nil || len(r) != 4 {
		t.Fatalf("%+v, %v", r, err)
	}
	if r[0].Err != nil || r[3].Err != nil {
		t.Errorf("the open ones: %v, %v", r[0].Err, r[3].Err)
	}
	wantIs(t, "the closed one", r[1].Err, rota.ErrLeaseLost)
	wantIs(t, "the unknown one", r[2].Err, rota.ErrLeaseLost)
	if x, y, z := w.node(t, a.node), w.node(t, b.node), w.node(t, c.node); !x.Seen.Equal(w.clock.Now()) || y.Seen.Equal(w.clock.Now()) ||
		x.State != rota.NodeUp || z.State != rota.NodeDraining {
		t.Errorf("%+v, %+v, %+v", x, y, z)
	}
	if r, err := w.Renew(w.ctx, nil); err != nil || len(r) != 0 {
		t.Errorf("nothing renewed: %+v, %v", r, err)
	}
}

// drainNode asks a node to drain, and returns the sessions that are to hear of it.
func (w *world) drainNode(t tb, node string) []rota.SessionID {
	t.Helper()
	open, err := w.DrainNode(w.ctx, node)
	if err != nil {
		t.Fatalf("drain node %s: %v", node, err)
	}
	return open
}

// toldToDrain reports what a renewal says of that.
func (s *session) toldToDrain(t tb) bool {
	t.Helper()
	r, err := s.w.Renew(s.w.ctx, []rota.Renewal{{Session: s.id}})
	if err != nil || r[0].Err != nil {
		t.Fatalf("renew %s: %+v, %v", s.id, r, err)
	}
	return r[0].Drain
}

func nodeDrains(t *testing.T, w *world) {
	a, other := w.sessionOf(t, "n", true), w.session(t)
	b := w.sessionOf(t, "n", false)
	for range 2 {
		if open := w.drainNode(t, "n"); !slices.Equal(open, []rota.SessionID{a.id, b.id}) {
			t.Errorf("to be told: %v, want %v and %v", open, a.id, b.id)
		}
	}
	for range 2 {
		if !a.toldToDrain(t) || !b.toldToDrain(t) || other.toldToDrain(t) {
			t.Error("both sessions of the node are to be told, and no other")
		}
	}
	w.reopen(t)
	if !a.toldToDrain(t) {
		t.Error("the store has forgotten it")
	}
	if anew := w.sessionOf(t, "n", true); anew.toldToDrain(t) {
		t.Error("a node that started anew is told to drain")
	}
}

func nodeDrainGoesOn(t *testing.T, w *world) {
	s := w.sessionOf(t, "n", true)
	if got, err := w.OpenSession(w.ctx, s.opening(true)); err != nil || got.Drain {
		t.Errorf("nobody asked: %+v, %v", got, err)
	}
	w.drainNode(t, "n")
	for _, sole := range []bool{true, false} {
		if got, err := w.OpenSession(w.ctx, s.opening(sole)); err != nil || !got.Drain {
			t.Errorf("opened again, sole %v: %+v, %v", sole, got, err)
		}
		if n := w.node(t, "n"); n.State != rota.NodeDraining {
			t.Errorf("sole %v: it is seen as %v", sole, n.State)
		}
	}
	o := s.opening(true)
	o.Node.Name = "renamed"
	if got, err := w.OpenSession(w.ctx, o); err != nil || !got.Drain {
		t.Errorf("with another name: %+v, %v", got, err)
	}
	if !s.toldToDrain(t) {
		t.Error("the renewal does not say so")
	}
	o.Session = "anew"
	for range 2 { // the second is the first's repetition
		if got, err := w.OpenSession(w.ctx, o); err != nil || got.Drain {
			t.Errorf("a new session: %+v, %v", got, err)
		}
	}
}

func nodeNotDrained(t *testing.T, w *world) {
	_, err := w.DrainNode(w.ctx, "nobody")
	wantIs(t, "an unknown node", err, rota.ErrNotFound)
	s := w.session(t)
	if err := w.CloseSession(w.ctx, s.id); err != nil {
		t.Fatal(err)
	}
	_, err = w.DrainNode(w.ctx, s.node)
	wantIs(t, "a node that is down", err, rota.ErrConflict)
	if again := w.sessionOf(t, s.node, false); again.toldToDrain(t) {
		t.Error("what was refused is told")
	}
}
