package server

import (
	"context"
	"errors"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestP28RemoteSubmitters(t *testing.T) {
	store := openStore(t, nil)
	for _, tt := range []struct {
		trust  bool
		p      rota.Principal
		denied bool
	}{
		{false, rota.Principal{Name: "kim", Role: rota.RoleSubmitter}, false},
		{false, rota.Principal{Name: "kim", Role: rota.RoleSubmitter, Remote: true}, true},
		{false, rota.Principal{Name: "ole", Role: rota.RoleOperator, Remote: true}, false},
		{true, rota.Principal{Name: "kim", Role: rota.RoleSubmitter, Remote: true}, false},
		{false, rota.Principal{Name: "kim", Role: rota.RoleSubmitter, Remote: true, Within: rota.PlainTask(1)}, false},
	} {
		s := New(store, Options{TrustSubmitters: tt.trust})
		ctx := rota.WithPrincipal(context.Background(), tt.p)
		_, err := s.Submit(ctx, plain("x"))
		if denied := errors.Is(err, rota.ErrDenied); denied != tt.denied || (err != nil) != tt.denied {
			t.Errorf("submit by %+v, trusted %v: got error %v; denied: want %v", tt.p, tt.trust, err, tt.denied)
		}
		if tt.denied && rota.FixOf(err) == "" {
			t.Errorf("the refusal %q does not say what to do", err)
		}
		if tt.p.Within != 0 {
			continue
		}
		sch, err := s.PutSchedule(ctx, rota.Schedule{Name: "s", Expr: "@daily", Spec: plain("x").Spec})
		if denied := errors.Is(err, rota.ErrDenied); denied != tt.denied || (err != nil) != tt.denied {
			t.Errorf("schedule by %+v, trusted %v: got error %v; denied: want %v", tt.p, tt.trust, err, tt.denied)
		}
		if err == nil {
			if err := s.DropSchedule(ctx, sch.Name); err != nil {
				t.Error(err)
			}
		}
	}
}
