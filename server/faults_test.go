package server

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/storetest"
)

// as says in whose name calls are made.
func as(name string, role rota.Role) context.Context {
	return rota.WithPrincipal(context.Background(), rota.Principal{Name: name, Role: role})
}

var admin = as("ada", rota.RoleAdmin)

func faulty(t *testing.T) (*Server, *storetest.Faulty) {
	t.Helper()
	store := storetest.NewFaulty(openStore(t, nil))
	return New(store, Options{}), store
}

func plain(name string) rota.Submission {
	return rota.Submission{Spec: rota.Spec{Name: name, Argv: []string{"true"}}}
}

func open(t *testing.T, s rota.Service, id rota.SessionID) {
	t.Helper()
	if _, err := s.OpenSession(admin, rota.Opening{Session: id, Key: "k", Sole: true, Node: rota.Node{Name: string(id), Slots: 4}}); err != nil {
		t.Fatal(err)
	}
}

func TestErrorsOfTheStoreHaveAKind(t *testing.T) {
	s, store := faulty(t)
	cause := errors.New("no such table: job")
	store.Error(cause)
	store.Plan(func(storetest.Call) storetest.Fault { return storetest.Fail })
	_, err := s.Job(admin, 1)
	if !errors.Is(err, rota.ErrInternal) || !errors.Is(err, cause) {
		t.Errorf("an unknown error: got %v, want it internal, with its cause", err)
	}
	store.Error(rota.Errorf(rota.ErrFull, "the disk is full"))
	if _, err := s.Submit(admin, plain("x")); !errors.Is(err, rota.ErrFull) || errors.Is(err, rota.ErrInternal) {
		t.Errorf("a full disk: got %v", err)
	}
}

func TestRunEndsWithABrokenStore(t *testing.T) {
	s, store := faulty(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	store.Error(rota.Errorf(rota.ErrBroken, "fsync failed"))
	store.Plan(func(c storetest.Call) storetest.Fault {
		if c.Method == "Submit" {
			return storetest.Fail
		}
		return storetest.None
	})
	if _, err := s.Submit(admin, plain("x")); !errors.Is(err, rota.ErrBroken) {
		t.Errorf("submit: got %v", err)
	}
	if err := <-done; !errors.Is(err, rota.ErrBroken) {
		t.Errorf("run: got %v, want the store's error", err)
	}
}

func TestP5LostRepliesLoseNothing(t *testing.T) {
	s, store := faulty(t)
	for range 3 {
		if _, err := s.Submit(admin, plain("x")); err != nil {
			t.Fatal(err)
		}
	}
	open(t, s, "one")
	x := rota.Exchange{Session: "one", Seq: 1, Claim: rota.Claim{Max: 2}}
	store.Plan(storetest.DropNth("Exchange", 1))
	if _, err := s.Exchange(admin, x); !errors.Is(err, rota.ErrUnavailable) {
		t.Fatalf("a lost reply: got %v", err)
	}
	again, err := s.Exchange(admin, x)
	if err != nil || len(again.Claimed) != 2 {
		t.Fatalf("again: got %+v, error %v; want the two that were claimed", again, err)
	}
	for _, a := range again.Claimed {
		if p, err := s.Authenticate(admin, a.Token); err != nil || p.Within != a.Task {
			t.Errorf("its token: %+v, error %v", p, err)
		}
	}
	twice, err := s.Exchange(admin, x)
	if err != nil || !reflect.DeepEqual(twice, again) {
		t.Errorf("once more: got %+v, error %v", twice, err)
	}
}

func TestP20LostReplyOfASubmit(t *testing.T) {
	s, store := faulty(t)
	sub := plain("x")
	sub.Key = "k"
	store.Plan(storetest.DropNth("Submit", 1))
	if _, err := s.Submit(admin, sub); !errors.Is(err, rota.ErrUnavailable) {
		t.Fatalf("a lost reply: got %v", err)
	}
	got, err := s.Submit(admin, sub)
	if err != nil || !got.Existing {
		t.Errorf("again: got %+v, error %v; want the job that was made", got, err)
	}
	if all, err := s.Jobs(admin, rota.JobQuery{}); err != nil || len(all) != 1 {
		t.Errorf("jobs: %d, error %v; want 1", len(all), err)
	}
}

func TestP6CancelledSubmitIsStoredOrNot(t *testing.T) {
	s, _ := faulty(t)
	ctx, cancel := context.WithCancel(admin)
	cancel()
	if _, err := s.Submit(ctx, plain("gone")); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who is gone: got %v", err)
	}
	if _, err := s.Submit(admin, plain("here")); err != nil {
		t.Errorf("the next: %v", err)
	}
	all, err := s.Jobs(admin, rota.JobQuery{})
	if err != nil || len(all) != 1 || !strings.Contains(all[0].Spec.Name, "here") {
		t.Errorf("jobs: %+v, error %v", all, err)
	}
}
