package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/config"
	"github.com/rotaqueue/rota/executor"
	execjob "github.com/rotaqueue/rota/executor/exec"
	"github.com/rotaqueue/rota/executor/script"
	"github.com/rotaqueue/rota/executor/shell"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/node"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// daemon is a whole node: store, server, keeper, node and API over one data folder.
type daemon struct {
	conf    config.Config
	opts    cli.UpOptions
	log     *slog.Logger
	folder  *folder
	store   *sqlstore.Store
	keeper  *keeper.Local
	node    *node.Node
	server  *server.Server
	api     *api.Server
	unix    *net.UnixListener
	tcp     net.Listener
	started cli.Started
	clients chan int // how many are connected, whenever that changes

	doors  sync.WaitGroup // the listeners that are served
	failed chan error
}

// up runs a node until it is told to stop.
func up(ctx context.Context, c config.Config, o cli.UpOptions) error {
	if err := c.Check(); err != nil {
		return err
	}
	f, err := takeFolder(ctx, c.Data, o)
	if err != nil {
		return err
	}
	defer f.close()
	d := &daemon{conf: c, opts: o, folder: f, log: newLog(c.Log, o.Stderr), clients: make(chan int, 1)}
	if err := d.open(ctx); err != nil {
		return err
	}
	return d.run(ctx)
}

func newLog(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// open puts the parts together, the store first and the doors last. What fails closes what was opened.
func (d *daemon) open(ctx context.Context) (err error) {
	var undo []func()
	defer func() {
		for i := len(undo) - 1; err != nil && i >= 0; i-- {
			undo[i]()
		}
	}()
	key, err := d.folder.key()
	if err != nil {
		return rota.Errorf(rota.ErrUnavailable, "data folder %s: %v", d.folder.path, plain(err))
	}
	if d.store, err = sqlstore.Open(ctx, d.folder.file("rota.db"), sqlstore.Options{}); err != nil {
		return err
	}
	undo = append(undo, func() { d.store.Close() })
	work := d.folder.file("work")
	started, err := keeper.Started(work)
	if err != nil {
		return err
	}
	if d.keeper, err = keeper.New(keeper.Options{Dir: work, Slots: d.conf.Slots, Log: d.log}); err != nil {
		return err
	}
	undo = append(undo, func() { d.keeper.Close() })
	if d.unix, err = api.ListenUnix(d.folder.path); err != nil {
		return err
	}
	undo = append(undo, func() { d.unix.Close() })
	session := newSession()
	d.server = server.New(d.store, d.serverOptions(session))
	d.node = node.New(d.server, d.keeper, []executor.Executor{execjob.Executor{}, shell.Executor{}, script.Executor{}}, node.Options{
		Name: d.conf.Name, Key: key, Session: session, Started: started, Slots: d.conf.Slots,
		Queues: append([]string{"@" + d.conf.Name}, d.conf.Queues...), // a node's own queue comes first
		Dir:    work, Socket: d.unix.Addr().String(), Transient: d.opts.Transient, Limits: d.conf.Limits.Rota(), OutputCap: int64(d.conf.OutputCap), Log: d.log})
	return d.listen()
}

func (d *daemon) serverOptions(session rota.SessionID) server.Options {
	o := server.Options{Log: d.log, Node: d.conf.Name, Transient: d.opts.Transient, TrustSubmitters: d.conf.TrustSubmitters,
		Retention: d.conf.Retention.Rota(), Live: live{d}}
	if d.opts.Transient {
		o.Home = session
	}
	return o
}

// live reads running attempts' output from the daemon's node, which is made after its server.
type live struct{ d *daemon }

func (l live) Output(ctx context.Context, q rota.OutputQuery) (rota.Output, bool, error) {
	return l.d.node.Output(ctx, q)
}

// listen opens the API: the socket is there already; a transient node has no address.
func (d *daemon) listen() error {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics.MustRegister(d.server.Metrics()...)
	d.api = api.New(d.server, api.Options{Authenticate: d.server.Authenticate, Log: d.log,
		Metrics: promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}), OnClients: d.setClients})
	d.started = cli.Started{Node: d.conf.Name, Data: d.folder.path, Slots: d.conf.Slots, Queues: d.conf.Queues, Socket: d.unix.Addr().String()}
	if d.opts.Transient || d.conf.Listen == config.NoListen {
		return nil
	}
	ln, url, note, err := listenTCP(d.conf)
	if err != nil {
		return err
	}
	d.tcp, d.started.API = ln, url
	if note != "" {
		d.started.Notes = append(d.started.Notes, note)
	}
	d.started.Notes = append(d.started.Notes, "jobs end when this process ends; kill -QUIT lets them finish first")
	return nil
}

