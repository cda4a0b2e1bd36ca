package servicetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

var lostTests = []contract{
	{"P1 P3 what a node that is not heard of any more ran is tried elsewhere", lostByTime},
	{"P3 P8 what tolerates the loss goes on, and its end counts", lostTolerated},
	{"P3 a node that comes back after its loss begins anew", lostReturns},
	{"P4 P8 a session has the lease and the rule of its first opening", sessionRule},
	{"P4 a name is taken by force, and what the other ran is lost when its lease is over", nameForced},
}

// lease is a short one: long enough for a server that is busy to see it stand still.
const lease = rota.Duration(time.Second)

// leased starts a node whose session is lost when it is not renewed.
func (w *world) leased(name string) *machine {
	w.Helper()
	m := &machine{c: w.admin, id: rota.SessionID(fmt.Sprintf("%s-%d", name, time.Now().UnixNano())), name: name}
	if _, err := m.c.OpenSession(m.c.ctx, m.opening()); err != nil {
		w.Fatalf("open a session of %s: %v", name, err)
	}
	return m
}

func (m *machine) opening() rota.Opening {
	return rota.Opening{Session: m.id, Key: "key of " + m.name, Sole: true, TTL: lease, OnStoreLoss: rota.StoreLossKill,
		Node: rota.Node{Name: m.name, Version: "1", Slots: 4, Queues: []string{"*"}}}
}

// seen is a node as others see it.
func (w *world) seen(name string) rota.Node {
	w.Helper()
	nodes, err := w.viewer.Nodes(w.viewer.ctx)
	if err != nil {
		w.Fatal(err)
	}
	for _, n := range nodes {
		if n.Name == name {
			return n
		}
	}
	w.Fatalf("no node %s among %+v", name, nodes)
	return rota.Node{}
}

// lost waits until the others have lost a node.
func (m *machine) lost() {
	w := m.c.w
	w.Helper()
	w.eventually("node "+m.name+" is lost", func() bool { return w.seen(m.name).State == rota.NodeLost })
	if n := w.seen(m.name); n.Lost.Before(n.Seen) {
		w.Errorf("it was lost at %v, and seen at %v", n.Lost, n.Seen)
	}
}

func lostByTime(w *world) {
	id := w.kim.submit(run(retries(0)))
	m := w.leased("one")
	a := m.claimOne()
	m.lost()
	_, err := m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, State: rota.NodeUp})
	w.refused("a renewal of a lost session", err, rota.ErrLeaseLost)
	_, err = m.try(rota.Exchange{Seq: m.seq + 1, Claim: rota.Claim{Max: 1}})
	w.refused("a claim of a lost session", err, rota.ErrLeaseLost)
	other := w.node("two")
	b := other.claimOne()
	equal(w, "claimed elsewhere", b.Try, rota.Try{Task: a.Task, Attempt: 2})
	if got := m.exchange(0, finish(a.Try, rota.OutcomeSucceeded)); len(got.Refused) != 1 {
		w.Error("the lost attempt's end was recorded while another runs")
	}
	got, err := m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, Lost: true, Seq: m.seq, Held: []rota.Try{a.Try}})
	if err != nil || len(got.Gone) != 1 {
		w.Errorf("compared: %+v, %v", got, err)
	}
	other.ends(rota.OutcomeSucceeded, b)
	task, earlier, err := w.kim.Task(w.kim.ctx, rota.PlainTask(id))
	if err != nil || task.Lost != 1 || len(earlier) != 1 || earlier[0].Node != "one" || task.Node != "two" {
		w.Errorf("task %+v, earlier %+v, error %v", task, earlier, err)
	}
}

