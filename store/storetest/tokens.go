package storetest

import (
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testTokens(s suite) {
	s.test("are_kept_by_hash_and_never_with_the_secret", tokensKept)
}

func tokensKept(t *testing.T, w *world) {
	expires := w.clock.Now().Add(time.Hour)
	a, err := w.PutToken(w.ctx, rota.Token{Name: "ci", Role: rota.RoleSubmitter, Expires: expires, Hash: "h1", Secret: "s1"})
	if err != nil || a.ID < 1 || a.Hash != "h1" || !a.Created.Equal(w.clock.Now()) {
		t.Fatalf("%+v, %v", a, err)
	}
	b, err := w.PutToken(w.ctx, rota.Token{Name: "ops", Role: rota.RoleOperator, Hash: "h2"})
	if err != nil || b.ID == a.ID {
		t.Fatalf("%+v, %v", b, err)
	}
	w.reopen(t)
	if all, err := w.Tokens(w.ctx, ""); err != nil || len(all) != 2 || all[0].ID == all[1].ID {
		t.Errorf("all: %+v, %v", all, err)
	}
	got, err := w.Tokens(w.ctx, "h1")
	if err != nil || len(got) != 1 {
		t.Fatalf("by hash: %+v, %v", got, err)
	}
	if x := got[0]; x.ID != a.ID || x.Name != "ci" || x.Role != rota.RoleSubmitter || !x.Expires.Equal(expires) || x.Hash != "h1" || x.Secret != "" {
		t.Errorf("kept as %+v", x)
	}
	if got, err := w.Tokens(w.ctx, "h2"); err != nil || len(got) != 1 || !got[0].Expires.IsZero() {
		t.Errorf("one that never expires: %+v, %v", got, err)
	}
	if got, err := w.Tokens(w.ctx, "h3"); err != nil || len(got) != 0 {
		t.Errorf("an unknown hash: %+v, %v", got, err)
	}
	if err := w.DropToken(w.ctx, a.ID); err != nil {
		t.Error(err)
	}
	wantIs(t, "dropping it again", w.DropToken(w.ctx, a.ID), rota.ErrNotFound)
	if got, err := w.Tokens(w.ctx, "h1"); err != nil || len(got) != 0 {
		t.Errorf("dropped, and still there: %+v, %v", got, err)
	}
	if all, err := w.Tokens(w.ctx, ""); err != nil || len(all) != 1 || all[0].ID != b.ID {
		t.Errorf("left: %+v, %v", all, err)
	}
}
