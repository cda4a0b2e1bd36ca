package servicetest

import (
	"strings"

	"github.com/rotaqueue/rota"
)

var sessionTests = []contract{
	{"P3 a closed session claims nothing", closedSession},
	{"P3 D14 what a lost session ran is tried again", lostSession},
	{"P10 what was never started is given back", neverStarted},
	{"P7 losses have an end", lostTooOften},
	{"P4 a name belongs to its key", nameTaken},
	{"P5 a renewal finds what differs", renewalDigest},
	{"a session that is not there", unknownSession},
	{"a node that is asked to drain is told", drainTold},
	{"a session that goes on is told to drain, a new one is not", drainGoesOn},
	{"who does not run is not drained", drainRefused},
}

func closedSession(w *world) {
	w.kim.submit(run())
	w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	if err := m.c.CloseSession(m.c.ctx, m.id); err != nil {
		w.Fatal(err)
	}
	_, err := m.try(rota.Exchange{Seq: m.seq + 1, Claim: rota.Claim{Max: 1}})
	w.refused("a claim of a closed session", err, rota.ErrLeaseLost)
	_, err = m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, State: rota.NodeUp})
	w.refused("a renewal of a closed session", err, rota.ErrLeaseLost)
	for _, b := range w.node("two").claim(2) {
		if b.Task == a.Task && b.Attempt <= a.Attempt {
			w.Errorf("claimed again as attempt %d, after %d", b.Attempt, a.Attempt)
		}
	}
}

func lostSession(w *world) {
	id := w.kim.submit(run(retries(0)))
	old := w.node("one")
	a := old.claimOne()
	now := w.node("one", a.Try)
	_, err := old.c.Renew(old.c.ctx, rota.Renewal{Session: old.id, State: rota.NodeUp})
	w.refused("a renewal of a lost session", err, rota.ErrLeaseLost)
	b := now.claimOne()
	equal(w, "claimed again", b.Try, rota.Try{Task: a.Task, Attempt: 2})
	got, err := old.try(rota.Exchange{Seq: old.seq + 1, Finished: []rota.Finish{finish(a.Try, rota.OutcomeSucceeded)}})
	if err == nil && len(got.Refused) != 1 {
		w.Error("the lost attempt's finish was recorded while another runs")
	}
	now.ends(rota.OutcomeSucceeded, b)
	task, earlier, err := w.kim.Task(w.kim.ctx, rota.PlainTask(id))
	if err != nil || task.Lost != 1 || len(earlier) != 1 || earlier[0].Outcome != rota.OutcomeLost {
		w.Errorf("task %+v, earlier %+v, error %v: want one lost attempt", task, earlier, err)
	}
}

func neverStarted(w *world) {
	id := w.kim.submit(run(retries(0)))
	w.node("one").claimOne()
	b := w.node("one").claimOne() // its journal knows of nothing that was started
	equal(w, "attempt", b.Attempt, 2)
	task := w.kim.task(rota.PlainTask(id))
	if task.Lost != 0 || task.Returns != 1 {
		w.Errorf("lost %d, given back %d: want it given back once", task.Lost, task.Returns)
	}
}

func lostTooOften(w *world) {
	most := 2
	id := w.kim.submit(run(func(s *rota.Spec) { s.Retry = &rota.Retry{MaxLost: &most} }))
	m := w.node("one")
	for n := 1; n <= most+1; n++ {
		a := m.claimOne()
		equal(w, "attempt", a.Attempt, n)
		m = w.node("one", a.Try)
	}
	job := w.kim.inState(id, rota.Failed)
	if task := w.kim.task(rota.PlainTask(job.ID)); task.Lost != most+1 || task.Reason == "" {
		w.Errorf("lost %d times, reason %q; want %d, and a reason", task.Lost, task.Reason, most+1)
	}
}

func nameTaken(w *world) {
	m := w.node("one")
	_, err := m.c.OpenSession(m.c.ctx, rota.Opening{Session: "thief", Key: "another key", Sole: true, Node: rota.Node{Name: "one", Slots: 1}})
	w.refused("a taken name", err, rota.ErrConflict)
	m.exchange(1) // it goes on
	_, err = m.c.OpenSession(m.c.ctx, rota.Opening{Session: "x", Key: "k", Node: rota.Node{Name: "no good"}})
	w.refused("a wrong name", err, rota.ErrInvalid)
}

