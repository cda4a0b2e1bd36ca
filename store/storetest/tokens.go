package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testTokens(s suite) {
	s.test("are_kept_by_hash_and_never_with_the_secret", tokensKept)
	s.test("P4_a_nodes_token_is_that_nodes_alone", tokenOfANode)
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

func tokenOfANode(t *testing.T, w *world) {
	put := func(node string) rota.Token {
		tok, err := w.PutToken(w.ctx, rota.Token{Name: "t", Role: rota.RoleNode, Node: node, Hash: w.name("hash")})
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	open := func(tok rota.Token, node string) error {
		o := (&session{w: w, id: rota.SessionID(w.name("session")), node: node}).opening(true)
		o.Token = tok.ID
		_, err := w.OpenSession(w.ctx, o)
		return err
	}
	belongs := func(tok rota.Token, want string) {
		t.Helper()
		if got, err := w.Tokens(w.ctx, tok.Hash); err != nil || len(got) != 1 || got[0].Node != want {
			t.Errorf("it is %+v, %v; want node %q", got, err, want)
		}
	}
	first, given := put(""), put("a")
	belongs(first, "")
	wantIs(t, "another node's name", open(given, "b"), rota.ErrDenied)
	w.session(t) // of another node, without a token
	if err := errors.Join(open(given, "a"), open(first, "b"), open(first, "b"), open(given, "a")); err != nil {
		t.Errorf("by their own tokens: %v", err)
	}
	w.reopen(t)
	belongs(first, "b")
	belongs(given, "a")
	wantIs(t, "the other's token", open(first, "a"), rota.ErrDenied)
	other := (&session{w: w, id: "x", node: "a"}).opening(true)
	other.Key, other.Token = "another key", put("").ID
	_, err := w.OpenSession(w.ctx, other)
	wantIs(t, "another key", err, rota.ErrConflict)
	if all, err := w.Tokens(w.ctx, ""); err != nil || all[len(all)-1].Node != "" {
		t.Errorf("an opening that was refused took the token: %+v, %v", all, err)
	}
	if err := w.DropToken(w.ctx, first.ID); err != nil {
		t.Error(err)
	}
	wantIs(t, "a token that was withdrawn", open(first, "b"), rota.ErrDenied)
}
