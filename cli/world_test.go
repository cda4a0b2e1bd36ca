package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/config"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/executor/blob"
	execjob "github.com/rotaqueue/rota/executor/exec"
	"github.com/rotaqueue/rota/executor/script"
	"github.com/rotaqueue/rota/executor/shell"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/node"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// world is a data folder, and a real node on it when one is up: store, server, keeper, node, API and socket, all in
// this process.
type world struct {
	*testing.T
	dir        string
	work       string // the caller's folder
	transients int    // how many transient nodes were started
	down       func() // stops the node; nil: none runs
	sigs       chan os.Signal
	bench      BenchOptions
	checks     []Check
	stopped    DownOptions // as asked
	downed     Downed      // what is answered
	asked      asked
}

// asked are the streams whose output was asked of a node, in order.
type asked struct {
	mu      sync.Mutex
	streams []string
}

type asking struct {
	rota.Service
	*asked
}

func (a asking) Output(ctx context.Context, q rota.OutputQuery, wait time.Duration) (rota.Output, error) {
	a.mu.Lock()
	a.streams = append(a.streams, q.Task.String()+" "+string(q.Stream))
	a.mu.Unlock()
	return a.Service.Output(ctx, q, wait)
}

// take are those since it was last called, sorted.
func (a *asked) take() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer func() { a.streams = nil }()
	slices.Sort(a.streams)
	return strings.Join(a.streams, ", ")
}

// newWorld is a data folder without a node.
func newWorld(t *testing.T) *world {
	w := &world{T: t, dir: t.TempDir(), work: t.TempDir(), sigs: make(chan os.Signal, 4)}
	for _, name := range []string{"SERVER", "SOCKET", "TOKEN_FILE", "SLOTS", "NODE_NAME", "QUEUES", "LISTEN"} {
		t.Setenv("ROTA_"+name, "")
	}
	t.Setenv("ROTA_DATA", w.dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(w.work, "no-config"))
	t.Chdir(w.work)
	t.Cleanup(func() {
		if w.down != nil {
			w.down()
		}
	})
	return w
}

// newUp is a data folder with a node.
func newUp(t *testing.T) *world {
	w := newWorld(t)
	w.up(false)
	return w
}

func (w *world) socket() string {
	path, err := api.SocketPath(w.dir)
	if err != nil {
		w.Fatal(err)
	}
	return path
}

