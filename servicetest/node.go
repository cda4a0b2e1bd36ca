package servicetest

import (
	"strings"

	"github.com/rotaqueue/rota"
)

var nodeTests = []contract{
	{"a node that is asked to pause is told, and stays so over a restart", pauseTold},
	{"who is not there is not paused", pauseRefused},
	{"B1 a node says what it does for each pattern of queues", nodeServes},
	{"C8 a node's clock is compared with the store's", clockCompared},
	{"a node that is down is removed, and may come back", nodeRemoved},
	{"P8 a lost node that never comes back gives up what was to go on", nodeGivenUp},
	{"a node that is up is not removed", nodeKept},
}

func (c *client) pause(node string, paused bool) {
	c.w.Helper()
	if err := c.PauseNode(c.ctx, node, paused); err != nil {
		c.w.Fatalf("pause node %s %v: %v", node, paused, err)
	}
}

func pauseTold(w *world) {
	m, other := w.node("one"), w.node("two")
	m.settle()
	other.settle()
	for _, paused := range []bool{true, false, true} {
		got := m.await()
		w.operator.pause("one", paused)
		equal(w, "news", soon(w, got), rota.News{Pause: &paused})
		news, err := m.c.Await(m.c.ctx, m.id, 0)
		if err != nil || news.Pause != nil {
			w.Errorf("told once more: %+v, %v", news, err)
		}
		r, err := m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, Seq: m.seq})
		if err != nil || r.Pause != paused {
			w.Errorf("its renewal: %+v, %v; want %v", r, err, paused)
		}
		equal(w, "seen", w.seen("one").Paused, paused)
	}
	news, err := other.c.Await(other.c.ctx, other.id, 0)
	if err != nil || news.Pause != nil || w.seen("two").Paused {
		w.Errorf("the other node is told too: %+v, %v", news, err)
	}
	o := (&machine{id: m.id + "-next", name: "one"}).opening()
	if got, err := m.c.OpenSession(m.c.ctx, o); err != nil || !got.Pause {
		w.Errorf("started anew: %+v, %v", got, err)
	}
	equal(w, "seen", w.seen("one").State, rota.NodePaused)
}

func pauseRefused(w *world) {
	err := w.operator.PauseNode(w.operator.ctx, "nobody", true)
	w.refused("an unknown node", err, rota.ErrNotFound)
	equal(w, "what mends it", rota.FixOf(err), "rota node ls")
}

func nodeServes(w *world) {
	w.kim.submit(run(queued("gpu")))
	m := &machine{c: w.admin, id: "serves", name: "one"}
	o := m.opening()
	o.TTL, o.Node.Queues = 0, []string{"gpu", "*"}
	if _, err := m.c.OpenSession(m.c.ctx, o); err != nil {
		w.Fatal(err)
	}
	m.claimOne()
	equal(w, "serves", w.seen("one").Serves, []rota.Serving{{Queue: "gpu", Slots: 4, Idle: 3, Running: 1}, {Queue: "*", Slots: 4, Idle: 3}})
}

func clockCompared(w *world) {
	m := w.node("one")
	before := w.status()
	got, err := m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, State: rota.NodeUp, Seq: m.seq, Skew: -2_500_000})
	if err != nil || got.Now.Before(before.Store.Now) || got.Now.After(w.status().Store.Now) {
		w.Errorf("the renewal tells the time as %v, %v", got.Now, err)
	}
	equal(w, "the skew", w.seen("one").Skew, -2_500_000)
}

func (w *world) status() rota.Status {
	w.Helper()
	st, err := w.viewer.Status(w.viewer.ctx)
	if err != nil {
		w.Fatal(err)
	}
	return st
}

func nodeRemoved(w *world) {
	m := w.node("one")
	w.node("two")
	if err := m.c.CloseSession(m.c.ctx, m.id); err != nil {
		w.Fatal(err)
	}
	if err := w.operator.RemoveNode(w.operator.ctx, "one", false); err != nil {
		w.Fatal(err)
	}
	nodes, err := w.viewer.Nodes(w.viewer.ctx)
	if err != nil || len(nodes) != 1 || nodes[0].Name != "two" {
		w.Errorf("nodes %+v, %v", nodes, err)
	}
	w.refused("once more", w.operator.RemoveNode(w.operator.ctx, "one", false), rota.ErrNotFound)
	w.node("one")
	equal(w, "back again", w.seen("one").State, rota.NodeUp)
}

func nodeGivenUp(w *world) {
	id := w.kim.submit(run(func(s *rota.Spec) { s.OnStoreLoss = rota.StoreLossRun }))
	m := w.leased("one")
	a := m.claimOne()
	m.lost()
	err := w.operator.RemoveNode(w.operator.ctx, "one", false)
	w.refused("without saying so", err, rota.ErrConflict)
	if fix := rota.FixOf(err); !strings.Contains(fix, "rota node rm --lost one") {
		w.Errorf("what mends it: %q", fix)
	}
	if err := w.operator.RemoveNode(w.operator.ctx, "one", true); err != nil {
		w.Fatal(err)
	}
	other := w.node("two")
	b := other.claimOne()
	equal(w, "tried elsewhere", b.Try, rota.Try{Task: a.Task, Attempt: 2})
	other.ends(rota.OutcomeSucceeded, b)
	w.kim.inState(id, rota.Succeeded)
}

func nodeKept(w *world) {
	m := w.node("one")
	for _, lost := range []bool{false, true} {
		err := w.operator.RemoveNode(w.operator.ctx, "one", lost)
		w.refused("a node that is up", err, rota.ErrConflict)
		if fix := rota.FixOf(err); !strings.Contains(fix, "rota node drain one") {
			w.Errorf("what mends it: %q", fix)
		}
	}
	m.exchange(1) // it goes on
}
