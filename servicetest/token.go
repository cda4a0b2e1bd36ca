package servicetest

import (
	"time"

	"github.com/rotaqueue/rota"
)

var tokenTests = []contract{
	{"a token lets its bearer in with its role", tokenLetsIn},
	{"a dropped token is worthless", droppedToken},
	{"an expired token is refused", expiredToken},
	{"what is no token is refused", noToken},
	{"tokens that cannot be are refused", wrongTokens},
}

func (w *world) token(t rota.Token) rota.Token {
	w.Helper()
	made, err := w.admin.CreateToken(w.admin.ctx, t)
	if err != nil {
		w.Fatalf("create token %+v: %v", t, err)
	}
	return made
}

func tokenLetsIn(w *world) {
	made := w.token(rota.Token{Name: "ci", Role: rota.RoleOperator})
	other := w.token(rota.Token{Name: "ci", Role: rota.RoleViewer})
	if made.Secret == "" || made.Secret == other.Secret || made.ID == other.ID || made.Created.IsZero() {
		w.Errorf("made %+v and %+v: want two with secrets of their own", made, other)
	}
	p, err := w.Authenticate(w.Context(), made.Secret)
	if err != nil || p.Name != "ci" || p.Role != rota.RoleOperator || p.Within != 0 {
		w.Errorf("its bearer: got %+v, error %v", p, err)
	}
	all, err := w.admin.Tokens(w.admin.ctx)
	if err != nil || len(all) != 2 {
		w.Fatalf("tokens: got %d, error %v; want 2", len(all), err)
	}
	for _, t := range all {
		if t.Secret != "" || t.Hash != "" {
			w.Errorf("token %d shows its secret", t.ID)
		}
	}
}

func droppedToken(w *world) {
	made := w.token(rota.Token{Name: "ci", Role: rota.RoleViewer})
	if err := w.admin.DropToken(w.admin.ctx, made.ID); err != nil {
		w.Fatal(err)
	}
	_, err := w.Authenticate(w.Context(), made.Secret)
	w.refused("a dropped token", err, rota.ErrUnauthenticated)
	w.refused("dropping it again", w.admin.DropToken(w.admin.ctx, made.ID), rota.ErrNotFound)
}

func expiredToken(w *world) {
	made := w.token(rota.Token{Name: "ci", Role: rota.RoleViewer, Expires: time.Now().Add(300 * time.Millisecond)})
	w.eventually("the token expires", func() bool {
		_, err := w.Authenticate(w.Context(), made.Secret)
		if err != nil {
			w.refused("an expired token", err, rota.ErrUnauthenticated)
		}
		return err != nil
	})
}

func noToken(w *world) {
	made := w.token(rota.Token{Name: "ci", Role: rota.RoleViewer})
	for _, secret := range []string{"", "x", "rt_", made.Secret[:len(made.Secret)-1], made.Secret + "0", "rtj_", "rtj_1_1", "rtj_1_1_", "rtj_a_b_c"} {
		_, err := w.Authenticate(w.Context(), secret)
		w.refused("the token "+secret, err, rota.ErrUnauthenticated)
	}
}

func wrongTokens(w *world) {
	for what, t := range map[string]rota.Token{
		"no name":      {Role: rota.RoleViewer},
		"a wrong name": {Name: "a b", Role: rota.RoleViewer},
		"no role":      {Name: "ci"},
		"a wrong role": {Name: "ci", Role: "king"},
		"a past end":   {Name: "ci", Role: rota.RoleViewer, Expires: time.Now().Add(-time.Hour)},
	} {
		_, err := w.admin.CreateToken(w.admin.ctx, t)
		w.refused(what, err, rota.ErrInvalid)
	}
}