// setClients keeps the latest number of clients in the channel.
func (d *daemon) setClients(n int) {
	select {
	case <-d.clients:
	default:
	}
	d.clients <- n
}

// run serves until a signal, a lost store or, if transient, until nobody needs the node any more. It closes
// everything in the order in which nothing that was acknowledged is lost.
func (d *daemon) run(ctx context.Context) error {
	ctx = rota.WithPrincipal(ctx, rota.Principal{Name: "node " + d.conf.Name, Role: rota.RoleAdmin})
	// The server's work outlives the node's: what ends at the end has dependents and retries too.
	background, stopServer := context.WithCancel(ctx)
	defer stopServer()
	working, stopNode := context.WithCancel(ctx)
	defer stopNode()

	var all sync.WaitGroup
	d.failed = make(chan error, 4)
	all.Go(func() { d.report(d.server.Run(background)) })
	for _, ln := range d.listeners() {
		d.doors.Go(func() { d.serve(ln) })
	}
	nodeEnded := make(chan error, 1)
	go func() { nodeEnded <- d.node.Run(working) }()

	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	all.Go(func() { d.handleSignals(working, signals, stopNode) })
	if d.opts.Transient {
		all.Go(func() { d.endWhenAlone(working) })
	}
	if d.opts.Ready != nil {
		d.opts.Ready(d.started)
	}
	d.log.Info("node is up", "node", d.conf.Name, "data", d.folder.path, "slots", d.conf.Slots)

	var err error
	select {
	case err = <-nodeEnded:
	case err = <-d.failed:
		stopNode()
		err = errors.Join(err, <-nodeEnded)
	}
	stopNode()
	d.close(stopServer)
	all.Wait()
	d.doors.Wait()
	d.log.Info("node is down", "node", d.conf.Name)
	return err
}

// serve answers at one listener until it is closed.
func (d *daemon) serve(ln net.Listener) {
	if err := d.api.Serve(ln); !errors.Is(err, net.ErrClosed) {
		d.report(err)
	}
}

// report stops the node because a part of it failed.
func (d *daemon) report(err error) {
	if err == nil {
		return
	}
	select {
	case d.failed <- err:
	default:
	}
}

func (d *daemon) listeners() []net.Listener {
	lns := []net.Listener{d.unix}
	if d.tcp != nil {
		lns = append(lns, d.tcp)
	}
	return lns
}

// close ends the doors first, then what is behind them; the folder's lock is let go last, by the caller.
func (d *daemon) close(stopServer func()) {
	d.keeper.Close()
	bye, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if d.api.Shutdown(bye) != nil {
		d.api.Close()
	}
	stopServer()
	if err := d.store.Close(); err != nil {
		d.log.Error("close the store", "err", err)
	}
}

// handleSignals: TERM, INT and HUP (a closed terminal) stop the node, QUIT lets what runs end first. TERM or INT ends a
// drain too.
func (d *daemon) handleSignals(ctx context.Context, signals <-chan os.Signal, stop func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			d.log.Info("signal", "signal", s.String())
			if s != syscall.SIGQUIT {
				stop()
				return
			}
			d.node.Drain()
		}
	}
}

func newSession() rota.SessionID {
	b := make([]byte, 16)
	rand.Read(b)
	return rota.SessionID(hex.EncodeToString(b))
}

// brief is how long somebody who is no node, such as a submit, may hold the folder.
const brief = 5 * time.Second

// takeFolder takes the data folder. A whole node takes it over from a transient one, which is asked to drain (P27), and
// waits for one that only stores a job.
func takeFolder(ctx context.Context, path string, o cli.UpOptions) (*folder, error) {
	asked := false
	deadline := time.Now().Add(brief)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		f, err := openFolder(path)
		if o.Transient || !errors.Is(err, rota.ErrConflict) {
			return f, err
		}
		if !asked {
			st, gone := askTransient(ctx, path)
			switch {
			case gone == nil && !st.Transient, gone != nil && time.Now().After(deadline):
				return nil, err
			case gone == nil:
				asked = true
				fmt.Fprintln(o.Stderr, "rota: a transient node uses the folder; it hands over when what it runs has ended")
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// askTransient asks the node that holds the folder to drain, if it is a transient one.
func askTransient(ctx context.Context, path string) (rota.Status, error) {
	svc, done, err := connect(ctx, cli.Target{Data: path})
	if err != nil {
		return rota.Status{}, err
	}
	defer done.Close()
	st, err := svc.Status(ctx)
	if err != nil || !st.Transient {
		return st, err
	}
	if pid := holderPID(path); pid != 0 {
		err = syscall.Kill(pid, syscall.SIGQUIT)
	}
	return st, err
}