func lostTolerated(w *world) {
	kill := w.kim.submit(run(retries(0)))
	goesOn := w.kim.submit(run(func(s *rota.Spec) { s.OnStoreLoss = rota.StoreLossRun }))
	m := w.leased("one")
	as := m.claim(2)
	m.lost()
	w.kim.inState(kill, rota.Ready)
	w.kim.inState(goesOn, rota.Running)
	w.kim.operate(rota.ActCancel, jobs(goesOn))
	got, err := m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, Lost: true, Seq: m.seq, Held: []rota.Try{as[1].Try}})
	if err != nil || len(got.Ending) != 1 || len(got.Strays)+len(got.Gone) > 0 {
		w.Errorf("compared: %+v, %v", got, err)
	}
	m.ends(rota.OutcomeEnded, as[1])
	w.kim.inState(goesOn, rota.Cancelled)
}

func lostReturns(w *world) {
	goesOn := w.kim.submit(run(func(s *rota.Spec) { s.OnStoreLoss = rota.StoreLossRun }))
	m := w.leased("one")
	a := m.claimOne()
	m.lost()
	_, err := m.c.OpenSession(m.c.ctx, m.opening())
	w.refused("the lost session opened again", err, rota.ErrLeaseLost)
	next := &machine{c: m.c, id: m.id + "-next", name: m.name}
	o := next.opening()
	o.Others = []rota.SessionID{m.id} // its keeper lives
	if _, err := next.c.OpenSession(next.c.ctx, o); err != nil {
		w.Fatal(err)
	}
	if n := w.seen("one"); n.State != rota.NodeUp || !n.Lost.IsZero() || n.Running != 1 {
		w.Errorf("back again: %+v", n)
	}
	o = m.opening()
	o.Sole = false
	if got, err := m.c.OpenSession(m.c.ctx, o); err != nil || !got.Lost {
		w.Errorf("what goes on: %+v, %v", got, err)
	}
	m.ends(rota.OutcomeSucceeded, a)
	w.kim.inState(goesOn, rota.Succeeded)
}

func sessionRule(w *world) {
	m := w.leased("one")
	o := m.opening()
	o.TTL, o.OnStoreLoss = 5*lease, "10m"
	got, err := m.c.OpenSession(m.c.ctx, o)
	if err != nil || got.TTL != lease || got.OnStoreLoss != rota.StoreLossKill {
		w.Errorf("opened again: %+v, %v", got, err)
	}
	if err := m.c.CloseSession(m.c.ctx, m.id); err != nil {
		w.Fatal(err)
	}
	o.Session += "-next"
	got, err = m.c.OpenSession(m.c.ctx, o)
	if err != nil || got.TTL != o.TTL || got.OnStoreLoss.Tolerance().D() != 10*time.Minute {
		w.Errorf("anew: %+v, %v", got, err)
	}
}

func nameForced(w *world) {
	id := w.kim.submit(run(retries(0)))
	m := w.leased("one")
	a := m.claimOne()
	other := &machine{c: m.c, id: m.id + "-other", name: "one"}
	o := other.opening()
	o.Key, o.TTL, o.Node.Host, o.Node.Folder = "another key", 0, "lab2", "/srv/rota"
	_, err := other.c.OpenSession(other.c.ctx, o)
	w.refused("a taken name", err, rota.ErrConflict)
	if fix := rota.FixOf(err); !strings.Contains(fix, "rota up --force") {
		w.Errorf("what mends it: %q", fix)
	}
	o.Force = true
	if _, err := other.c.OpenSession(other.c.ctx, o); err != nil {
		w.Fatal(err)
	}
	_, err = m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, State: rota.NodeUp})
	w.refused("a renewal of the one that was ousted", err, rota.ErrLeaseLost)
	equal(w, "where the name is now", w.seen("one").Folder, "/srv/rota")
	b := other.claimOne() // when nobody can be running it any more
	equal(w, "tried again", b.Try, rota.Try{Task: a.Task, Attempt: 2})
	equal(w, "the other", w.seen("one.1").State, rota.NodeLost)
	other.ends(rota.OutcomeSucceeded, b)
	w.kim.inState(id, rota.Succeeded)
}
