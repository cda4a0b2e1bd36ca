package examples_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/executor"
	execjob "github.com/rotaqueue/rota/executor/exec"
	"github.com/rotaqueue/rota/executor/shell"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/node"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/pgtest"
	"github.com/rotaqueue/rota/store/sqlstore"
	"github.com/rotaqueue/rota/web"
)

// name is that by which clients call the proxies of the examples.
const name = "rota.example.org"

// patience is how long a test waits for what should happen, on a machine that is busy.
const patience = time.Minute

// nodes are a node with two addresses, each with an API of its own, and an operator's token.
type nodes struct {
	doors  [2]*door
	token  string // the file with it
	secret string
}

func newNodes(t *testing.T) *nodes {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlstore.Open(t.Context(), filepath.Join(dir, "rota.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := keeper.New(keeper.Options{Dir: filepath.Join(dir, "node"), Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(rota.WithPrincipal(context.Background(), rota.Principal{Name: "test", Role: rota.RoleAdmin}))
	quiet := slog.New(slog.DiscardHandler)
	live := &later{}
	svc := server.New(store, server.Options{Node: "node", Live: live, Log: quiet})
	live.node = node.New(svc, k, []executor.Executor{execjob.Executor{}, shell.Executor{}},
		node.Options{Name: "node", Key: "k", Slots: 4, Dir: filepath.Join(dir, "node"), Log: quiet})
	var all sync.WaitGroup
	for _, run := range []func(context.Context) error{svc.Run, live.node.Run} {
		all.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	n := &nodes{}
	t.Cleanup(func() {
		stop()
		all.Wait()
		k.Close()
		store.Close()
	})
	for i := range n.doors {
		n.doors[i] = &door{server: svc, address: "127.0.0.1:0"}
		n.doors[i].open(t)
		t.Cleanup(n.doors[i].close)
	}
	token, err := svc.CreateToken(ctx, rota.Token{Name: "test", Role: rota.RoleOperator})
	if err != nil {
		t.Fatal(err)
	}
	n.token, n.secret = filepath.Join(dir, "token"), token.Secret
	if err := os.WriteFile(n.token, []byte(n.secret), 0o600); err != nil {
		t.Fatal(err)
	}
	return n
}

// later is the node whose output the server shows, which needs the server to begin with.
type later struct{ node *node.Node }

func (l *later) Output(ctx context.Context, q rota.OutputQuery) (rota.Output, bool, error) {
	return l.node.Output(ctx, q)
}

// door is a node's address, which can be taken away and come back.
type door struct {
	server  *server.Server
	address string
	asked   atomic.Int64 // how many calls came
	api     *api.Server
	ended   chan error
}

func (d *door) open(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	d.address = ln.Addr().String()
	d.api = api.New(d.server, api.Options{Hosts: []string{name}, Pages: web.New(d.server, web.Options{Authenticate: d.server.Authenticate}), Log: slog.New(slog.DiscardHandler),
		Authenticate: func(ctx context.Context, secret string) (rota.Principal, error) {
			d.asked.Add(1)
			return d.server.Authenticate(ctx, secret)
		}})
	d.ended = make(chan error, 1)
	go func(s *api.Server) { d.ended <- s.Serve(ln) }(d.api)
}

// close takes the address away as a crash does: in the middle of what is asked.
func (d *door) close() {
	if d.api != nil {
		d.api.Close()
		<-d.ended
		d.api = nil
	}
}

// rotaPath is the program, built once.
var rotaPath = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rota-examples-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "rota")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, "../cmd/rota")
	if out, err := cmd.CombinedOutput(); err != nil {
		return path, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func needBinary(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the binary")
	}
}

func TestMain(m *testing.M) {
	status := pgtest.Run(m)
	if path, _ := rotaPath(); path != "" {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// client is somebody with the command line and a token, who knows a proxy by its URL.
type client struct {
	*testing.T
	url, token, authority string
}

func (c *client) command(args ...string) *exec.Cmd {
	c.Helper()
	rota, err := rotaPath()
	if err != nil {
		c.Fatal(err)
	}
	cmd := exec.CommandContext(c.Context(), rota, args...)
	cmd.Env = append(os.Environ(), "ROTA_SERVER="+c.url, "ROTA_TOKEN_FILE="+c.token, "SSL_CERT_FILE="+c.authority, "HOME="+c.TempDir())
	return cmd
}

// rota runs a command that must succeed, and is what it writes.
func (c *client) rota(args ...string) string {
	c.Helper()
	out, err := c.command(args...).Output()
	if err != nil {
		var said []byte
		if failed, ok := err.(*exec.ExitError); ok {
			said = failed.Stderr
		}
		c.Fatalf("rota %s: %v\n%s%s", strings.Join(args, " "), err, out, said)
	}
	return strings.TrimSpace(string(out))
}
