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

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/config"
	"github.com/rotaqueue/rota/keeper"
)

// daemon is a node over one data folder: keepers, what claims and finishes for them, and doors. Where its work comes from
// stands behind it.
type daemon struct {
	conf   config.Config
	opts   cli.UpOptions
	log    *slog.Logger
	folder *folder
	key    string // proves the node's name
	// onStoreLoss is what becomes of what runs when the store is lost, where the job does not say it.
	onStoreLoss rota.OnStoreLoss
	source      source
	service     rota.NodeService // of the source
	sessions    *sessions
	api         *api.Server
	unix        *net.UnixListener
	socket      string   // its path
	tcp         *tcpDoor // nil: none
	address     string   // by which others reach that; empty: they cannot
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
	d := newDaemon(c, o, f, newLog(c.Log, o.Stderr))
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

// newDaemon is a node that is not open yet.
func newDaemon(c config.Config, o cli.UpOptions, f *folder, log *slog.Logger) *daemon {
	d := &daemon{conf: c, opts: o, folder: f, log: log, clients: make(chan int, 1)}
	d.sessions = &sessions{d: d, work: f.file("work")}
	if len(c.Join) > 0 {
		d.source = &joined{d: d}
	} else {
		d.source = &whole{d: d}
	}
	return d
}

// open puts the parts together, the source first and what is told to others last. What fails closes what was opened.
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
	if err = d.source.open(ctx); err != nil {
		return err
	}
	undo = append(undo, func() { d.source.close() })
	if d.unix, err = api.ListenUnix(d.folder.path); err != nil {
		return err
	}
	undo = append(undo, func() { d.unix.Close() })
	d.socket = d.unix.Addr().String()
	if err = d.openTCP(); err != nil {
		return err
	}
	undo = append(undo, func() {
		if d.tcp != nil {
			d.tcp.Close()
		}
	})
	all, err := d.sessions.connect(ctx)
	if err != nil {
		return err
	}
	d.service = d.source.nodes(all[0].id())
	d.sessions.employ(all)
	d.api = d.source.doors(api.Options{Log: d.log, Hosts: names(d.conf), OnClients: d.setClients})
	d.started = d.greeting()
	return nil
}

// openTCP opens the API's address, but that of a node that has none: a transient one, or one without a store.
func (d *daemon) openTCP() error {
	if d.opts.Transient || len(d.conf.Join) > 0 || d.conf.Listen == config.NoListen {
		return nil
	}
	door, err := openTCP(d.conf, d.folder)
	if err != nil {
		return err
	}
	d.tcp, d.address = &door, door.advertised(d.conf)
	return nil
}

// greeting is what the node says of itself when it serves.
func (d *daemon) greeting() cli.Started {
	s := cli.Started{Node: d.conf.Name, Data: d.folder.path, Store: d.source.place(), Slots: d.conf.Slots.Count(), Queues: d.conf.Queues, Socket: d.socket, Joined: d.conf.Join}
	switch {
	case isFirst():
		s.Notes = append(s.Notes, "tasks end with this process, the first of its container: TERM gives them 5 s")
	case d.onStoreLoss == rota.StoreLossKill:
		s.Notes = append(s.Notes, "tasks go on without this process, and without the store, for "+d.conf.TTL.String()+" at most, unless they say --on-store-loss")
	default:
		s.Notes = append(s.Notes, "tasks go on without this process, for as long as they run")
	}
	if d.tcp == nil {
		return s
	}
	s.API = d.tcp.url
	if d.tcp.pin != (api.Fingerprint{}) {
		s.Fingerprint = d.tcp.pin.String()
	}
	if d.tcp.note != "" {
		s.Notes = append(s.Notes, d.tcp.note)
	}
	return s
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
	// The source's work outlives the node's: what ends at the end has dependents and retries too.
	background, stopSource := context.WithCancel(ctx)
	defer stopSource()
	working, stopNode := context.WithCancel(ctx)
	defer stopNode()
	d.stop = stopNode

	var all sync.WaitGroup
	d.failed = make(chan error, 4)
	all.Go(func() { d.report(d.source.run(background)) })
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
	d.close(stopSource)
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
func (d *daemon) close(stopSource func()) {
	bye, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if d.api.Shutdown(bye) != nil {
		d.api.Close()
	}
	stopSource()
	if err := d.source.close(); err != nil {
		d.log.Error("close the store", "err", err)
	}
}
