package storetest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/storetest"
)

// counted is a store that counts its submits and has nothing else.
type counted struct {
	rota.Store
	submits int
}

func (c *counted) Submit(_ context.Context, jobs []rota.NewJob) ([]rota.SubmitResult, error) {
	c.submits++
	return make([]rota.SubmitResult, len(jobs)), nil
}

func (c *counted) Identity(context.Context) (rota.Identity, error) {
	return rota.Identity{ID: "x"}, nil
}

func (c *counted) Close() error { return nil }

func TestFaulty(t *testing.T) {
	ctx := context.Background()
	inner := &counted{}
	f := storetest.NewFaulty(inner)
	submit := func(wantErr error, happens bool) {
		t.Helper()
		before := inner.submits
		r, err := f.Submit(ctx, make([]rota.NewJob, 2))
		if !errors.Is(err, wantErr) || (wantErr == nil) != (len(r) == 2) || (inner.submits > before) != happens {
			t.Errorf("%d results, %v, happened %v; want %v, %v", len(r), err, inner.submits > before, wantErr, happens)
		}
	}
	submit(nil, true)
	f.Plan(storetest.FailNth("Submit", 3))
	submit(nil, true)
	submit(rota.ErrUnavailable, false)
	submit(nil, true)
	f.Plan(storetest.DropNth("Submit", 5))
	f.Error(rota.ErrBroken)
	submit(rota.ErrBroken, true)
	if _, err := f.Identity(ctx); err != nil {
		t.Error(err)
	}
	f.Plan(storetest.FailNth("", 7))
	submit(rota.ErrBroken, false)
	f.Plan(func(c storetest.Call) storetest.Fault {
		if c.Method == "Identity" && c.N == 2 && c.Total == 8 {
			return storetest.Drop
		}
		return storetest.Fail
	})
	if id, err := f.Identity(ctx); !errors.Is(err, rota.ErrBroken) || id.ID != "" {
		t.Errorf("%+v, %v", id, err)
	}
	if f.Calls("Submit") != 6 || f.Calls("Identity") != 2 || f.Calls("") != 8 || inner.submits != 4 {
		t.Errorf("calls %d, %d, %d; %d happened", f.Calls("Submit"), f.Calls("Identity"), f.Calls(""), inner.submits)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
