package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testPause(s suite) {
	s.test("a_node_pauses_until_it_is_let_go_on", nodePauses)
	s.test("a_node_that_is_down_comes_up_paused", nodePausedDown)
	s.test("B1_a_node_tells_what_it_does_for_each_pattern", nodeServes)
	s.test("C8_a_nodes_clock_is_compared_with_the_stores", nodeSkew)
	s.test("a_node_that_is_down_is_removed", nodeRemoved)
	s.test("P8_a_lost_node_is_removed_for_good", nodeRemovedLost)
	s.test("a_node_that_is_up_is_not_removed", nodeNotRemoved)
}

func (w *world) pause(t tb, node string, paused bool) []rota.SessionID {
	t.Helper()
	open, err := w.PauseNode(w.ctx, node, paused)
	if err != nil {
		t.Fatalf("pause node %s %v: %v", node, paused, err)
	}
	return open
}

func nodePauses(t *testing.T, w *world) {
	a, other := w.sessionOf(t, "n", true), w.session(t)
	b := w.sessionOf(t, "n", false)
	for _, paused := range []bool{true, true, false, false, true} { // asking again changes nothing
		if open := w.pause(t, "n", paused); !slices.Equal(open, []rota.SessionID{a.id, b.id}) {
			t.Errorf("to be told: %v, want %v and %v", open, a.id, b.id)
		}
		for range 2 {
			if x, y, z := a.renewed(t, rota.Renewal{}), b.renewed(t, rota.Renewal{}), other.renewed(t, rota.Renewal{}); x.Pause != paused || y.Pause != paused || z.Pause {
				t.Errorf("paused %v: told %v, %v, and another node %v", paused, x.Pause, y.Pause, z.Pause)
			}
		}
		if n := w.node(t, "n"); n.Paused != paused {
			t.Errorf("seen as %+v", n)
		}
	}
	w.reopen(t)
	for _, sole := range []bool{false, true} {
		if got, err := w.OpenSession(w.ctx, a.opening(sole)); err != nil || !got.Pause {
			t.Errorf("opened again, sole %v: %+v, %v", sole, got, err)
		}
	}
	_, err := w.PauseNode(w.ctx, "nobody", true)
	wantIs(t, "an unknown node", err, rota.ErrNotFound)
}

func nodePausedDown(t *testing.T, w *world) {
	s := w.sessionOf(t, "n", true)
	if err := w.CloseSession(w.ctx, s.id); err != nil {
		t.Fatal(err)
	}
	if open := w.pause(t, "n", true); len(open) != 0 {
		t.Errorf("to be told: %v", open)
	}
	o := s.opening(true)
	o.Session = "anew"
	for _, name := range []string{"n", "renamed"} {
		o.Node.Name = name
		if got, err := w.OpenSession(w.ctx, o); err != nil || !got.Pause {
			t.Errorf("opened as %s: %+v, %v", name, got, err)
		}
		if n := w.node(t, name); n.State != rota.NodePaused || !n.Paused {
			t.Errorf("seen as %+v", n)
		}
	}
	w.pause(t, "renamed", false)
	o.Node.Name, o.Session = "n", "once more"
	if got, err := w.OpenSession(w.ctx, o); err != nil || got.Pause {
		t.Errorf("let go on under the other name: %+v, %v", got, err)
	}
}

func nodeServes(t *testing.T, w *world) {
	for _, q := range []string{"gpu", "gpu", "fast.1", "fast.2", "else"} {
		w.one(t, queue(q))
	}
	s := &session{w: w, id: "s", node: "n"}
	o := s.opening(true)
	o.Node.Queues = []string{"fast.*", "gpu", "!slow", "*"}
	w.opens(t, o)
	want := func(what string, serves ...rota.Serving) {
		t.Helper()
		if n := w.node(t, "n"); !slices.Equal(n.Serves, serves) {
			t.Errorf("%s: %+v, want %+v", what, n.Serves, serves)
		}
	}
	want("at first", rota.Serving{Queue: "fast.*", Slots: 4, Idle: 4}, rota.Serving{Queue: "gpu", Slots: 4, Idle: 4}, rota.Serving{Queue: "*", Slots: 4, Idle: 4})
	s.claim(t, 3, o.Node.Queues...)
	want("with three running", rota.Serving{Queue: "fast.*", Slots: 4, Idle: 1, Running: 2}, rota.Serving{Queue: "gpu", Slots: 4, Idle: 1, Running: 1},
		rota.Serving{Queue: "*", Slots: 4, Idle: 1})
	s.claim(t, 2, o.Node.Queues...)
	want("with more than fit", rota.Serving{Queue: "fast.*", Slots: 4, Running: 2}, rota.Serving{Queue: "gpu", Slots: 4, Running: 2},
		rota.Serving{Queue: "*", Slots: 4, Running: 1})
	if err := w.CloseSession(w.ctx, s.id); err != nil {
		t.Fatal(err)
	}
	want("down")
	all := &session{w: w, id: "all", node: "all"}
	o = all.opening(true)
	o.Node.Queues = nil
	w.opens(t, o)
	if n := w.node(t, "all"); len(n.Serves) != 1 || n.Serves[0].Queue != "*" {
		t.Errorf("one that says nothing serves %+v", n.Serves)
	}
}

