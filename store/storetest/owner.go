package storetest

import (
	"testing"

	"github.com/rotaqueue/rota"
)

func nodeOwns(t *testing.T, w *world) {
	owned := func(s *session) {
		t.Helper()
		if got, err := w.Owner(w.ctx, s.id); err != nil || got != s.node {
			t.Errorf("session %s is that of %q, %v; want %s", s.id, got, err, s.node)
		}
	}
	runs := func(node string, job rota.JobID, want bool) {
		t.Helper()
		if got, err := w.Runs(w.ctx, node, job); err != nil || got != want {
			t.Errorf("job %v runs on %s: %v, %v; want %v", job, node, got, err, want)
		}
	}
	_, err := w.Owner(w.ctx, "nobody")
	wantIs(t, "no such session", err, rota.ErrNotFound)
	a, b := w.session(t), w.session(t)
	task := w.one(t)
	job := task.Job()
	runs(a.node, job, false)
	try := a.claimOne(t, task)
	waits := w.one(t).Job()
	runs(a.node, job, true)
	runs(b.node, job, false)
	runs(a.node, waits, false)
	owned(a)
	a.finish(t, end(try, rota.OutcomeSucceeded))
	runs(a.node, job, false)
	if err := w.CloseSession(w.ctx, b.id); err != nil {
		t.Fatal(err)
	}
	w.reopen(t)
	owned(a)
	owned(b)
	w.sessionOf(t, a.node, true)
	owned(a)
}
