package join

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	whole "github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// cluster is servers over one store, and who submits to it.
type cluster struct {
	testing.TB
	ctx     context.Context // an admin's
	store   *sqlstore.Store
	servers []*far
	token   string // a node's
}

// far is one of the servers, as it is reached.
type far struct {
	*whole.Server
	http    *httptest.Server
	address string

	mu   sync.Mutex
	bad  func(*http.Request) fault // what becomes of a request; nil: nothing
	lost map[fault]int
}

// fault is what a network does to a request.
type fault int

const (
	none     fault = iota
	refused        // it does not arrive
	replyOut       // it does, and its answer does not come back
)

func newCluster(t testing.TB, servers int) *cluster {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "rota.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	c := &cluster{TB: t, ctx: rota.WithPrincipal(context.Background(), rota.Principal{Name: "ada", Role: rota.RoleAdmin}), store: store}
	for range servers {
		c.add()
	}
	tok, err := c.servers[0].CreateToken(c.ctx, rota.Token{Name: "node", Role: rota.RoleNode})
	if err != nil {
		t.Fatal(err)
	}
	c.token = tok.Secret
	return c
}

func (c *cluster) add() *far {
	f := &far{Server: whole.New(c.store, whole.Options{}), lost: map[fault]int{}}
	a := api.New(f.Server, api.Options{Authenticate: f.Authenticate, Log: slog.New(slog.DiscardHandler)})
	f.http = httptest.NewUnstartedServer(f.through(a.Handler()))
	f.http.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	f.http.StartTLS()
	address, err := api.MakeAddress(f.http.URL, api.FingerprintOf(f.http.Certificate().Raw))
	if err != nil {
		c.Fatal(err)
	}
	f.address = address.String()
	ctx, stop := context.WithCancel(c.ctx)
	served := make(chan struct{})
	go func() { defer close(served); f.Run(ctx) }()
	c.Cleanup(func() {
		f.http.CloseClientConnections()
		f.http.Close()
		stop()
		<-served
	})
	c.servers = append(c.servers, f)
	return f
}

// through is the network before a server.
func (f *far) through(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		what := none
		if f.bad != nil {
			what = f.bad(r)
		}
		f.lost[what]++
		f.mu.Unlock()
		switch what {
		case refused:
			panic(http.ErrAbortHandler)
		case replyOut:
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	})
}

// breaks says what becomes of requests from now on.
func (f *far) breaks(bad func(*http.Request) fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bad = bad
}

// away loses every request.
func (f *far) away() { f.breaks(func(*http.Request) fault { return refused }) }

func (f *far) faults(what fault) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost[what]
}

// join are the servers at addresses, for a node with the cluster's token.
func (c *cluster) join(ttl time.Duration, addresses ...string) *Servers {
	c.Helper()
	s, err := New(addresses, nil, Options{Token: c.token, TTL: ttl, Learned: func([]string) {}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(s.Close)
	return s
}

func (c *cluster) submit(spec rota.Spec) rota.JobID {
	c.Helper()
	got, err := c.servers[0].Submit(c.ctx, rota.Submission{Spec: spec})
	if err != nil {
		c.Fatal(err)
	}
	return got.Job
}

func opening(name string) rota.Opening {
	return rota.Opening{Session: rota.SessionID("session-of-" + name), Key: "key of " + name, Sole: true,
		Node: rota.Node{Name: name, Slots: 1, Queues: []string{"*"}, State: rota.NodeUp}}
}

// silent is the address of somebody who takes connections and says nothing.
func silent(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return "https://" + ln.Addr().String() + "#" + strings.Repeat("1", 64)
}