func nodeSkew(t *testing.T, w *world) {
	s := w.sessionOf(t, "n", true)
	w.clock.Advance(time.Minute)
	if r := s.renewed(t, rota.Renewal{State: rota.NodeUp, Skew: -1_500_000}); !r.Now.Equal(w.clock.Now()) {
		t.Errorf("the store's time is %v, and it tells %v", w.clock.Now(), r.Now)
	}
	s.renewed(t, rota.Renewal{Skew: 7}) // of a session that does not speak for the node
	if n := w.node(t, "n"); n.Skew != -1_500_000 {
		t.Errorf("%+v", n)
	}
	w.sessionOf(t, "n", true)
	if n := w.node(t, "n"); n.Skew != 0 {
		t.Errorf("not known yet: %+v", n)
	}
}

func nodeRemoved(t *testing.T, w *world) {
	s := w.sessionOf(t, "n", true)
	id := w.one(t)
	s.finish(t, end(s.claimOne(t, id), rota.OutcomeSucceeded))
	s.renewed(t, rota.Renewal{State: rota.NodeUp, Machine: &rota.NodeSample{CPUs: 2}})
	if err := w.CloseSession(w.ctx, s.id); err != nil {
		t.Fatal(err)
	}
	if err := w.RemoveNode(w.ctx, "n", false); err != nil {
		t.Fatal(err)
	}
	err := w.RemoveNode(w.ctx, "n", false)
	wantIs(t, "once more", err, rota.ErrNotFound)
	if nodes, err := w.Nodes(w.ctx); err != nil || len(nodes) != 0 {
		t.Errorf("nodes %+v, %v", nodes, err)
	}
	_, err = w.NodeSamples(w.ctx, "n", time.Time{})
	wantIs(t, "its samples", err, rota.ErrNotFound)
	if task := w.task(t, id); task.Node != "n" {
		t.Errorf("what ran there forgot it: %+v", task)
	}
	_, theirs := s.stranger(t)
	w.opens(t, theirs) // the name is free
	if all, err := w.NodeSamples(w.ctx, "n", time.Time{}); err != nil || len(all) != 0 {
		t.Errorf("samples of the one before: %+v, %v", all, err)
	}
}

func nodeRemovedLost(t *testing.T, w *world) {
	id := w.one(t, onStoreLoss(rota.StoreLossRun))
	s := w.leased(t)
	s.claimOne(t, id)
	s.lose(t, 0)
	w.settle(t)
	err := w.RemoveNode(w.ctx, s.node, false)
	wantIs(t, "while something may go on there", err, rota.ErrConflict)
	if fix := rota.FixOf(err); !strings.Contains(fix, "rota node rm --lost "+s.node) {
		t.Errorf("what mends it: %q", fix)
	}
	w.settle(t)
	w.wantState(t, id, rota.Running)
	if err := w.RemoveNode(w.ctx, s.node, true); err != nil {
		t.Fatal(err)
	}
	w.settle(t)
	w.wantState(t, id, rota.Ready)
	s.wantOver(t)
	if r := s.renewed(t, rota.Renewal{Lost: true, Seq: s.seq, Held: []rota.Try{{Task: id, Attempt: 1}}}); r.Err != nil || len(r.Gone) != 1 {
		t.Errorf("if it comes back after all: %+v", r)
	}
	w.sessionOf(t, s.node, true) // and it may
	idle := w.leased(t)
	idle.lose(t, 0)
	w.settle(t)
	if err := w.RemoveNode(w.ctx, idle.node, false); err != nil {
		t.Errorf("a lost node with nothing left: %v", err)
	}
	w.verify(t)
}

func nodeNotRemoved(t *testing.T, w *world) {
	s := w.leased(t)
	id := w.one(t)
	s.claimOne(t, id)
	_, theirs := s.stranger(t)
	for _, lost := range []bool{false, true} {
		err := w.RemoveNode(w.ctx, s.node, lost)
		wantIs(t, "a node that is up", err, rota.ErrConflict)
		if fix := rota.FixOf(err); !strings.Contains(fix, "rota node drain "+s.node) {
			t.Errorf("what mends it: %q", fix)
		}
	}
	theirs.Force = true
	w.opens(t, theirs)
	wantIs(t, "one that was ousted, before it is lost", w.RemoveNode(w.ctx, s.node+".1", true), rota.ErrConflict)
	w.settle(t)
	w.wantState(t, id, rota.Running)
	wantIs(t, "an unknown node", w.RemoveNode(w.ctx, "nobody", true), rota.ErrNotFound)
}
