package main

import (
	"context"
	"errors"
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
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// daemon is a whole node: store, server, keeper, node and API over one data folder.
type daemon struct {
	conf   config.Config
	opts   cli.UpOptions
	log    *slog.Logger
	folder *folder
	key    string // proves the node's name
	// onStoreLoss is what becomes of what runs when the store is lost, where the job does not say it.
	onStoreLoss rota.OnStoreLoss
	store       *sqlstore.Store
	sessions    *sessions
	server      *server.Server
	api         *api.Server
	unix        *net.UnixListener
	socket      string // its path
	tcp         net.Listener
	started     cli.Started
	clients     chan int // how many are connected, whenever that changes

	doors  sync.WaitGroup // the listeners that are served
	failed chan error
	once   sync.Once    // of ready
	opened func()       // called once the session is open
	stop   func()       // ends the node with what it runs
	next   func() error // what the process becomes when all is closed; nil: it ends
}

// daemonThreads is more than a daemon needs at once, as far as could be seen: it lives on where no more can be had.
const daemonThreads = 32

// up runs a node until it is told to stop.
func up(ctx context.Context, c config.Config, o cli.UpOptions) error {
	if o.Check {
		return checkUp(ctx, c)
	}
	if err := c.Check(); err != nil {
		return err
	}
	f, err := takeFolder(ctx, c.Data, o)
	if err != nil {
		return err
	}
	defer f.close()
	d := &daemon{conf: c, opts: o, folder: f, log: newLog(c.Log, o.Stderr), clients: make(chan int, 1)}
	d.sessions = &sessions{d: d, work: f.file("work")}
	keeper.ReserveThreads(daemonThreads)
	if err := d.open(ctx); err != nil {
		return err
	}
	err = d.run(ctx)
	if err != nil || d.next == nil {
		if left := int(d.sessions.left.Load()); d.opts.Left != nil {
			d.opts.Left(cli.Downed{Node: true, Running: left})
		}
		return err
	}
	f.close()
	return d.next()
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
	if d.key, err = d.folder.key(); err != nil {
		return rota.Errorf(rota.ErrUnavailable, "data folder %s: %v", d.folder.path, plain(err))
	}
	if d.store, err = sqlstore.Open(ctx, d.conf.StorePlace(), sqlstore.Options{}); err != nil {
		return err
	}
	undo = append(undo, func() { d.store.Close() })
	identity, err := d.store.Identity(ctx)
	if err != nil {
		return err
	}
	d.onStoreLoss = onStoreLoss(identity.Engine)
	if d.unix, err = api.ListenUnix(d.folder.path); err != nil {
		return err
	}
	undo = append(undo, func() { d.unix.Close() })
	d.socket = d.unix.Addr().String()
	all, err := d.sessions.connect(ctx)
	if err != nil {
		return err
	}
	undo = append(undo, func() {
		for _, s := range all {
			s.keeper.Close()
		}
	})
	d.server = server.New(d.store, d.serverOptions(all[0].id()))
	d.sessions.employ(all)
	return d.listen()
}

func (d *daemon) serverOptions(session rota.SessionID) server.Options {
	o := server.Options{Log: d.log, Node: d.conf.Name, Transient: d.opts.Transient, TrustSubmitters: d.conf.TrustSubmitters,
		Retention: d.conf.Retention.Rota(), Live: d.sessions}
	if d.opts.Transient {
		o.Home = session
	}
	return o
}

// listen opens the API: the socket is there already; a transient node has no address.
func (d *daemon) listen() error {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics.MustRegister(d.server.Metrics()...)
	d.api = api.New(d.server, api.Options{Authenticate: d.server.Authenticate, Log: d.log, Hosts: names(d.conf),
		Metrics: promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}), OnClients: d.setClients})
	d.started = cli.Started{Node: d.conf.Name, Data: d.folder.path, Store: d.storeName(), Slots: d.conf.Slots.Count(), Queues: d.conf.Queues, Socket: d.socket}
	d.started.Notes = []string{"tasks go on without this process, for as long as they run"}
	if d.onStoreLoss == rota.StoreLossKill {
		d.started.Notes = []string{"tasks go on without this process, and without the store, for " + d.conf.TTL.String() + " at most, unless they say --on-store-loss"}
	}
	if isFirst() {
		d.started.Notes = []string{"tasks end with this process, the first of its container: TERM gives them 5 s"}
	}
	if d.opts.Transient || d.conf.Listen == config.NoListen {
		return nil
	}
	door, err := openTCP(d.conf, d.folder)
	if err != nil {
		return err
	}
	d.tcp, d.started.API = door, door.url
	if door.pin != (api.Fingerprint{}) {
		d.started.Fingerprint = door.pin.String()
	}
	if door.note != "" {
		d.started.Notes = append(d.started.Notes, door.note)
	}
	return nil
}

// storeName is where jobs are kept, if that is not the data folder, without secrets.
func (d *daemon) storeName() string {
	if d.conf.Store == "" {
		return ""
	}
	return d.store.Place()
}

// onStoreLoss is a node's own rule: nobody else can take what it runs when it has the store for itself (P8).
func onStoreLoss(engine string) rota.OnStoreLoss {
	if engine == "sqlite" {
		return rota.StoreLossRun
	}
	return rota.StoreLossKill
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
	d.stop = stopNode

	var all sync.WaitGroup
	d.failed = make(chan error, 4)
	all.Go(func() { d.report(d.server.Run(background)) })
	for _, ln := range d.listeners() {
		d.doors.Go(func() { d.serve(ln) })
	}
	var jars sync.WaitGroup
	if err := d.serveJars(working, &jars); err != nil {
		d.report(err)
	}
	nodeEnded := make(chan error, 1)
	go func() { nodeEnded <- d.sessions.run(working) }()

	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGCONT)
	defer signal.Stop(signals)
	all.Go(func() { d.handleSignals(working, signals) })
	if d.opts.Transient {
		all.Go(func() { d.endWhenAlone(working) })
	}
	var err error
	select {
	case err = <-nodeEnded:
	case err = <-d.failed:
		stopNode()
		err = errors.Join(err, <-nodeEnded)
	}
	stopNode()
	jars.Wait() // what has not started goes back, for which the server is needed
	d.close(stopServer)
	all.Wait()
	d.doors.Wait()
	d.log.Info("node is down", "node", d.conf.Name, "left", d.sessions.left.Load())
	return err
}

// ready says once that the node is up: its doors are open, and the others know of it. One whose name is another's never
// comes to that.
func (d *daemon) ready() {
	d.once.Do(func() {
		if d.opts.Ready != nil {
			d.opts.Ready(d.started)
		}
		d.log.Info("node is up", "node", d.conf.Name, "data", d.folder.path, "slots", d.conf.Slots.Count())
	})
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
	bye, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if d.api.Shutdown(bye) != nil {
		d.api.Close()
	}
	stopServer()
	if err := d.store.Close(); err != nil {
		d.log.Error("close the store", "err", err)
	}
}