// up starts a node on the folder.
func (w *world) up(transient bool) {
	ctx, stop := context.WithCancel(rota.WithPrincipal(context.Background(), rota.Principal{Name: "node", Role: rota.RoleAdmin}))
	quiet := slog.New(slog.DiscardHandler)
	store := must(sqlstore.Open(ctx, filepath.Join(w.dir, "rota.db"), sqlstore.Options{}))
	keep := must(keeper.New(keeper.Options{Dir: filepath.Join(w.dir, "work"), Slots: 4, Log: quiet}))
	var n *node.Node
	opts := server.Options{Log: quiet, Node: "n1", Transient: transient, Live: liveFunc(func(ctx context.Context, q rota.OutputQuery) (rota.Output, bool, error) {
		return n.Output(ctx, q)
	})}
	session := rota.SessionID("s-" + strconv.FormatInt(time.Now().UnixNano(), 16))
	if transient {
		opts.Home = session
	}
	srv := server.New(store, opts)
	ln := must(api.ListenUnix(w.dir))
	n = node.New(srv, keep, []executor.Executor{execjob.Executor{}, shell.Executor{}, script.Executor{}, blob.Executor{}}, node.Options{
		Name: "n1", Key: strings.Repeat("k", 32), Session: session, Slots: 4, Dir: filepath.Join(w.dir, "work"),
		Socket: w.socket(), Transient: transient, Log: quiet})
	door := api.New(srv, api.Options{Authenticate: srv.Authenticate, Log: quiet})
	var all sync.WaitGroup
	all.Go(func() { _ = srv.Run(ctx) })
	all.Go(func() { _ = door.Serve(ln) })
	nodeCtx, stopNode := context.WithCancel(ctx)
	nodeEnded := make(chan struct{})
	go func() {
		if n.Run(nodeCtx) == nil {
			door.Close() // a daemon ends with its node
		}
		close(nodeEnded)
	}()
	w.down = func() {
		w.down = nil
		stopNode()
		<-nodeEnded
		keep.Close()
		door.Close()
		stop()
		all.Wait()
		store.Close()
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type liveFunc func(context.Context, rota.OutputQuery) (rota.Output, bool, error)

func (f liveFunc) Output(ctx context.Context, q rota.OutputQuery) (rota.Output, bool, error) {
	return f(ctx, q)
}

type closer func()

func (c closer) Close() error { c(); return nil }

// deps are what main would wire.
func (w *world) deps() Deps {
	return Deps{
		Connect: func(ctx context.Context, t Target) (rota.Service, io.Closer, error) {
			if t.Server != "" {
				c, err := api.Connect(t.Server, t.Token)
				return c, closer(func() {}), err
			}
			if w.down == nil {
				return nil, nil, ErrNoNode
			}
			socket := t.Socket
			if socket == "" {
				socket = w.socket()
			}
			c := api.Dial(socket).WithToken(t.Token)
			return asking{c, &w.asked}, closer(c.Close), nil
		},
		Local: func(ctx context.Context, t Target, write bool) (rota.Service, io.Closer, error) {
			path := filepath.Join(t.Data, "rota.db")
			if _, err := os.Stat(path); err != nil && !write {
				return nil, nil, fs.ErrNotExist
			}
			store, err := sqlstore.Open(ctx, path, sqlstore.Options{ReadOnly: !write})
			if err != nil {
				return nil, nil, err
			}
			return server.New(store, server.Options{}), closer(func() { store.Close() }), nil
		},
		Transient: func(context.Context, config.Config) error {
			w.transients++
			w.up(true)
			return nil
		},
		Down: func(_ context.Context, c config.Config, o DownOptions) (Downed, error) {
			w.stopped = o
			return w.downed, nil
		},
		Upgrade: func(_ context.Context, _ config.Config, program string) (Upgraded, error) {
			return Upgraded{Program: program, From: "1", To: "2", Running: w.downed.Running}, nil
		},
		Up: func(ctx context.Context, c config.Config, o UpOptions) error {
			if o.Check {
				return nil
			}
			o.Ready(Started{Node: c.Name, Data: c.Data, Slots: c.Slots.Count(), Queues: c.Queues, Socket: c.Data + "/rota.sock", Notes: []string{"a note"}})
			if err := o.Reload(); err != nil {
				return err
			}
			o.Left(w.downed)
			return nil
		},
		Doctor: func(context.Context, config.Config) []Check { return w.checks },
		Bench: func(_ context.Context, o BenchOptions, out io.Writer) error {
			w.bench = o
			return nil
		},
	}
}

// result is what a command did.
type result struct {
	out, err string
	code     int
}

// tap is a stream that can be waited on.
type tap struct {
	mu   sync.Mutex
	cond *sync.Cond
	buf  bytes.Buffer
	fail error
}

func newTap() *tap {
	t := &tap{}
	t.cond = sync.NewCond(&t.mu)
	return t
}

func (t *tap) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fail != nil {
		return 0, t.fail
	}
	defer t.cond.Broadcast()
	return t.buf.Write(p)
}

func (t *tap) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// until waits for a text.
func (t *tap) until(test *testing.T, text string) {
	test.Helper()
	late := time.AfterFunc(30*time.Second, func() { t.mu.Lock(); t.fail = errors.New("late"); t.mu.Unlock(); t.cond.Broadcast() })
	defer late.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	for !strings.Contains(t.buf.String(), text) {
		if t.fail != nil {
			test.Fatalf("%q was not written within 30 s, only %q", text, t.buf.String())
		}
		t.cond.Wait()
	}
}

// running is a command that has not ended.
type running struct {
	out, err *tap
	code     chan int
}

func (w *world) start(stdin io.Reader, args ...string) *running {
	r := &running{out: newTap(), err: newTap(), code: make(chan int, 1)}
	a := newApp(w.deps(), stdin, r.out, r.err)
	a.signals = func(...os.Signal) (<-chan os.Signal, func()) { return w.sigs, func() {} }
	ctx := rota.WithPrincipal(context.Background(), rota.Principal{Name: "me", Role: rota.RoleAdmin})
	go func() { r.code <- a.main(ctx, args) }()
	return r
}

func (r *running) end(t *testing.T) result {
	t.Helper()
	select {
	case code := <-r.code:
		return result{r.out.String(), r.err.String(), code}
	case <-time.After(time.Minute):
		t.Fatalf("the command has not ended; it wrote %q and %q", r.out, r.err)
		return result{}
	}
}

// run runs a command without standard input.
func (w *world) run(args ...string) result { w.Helper(); return w.start(nil, args...).end(w.T) }

// with runs a command with standard input.
func (w *world) with(stdin string, args ...string) result {
	w.Helper()
	return w.start(strings.NewReader(stdin), args...).end(w.T)
}

// ok runs a command that must succeed, and returns what it wrote to stdout.
func (w *world) ok(args ...string) string {
	w.Helper()
	r := w.run(args...)
	if r.code != 0 {
		w.Fatalf("rota %s: exit %d, stderr %q", strings.Join(args, " "), r.code, r.err)
	}
	return r.out
}

// fails runs a command that must end with a code and say something.
func (w *world) fails(code int, says string, args ...string) result {
	w.Helper()
	r := w.run(args...)
	if r.code != code || !strings.Contains(r.err, says) {
		w.Errorf("rota %s: exit %d, want %d; stderr %q, want %q in it", strings.Join(args, " "), r.code, code, r.err, says)
	}
	return r
}

func (w *world) write(name, text string) string {
	w.Helper()
	path := filepath.Join(w.work, name)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		w.Fatal(err)
	}
	return path
}
