package storetest

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testUsers(s suite) {
	s.test("are_kept_and_replaced_by_name", usersKept)
	s.test("take_their_tokens_with_them", usersGo)
	s.test("redeem_a_link_once", linksOnce)
	s.test("deeds_are_added_with_the_write_or_not_at_all", deedsWithWrites)
}

func usersKept(t *testing.T, w *world) {
	u, err := w.PutUser(w.ctx, rota.User{Name: "uma", Role: rota.RoleOperator, Queues: "gpu", Hash: "h"})
	if err != nil || !u.Created.Equal(w.clock.Now()) || !u.Password {
		t.Fatalf("%+v, %v", u, err)
	}
	created := u.Created
	w.clock.Advance(time.Hour)
	if u, err = w.PutUser(w.ctx, rota.User{Name: "uma", Role: rota.RoleViewer}); err != nil || !u.Created.Equal(created) || !u.Changed.Equal(w.clock.Now()) {
		t.Fatalf("%+v, %v", u, err)
	}
	w.reopen(t)
	all, err := w.Users(w.ctx, "uma")
	if err != nil || len(all) != 1 || all[0].Role != rota.RoleViewer || all[0].Queues != "" || all[0].Hash != "" || all[0].Password {
		t.Errorf("kept as %+v, %v", all, err)
	}
	told := rota.Tell{MailTo: []string{"uma@example.org"}, MailOn: rota.MailOnEnd, Notify: []string{"https://example.org/hook?key=x"}}
	for _, want := range []rota.Tell{told, {MailOn: rota.MailOnAlways}, {}} {
		if _, err := w.PutUser(w.ctx, rota.User{Name: "uma", Role: rota.RoleViewer, Tell: want}); err != nil {
			t.Fatal(err)
		}
		w.reopen(t)
		if all, err := w.Users(w.ctx, "uma"); err != nil || len(all) != 1 || !reflect.DeepEqual(all[0].Tell, want) {
			t.Errorf("kept as %+v, %v; want %+v", all, err, want)
		}
	}
	if all, err := w.Users(w.ctx, "none"); err != nil || len(all) != 0 {
		t.Errorf("none: %+v, %v", all, err)
	}
}

func usersGo(t *testing.T, w *world) {
	if _, err := w.PutUser(w.ctx, rota.User{Name: "uma", Role: rota.RoleViewer}); err != nil {
		t.Fatal(err)
	}
	for i, tok := range []rota.Token{{User: "uma"}, {User: "uma", Login: true}, {}} {
		tok.Name, tok.Role, tok.Hash = "t", rota.RoleViewer, string(rune('a'+i))
		if _, err := w.PutToken(w.ctx, tok); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.PutToken(w.ctx, rota.Token{Name: "t", Hash: "x", User: "none"})
	wantIs(t, "a token of nobody", err, rota.ErrNotFound)
	left := func(want int) {
		t.Helper()
		if all, err := w.Tokens(w.ctx, ""); err != nil || len(all) != want {
			t.Errorf("%+v, %v; want %d", all, err, want)
		}
	}
	if err := w.DropLogins(w.ctx, "uma"); err != nil {
		t.Fatal(err)
	}
	left(2)
	if err := w.DropUser(w.ctx, "uma"); err != nil {
		t.Fatal(err)
	}
	left(1)
	wantIs(t, "again", w.DropUser(w.ctx, "uma"), rota.ErrNotFound)
}

func linksOnce(t *testing.T, w *world) {
	put := func(hash string, lasts time.Duration) {
		t.Helper()
		if _, err := w.PutToken(w.ctx, rota.Token{Name: "kim", Role: rota.RoleSubmitter, Queues: "gpu", Hash: hash, Once: true, Expires: w.clock.Now().Add(lasts)}); err != nil {
			t.Fatal(err)
		}
	}
	put("l1", time.Minute)
	won := make(chan rota.Token, 8)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if tok, err := w.RedeemToken(w.ctx, "l1", string(rune('a'+i)), rota.Duration(time.Hour)); err == nil {
				won <- tok
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Fatalf("it was redeemed %d times", len(won))
	}
	if tok := <-won; tok.Name != "kim" || tok.Role != rota.RoleSubmitter || tok.Queues != "gpu" || tok.Once || !tok.Expires.Equal(w.clock.Now().Add(time.Hour)) {
		t.Errorf("redeemed for %+v", tok)
	}
	put("l2", time.Minute)
	w.clock.Advance(2 * time.Minute)
	_, err := w.RedeemToken(w.ctx, "l2", "z", rota.Duration(time.Hour))
	wantIs(t, "too late", err, rota.ErrUnauthenticated)
	w.clock.Advance(2 * time.Hour)
	w.pruneAll(t)
	if all, err := w.Tokens(w.ctx, ""); err != nil || len(all) != 0 {
		t.Errorf("what has expired stays: %+v, %v", all, err)
	}
}

func deedsWithWrites(t *testing.T, w *world) {
	ctx := rota.WithDeed(w.ctx, rota.Deed{By: "kim", From: "10.0.0.1", What: "drop token", On: "token 1", Detail: "x"})
	count := func(want int) []rota.Deed {
		t.Helper()
		all, err := w.Deeds(w.ctx, rota.DeedQuery{})
		if err != nil || len(all) != want {
			t.Fatalf("%+v, %v; want %d", all, err, want)
		}
		return all
	}
	wantIs(t, "what fails", w.DropToken(ctx, 4711), rota.ErrNotFound)
	count(0)
	w.submitOnly(t, job())
	count(0)
	if _, err := w.PutToken(ctx, rota.Token{Name: "t", Role: rota.RoleViewer, Hash: "h"}); err != nil {
		t.Fatal(err)
	}
	d := count(1)[0]
	if d.By != "kim" || d.From != "10.0.0.1" || d.What != "drop token" || d.On != "token 1" || d.Detail != "x" || !d.At.Equal(w.clock.Now()) {
		t.Errorf("kept as %+v", d)
	}
	// Of a submit: one line for each job that was made, and none for one that was there.
	for range 2 {
		if _, err := w.Submit(ctx, []rota.NewJob{job(keyed("k", "h")), job(after(rota.AfterOK, 999))}); err != nil {
			t.Fatal(err)
		}
		count(2)
	}
	if d := count(2)[0]; d.On == "" || d.On == "token 1" {
		t.Errorf("of a submit: %+v", d)
	}
	w.clock.Advance(1000 * time.Hour)
	w.sweep(t, rota.Sweep{What: rota.SweepPrune, Retention: rota.Retention{Age: rota.Duration(time.Hour), Jobs: 1, Bytes: 1}}) // history goes, the audit stays
	w.reopen(t)
	count(2)
}
