package storetest

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// stranger is another node, with a folder of its own, that would have the name of a session's node.
func (s *session) stranger(t tb) (*session, rota.Opening) {
	t.Helper()
	other := &session{w: s.w, id: rota.SessionID(s.w.name("stranger")), node: s.node}
	o := other.opening(true)
	o.Key, o.TTL = "key of "+string(other.id), ttl
	return other, o
}

func (w *world) opens(t tb, o rota.Opening) rota.Opened {
	t.Helper()
	got, err := w.OpenSession(w.ctx, o)
	if err != nil {
		t.Fatalf("open session %s of %s: %v", o.Session, o.Node.Name, err)
	}
	return got
}

func nodeOwn(t *testing.T, w *world) {
	s := w.leased(t)
	o := s.opening(true)
	o.Node.Host, o.Node.Folder = "lab1", "/var/lib/rota"
	w.opens(t, o)
	w.clock.Advance(90 * time.Second)
	_, theirs := s.stranger(t)
	_, err := w.OpenSession(w.ctx, theirs)
	wantIs(t, "another folder with the same name", err, rota.ErrConflict)
	for _, want := range []string{`"` + s.node + `"`, "2026-03-02T12:00:00Z", "1m30s ago", "on lab1", "/var/lib/rota"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if fix := rota.FixOf(err); !strings.Contains(fix, "--name") || !strings.Contains(fix, "--force") {
		t.Errorf("what mends it: %q", fix)
	}
	back := func(what string) {
		t.Helper()
		o.Session = rota.SessionID(w.name("session"))
		if _, err := w.OpenSession(w.ctx, o); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	back("while its session is open")
	(&session{w: w, id: o.Session, node: s.node}).lose(t, 0)
	back("after it was lost")
	if err := w.CloseSession(w.ctx, o.Session); err != nil {
		t.Fatal(err)
	}
	_, err = w.OpenSession(w.ctx, theirs)
	wantIs(t, "when the owner has left", err, rota.ErrConflict)
	w.reopen(t)
	back("after it left")
}

// nodeForce takes the name of a node of which nothing is left: it is forgotten.
func nodeForce(t *testing.T, w *world) {
	s := w.leased(t)
	if err := w.CloseSession(w.ctx, s.id); err != nil {
		t.Fatal(err)
	}
	_, theirs := s.stranger(t)
	theirs.Force = true
	for range 2 { // the second is the first's repetition
		w.opens(t, theirs)
	}
	if nodes, err := w.Nodes(w.ctx); err != nil || len(nodes) != 1 || nodes[0].State != rota.NodeUp {
		t.Errorf("nodes %+v, %v", nodes, err)
	}
	_, err := w.OpenSession(w.ctx, s.opening(true))
	wantIs(t, "the one that was ousted, with the name that is another's now", err, rota.ErrConflict)
}

func nodeOusted(t *testing.T, w *world) {
	killed, goesOn := w.one(t), w.one(t, onStoreLoss(rota.StoreLossRun))
	s := w.leased(t)
	as := s.claim(t, 2)
	beat := s.beat(t)
	other, theirs := s.stranger(t)
	theirs.Force = true
	w.opens(t, theirs)
	if r := s.renewed(t, rota.Renewal{State: rota.NodeUp}); !errors.Is(r.Err, rota.ErrLeaseLost) {
		t.Errorf("the ousted session renews: %v", r.Err)
	}
	w.one(t)
	if _, err := s.try(rota.Claim{Max: 1}); !errors.Is(err, rota.ErrLeaseLost) {
		t.Errorf("it claims: %v", err)
	}
	w.settle(t)
	w.wantState(t, killed, rota.Running) // its lease is not over
	if x, found := s.watched(t); !found || x.State != rota.SessionOpen || x.Beat != beat || x.Node != s.node+".1" {
		t.Errorf("it is watched as %+v", x)
	}
	if old, now := w.node(t, s.node+".1"), w.node(t, s.node); old.Running != 2 || now.Running != 0 || now.State != rota.NodeUp {
		t.Errorf("the ousted %+v, the other %+v", old, now)
	}
	s.finish(t, end(as[1].Try, rota.OutcomeSucceeded)) // what still is its, it may tell
	w.wantState(t, goesOn, rota.Succeeded)
	if !s.lose(t, 0) {
		t.Error("it is not lost")
	}
	w.settle(t)
	w.wantState(t, killed, rota.Ready)
	if old, now := w.node(t, s.node+".1"), w.node(t, s.node); old.State != rota.NodeLost || now.State != rota.NodeUp {
		t.Errorf("the ousted %+v, the other %+v", old, now)
	}
	if got := other.claim(t, 9); len(got) != 2 {
		t.Errorf("claimed %v", ids(got))
	}
	w.verify(t)
}

func nodeOustedReturns(t *testing.T, w *world) {
	id := w.one(t, onStoreLoss(rota.StoreLossRun))
	s := w.leased(t)
	try := s.claimOne(t, id)
	for range 2 { // the second ousts the first that ousted
		_, theirs := s.stranger(t)
		theirs.Force = true
		w.opens(t, theirs)
	}
	s.lose(t, 0)
	w.settle(t)
	w.wantState(t, id, rota.Running)
	o := s.opening(true, try)
	_, err := w.OpenSession(w.ctx, o)
	wantIs(t, "with the name that is another's now", err, rota.ErrConflict)
	o.Session, o.Node.Name = rota.SessionID(w.name("session")), "yet-another"
	w.opens(t, o)
	w.settle(t)
	if task := w.wantState(t, id, rota.Ready); task.Lost != 1 {
		t.Errorf("%+v", task)
	}
	w.verify(t)
}

// nodeRace has two new nodes take one name at once: one has it, and the other is refused.
func nodeRace(t *testing.T, w *world) {
	for range times(200) {
		s := &session{w: w, node: w.name("node")}
		_, a := s.stranger(t)
		_, b := s.stranger(t)
		var errs [2]error
		var wg sync.WaitGroup
		wg.Go(func() { _, errs[0] = w.OpenSession(w.ctx, a) })
		wg.Go(func() { _, errs[1] = w.OpenSession(w.ctx, b) })
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs[:]...), rota.ErrConflict) {
			t.Fatalf("%v, %v", errs[0], errs[1])
		}
	}
}