func renewalDigest(w *world) {
	w.kim.submit(run())
	w.kim.submit(run())
	m := w.node("one")
	as := m.claim(2)
	renew := func(held ...rota.Try) rota.Renewed {
		got, err := m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, State: rota.NodeUp, Seq: m.seq, Held: held})
		if err != nil {
			w.Fatal(err)
		}
		return got
	}
	if got := renew(as[0].Try, as[1].Try); len(got.Strays)+len(got.Gone) != 0 {
		w.Errorf("all are held: got %+v", got)
	}
	strange := rota.Try{Task: rota.PlainTask(4711), Attempt: 1}
	got := renew(as[0].Try, strange)
	equal(w, "strays", got.Strays, []rota.Try{as[1].Try})
	equal(w, "gone", got.Gone, []rota.Try{strange})
	w.kim.operate(rota.ActCancel, jobs(as[0].Task.Job()))
	equal(w, "ending", renew(as[0].Try, as[1].Try).Ending, []rota.EndingTry{{Try: as[0].Try, How: rota.EndingCancel}})
}

func unknownSession(w *world) {
	m := &machine{c: w.admin, id: "nobody-knows"}
	_, err := m.try(rota.Exchange{Seq: 1, Claim: rota.Claim{Max: 1}})
	w.refused("an exchange", err, rota.ErrLeaseLost)
	_, err = m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, State: rota.NodeUp})
	w.refused("a renewal", err, rota.ErrLeaseLost)
}

func (c *client) drain(node string) {
	c.w.Helper()
	if err := c.DrainNode(c.ctx, node); err != nil {
		c.w.Fatalf("drain node %s: %v", node, err)
	}
}

// toldToDrain reports what a renewal says of that.
func (m *machine) toldToDrain() bool {
	m.c.w.Helper()
	got, err := m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, Seq: m.seq})
	if err != nil {
		m.c.w.Fatalf("renew %s: %v", m.id, err)
	}
	return got.Drain
}

func drainTold(w *world) {
	m, other := w.node("one"), w.node("two")
	m.settle()
	other.settle()
	for range 2 { // asking again is told again
		got := m.await()
		w.operator.drain("one")
		equal(w, "news", soon(w, got), rota.News{Drain: true})
		news, err := m.c.Await(m.c.ctx, m.id, 0)
		if err != nil || news.Drain {
			w.Errorf("told once more: %+v, %v", news, err)
		}
		equal(w, "its renewal", m.toldToDrain(), true)
	}
	news, err := other.c.Await(other.c.ctx, other.id, 0)
	if err != nil || news.Drain || other.toldToDrain() {
		w.Errorf("the other node is told too: %+v, %v", news, err)
	}
}

func drainGoesOn(w *world) {
	m := w.node("one")
	again := func(id rota.SessionID) rota.Opened {
		w.Helper()
		got, err := m.c.OpenSession(m.c.ctx, rota.Opening{Session: id, Key: "key of one", Sole: true, Node: rota.Node{Name: "one", Slots: 1}})
		if err != nil {
			w.Fatal(err)
		}
		return got
	}
	equal(w, "before anybody asked", again(m.id).Drain, false)
	w.operator.drain("one")
	equal(w, "opened again", again(m.id).Drain, true)
	equal(w, "anew", again("another").Drain, false)
}

func drainRefused(w *world) {
	err := w.operator.DrainNode(w.operator.ctx, "nobody")
	w.refused("an unknown node", err, rota.ErrNotFound)
	equal(w, "what mends it", rota.FixOf(err), "rota node ls")
	m := w.node("one")
	if err := m.c.CloseSession(m.c.ctx, m.id); err != nil {
		w.Fatal(err)
	}
	err = w.operator.DrainNode(w.operator.ctx, "one")
	w.refused("a node that is down", err, rota.ErrConflict)
	if err != nil && !strings.Contains(err.Error(), "node one does not run") {
		w.Errorf("refused with %q", err)
	}
}
