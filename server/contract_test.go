package server

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/objects/folder"
	"github.com/rotaqueue/rota/servicetest"
	"github.com/rotaqueue/rota/store/sqlstore"
)

func TestService(t *testing.T) {
	servicetest.Run(t, func(t *testing.T) servicetest.Harness {
		s := start(t, Options{Objects: openFolder(t)})
		return servicetest.Harness{As: func(rota.Principal) rota.Service { return s }, Authenticate: s.Authenticate}
	})
}

func openFolder(t testing.TB) rota.Objects {
	t.Helper()
	o, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// openStore is a store on a disk, with the clock that is given.
func openStore(t testing.TB, now func() time.Time) rota.Store {
	t.Helper()
	store, err := sqlstore.Open(context.Background(), filepath.Join(t.TempDir(), "rota.db"), sqlstore.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if differences, err := store.Verify(context.Background()); err != nil || len(differences) > 0 {
			t.Errorf("the store at the end: %v, error %v", differences, err)
		}
		if err := store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return store
}

// start is a server on a store of its own, with its background work running.
func start(t testing.TB, opts Options) *Server {
	t.Helper()
	s := New(openStore(t, nil), opts)
	serve(t, s)
	return s
}

// serve does a server's background work until the test ends.
func serve(t testing.TB, s *Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, rota.ErrBroken) {
			t.Errorf("run: %v", err)
		}
	})
}
