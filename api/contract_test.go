package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/servicetest"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// TestServiceOverTheSocket is the contract of the Service at the far end of the unix socket: the real server on a
// real store behind the API.
func TestServiceOverTheSocket(t *testing.T) {
	servicetest.Run(t, func(t *testing.T) servicetest.Harness {
		svc := realServer(t, server.Options{})
		_, c := overSocket(t, svc, Options{Authenticate: asWritten})
		return servicetest.Harness{
			As:           func(p rota.Principal) rota.Service { return c.WithToken(tokenOf(p)) },
			Authenticate: svc.Authenticate,
		}
	})
}

// TestServiceOverTLS is the same contract for who comes over the network: with a token, to a server whose certificate they
// know by its fingerprint.
func TestServiceOverTLS(t *testing.T) {
	servicetest.Run(t, func(t *testing.T) servicetest.Harness {
		svc := realServer(t, server.Options{TrustSubmitters: true})
		c := connectTo(t, overTLS(t, svc, Options{Authenticate: asWritten}).String(), "")
		return servicetest.Harness{
			As:           func(p rota.Principal) rota.Service { return c.WithToken(tokenOf(p)) },
			Authenticate: svc.Authenticate,
		}
	})
}

func realServer(t testing.TB, opts server.Options) *server.Server {
	t.Helper()
	store, err := sqlstore.Open(context.Background(), filepath.Join(t.TempDir(), "rota.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if opts.Objects == nil {
		opts.Objects = store.Objects()
	}
	s := server.New(store, opts)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error("run:", err)
		}
		if err := store.Close(); err != nil {
			t.Error("close the store:", err)
		}
	})
	return s
}

// tokenOf is a token that says itself whose it is, and asWritten believes it.
func tokenOf(p rota.Principal) string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func asWritten(_ context.Context, secret string) (p rota.Principal, err error) {
	text, err := base64.RawURLEncoding.DecodeString(secret)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil || p.Name == "" {
		return rota.Principal{}, rota.Errorf(rota.ErrUnauthenticated, "token: not known")
	}
	return p, nil
}
