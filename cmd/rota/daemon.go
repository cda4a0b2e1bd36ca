package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
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
	handed      []*net.UnixListener // by systemd
	local       *net.UnixListener   // for other users of the machine; nil: none
	socket      string              // its path
	jobSocket   string              // that of jobs, which may run as others
	tcp         *tcpDoor            // nil: none
	address     string              // by which others reach that; empty: they cannot
	cronjob     *api.Server         // the door for cron jobs, if it has an address of its own
	cronjobTCP  *tcpDoor
	started     cli.Started
	clients     chan int // how many are connected, whenever that changes

	doors  sync.WaitGroup // the listeners that are served
	failed chan error
	once   sync.Once // of ready
	opened func()    // called once the session is open
	stop   func()    // ends the node with what it runs
	next   string    // the program that the process becomes when all is closed; empty: it ends
}

// daemonThreads is more than a daemon needs at once, as far as could be seen: it lives on where no more can be had.
const daemonThreads = 32

// up runs a node until it is told to stop.
func up(ctx context.Context, c config.Config, o cli.UpOptions) error {
	if o.Check {
		return checkUp(ctx, c)
	}
	// Who reads what the node says may go away: that of one in the background does at once. What is written then fails, and
	// the node goes on. The system's own way, SIGPIPE, would end it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	defer leaveHeadroom()()
	if err := c.Check(); err != nil {
		return err
	}
	var locks []*os.File
	if o.System {
		lock, err := beTheSystems(c.Data)
		if err != nil {
			return err
		}
		if lock != nil {
			defer lock.Close()
			locks = append(locks, lock)
		}
	}
	f, err := takeFolder(ctx, c.Data, o)
	if err != nil {
		return err
	}
	defer f.close()
	locks = append(locks, f.lock)
	dropHanded()
	d := newDaemon(c, o, f, newLog(c.Log, o.Stderr))
	keeper.ReserveThreads(daemonThreads)
	if err := d.open(ctx); err != nil {
		return err
	}
	err = d.run(ctx)
	if err != nil || d.next == "" {
		if left := int(d.sessions.left.Load()); d.opts.Left != nil {
			d.opts.Left(cli.Downed{Node: true, Running: left})
		}
		return err
	}
	return become(d.next, locks...)
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
	if d.handed, err = activated(); err != nil {
		return err
	}
	if err = d.openLocal(); err != nil {
		return err
	}
	undo = append(undo, func() {
		if d.local != nil {
			d.local.Close()
		}
	})
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
	d.api = d.source.doors(api.Options{Log: d.log, Hosts: names(d.conf), Submitters: d.conf.Local.Submit, OnClients: d.setClients, Cronjob: d.cronjobOptions()})
	if err = d.openCronjob(); err != nil {
		return err
	}
	d.started = d.greeting()
	return nil
}

// openLocal opens a socket that all users of the machine reach, if there is none yet and somebody needs it: those who may
// submit, or jobs that run as others than the node, which have tokens. Without the latter's a node does all the same.
func (d *daemon) openLocal() (err error) {
	d.jobSocket = d.socket
	switch {
	case d.opts.Transient:
	case len(d.handed) > 0:
		d.jobSocket = d.handed[0].Addr().String()
	case len(d.conf.Local.Submit) > 0:
		d.local, err = api.ListenOpen(d.conf.Local.Socket)
		d.socket, d.jobSocket = d.conf.Local.Socket, d.conf.Local.Socket
	case runAs(d.conf, false).Able:
		var place string
		if place, err = api.JobSocket(d.folder.path); err == nil {
			d.local, err = api.ListenOpen(place)
		}
		if err != nil {
			d.log.Warn("jobs that run as others cannot submit", "err", err)
			return nil
		}
		d.jobSocket = place
	}
	return err
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
	if d.cronjob != nil {
		s.Notes = append(s.Notes, "cron jobs are put at "+d.cronjobTCP.url+"/jobs")
		if d.cronjobTCP.note != "" {
			s.Notes = append(s.Notes, strings.Replace(d.cronjobTCP.note, "the API", "the door for cron jobs", 1))
		}
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
	ctx = rota.WithPrincipal(ctx, rota.Principal{Name: "node " + d.conf.Name, Role: rota.RoleAdmin, Login: owner().Login})
	// The source's work outlives the node's: what ends at the end has dependents and retries too.
	background, stopSource := context.WithCancel(ctx)
	defer stopSource()
	working, stopNode := context.WithCancel(ctx)
	defer stopNode()
	d.stop = stopNode

	// From here on signals are heard: whoever reads that the node is up may send one at once.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGCONT)
	defer signal.Stop(signals)

	var all sync.WaitGroup
	d.failed = make(chan error, 4)
	all.Go(func() { d.report(d.source.run(background)) })
	for _, ln := range d.listeners() {
		d.doors.Go(func() { d.serve(d.api, ln) })
	}
	if d.cronjob != nil {
		d.doors.Go(func() { d.serve(d.cronjob, d.cronjobTCP) })
	}
	var jars sync.WaitGroup
	if err := d.serveJars(working, &jars); err != nil {
		d.report(err)
	}
	nodeEnded := make(chan error, 1)
	go func() { nodeEnded <- d.sessions.run(working) }()

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
	if endedMeanwhile(signals) {
		d.next = ""
	}
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
		notifySystem("READY=1")
		d.log.Info("node is up", "node", d.conf.Name, "data", d.folder.path, "slots", d.conf.Slots.Count())
	})
}

// serve answers at one listener until it is closed.
func (d *daemon) serve(s *api.Server, ln net.Listener) {
	if err := s.Serve(ln); !errors.Is(err, net.ErrClosed) {
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
	if d.local != nil {
		lns = append(lns, d.local)
	}
	for _, ln := range d.handed {
		lns = append(lns, ln)
	}
	if d.tcp != nil {
		lns = append(lns, d.tcp)
	}
	return lns
}

// close ends the doors first, then what is behind them; the folder's lock is let go last, by the caller.
func (d *daemon) close(stopSource func()) {
	notifySystem("STOPPING=1")
	bye, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, s := range []*api.Server{d.api, d.cronjob} {
		if s != nil && s.Shutdown(bye) != nil {
			s.Close()
		}
	}
	stopSource()
	if err := d.source.close(); err != nil {
		d.log.Error("close the store", "err", err)
	}
}
