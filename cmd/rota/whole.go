package main

import (
	"context"
	"errors"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/courier"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
	"github.com/rotaqueue/rota/web"
)

// source is where a node's work comes from, and what answers at its doors: its own store, or the servers of others.
type source interface {
	// open makes sure that it can be had. It is the first thing that happens to a folder.
	open(ctx context.Context) error
	// place is where jobs are kept that are not in the data folder, for people.
	place() string
	// nodes is what the folder's nodes ask; current is the session that takes what is new.
	nodes(current rota.SessionID) rota.NodeService
	// known tells the sessions in which something can go on, as far as that is known now. What others hold runs for nobody:
	// it is ended before anything of it is run again (P25).
	known(ctx context.Context) func(rota.SessionID) bool
	// doors are what it answers to people and programs.
	doors(o api.Options) *api.Server
	// run works until ctx ends. An error is why the node must stop.
	run(ctx context.Context) error
	// busy reports whether something that came in by the doors has not ended, or is not known to have.
	busy(ctx context.Context) bool
	close() error
}

// whole is a store of the node's own, and a server over it.
type whole struct {
	d *daemon
	// courier brings what people are told, and sealing is the key of secrets.
	courier *courier.Courier
	sealing []byte
	store   *sqlstore.Store
	server  *server.Server
	objects rota.Objects // where blobs are
	pages   *web.Pages
}

func (w *whole) open(ctx context.Context) (err error) {
	if err := w.d.folder.refuseJoined(); err != nil {
		return err
	}
	o := sqlstore.Options{Away: func(err error) {
		w.d.log.Warn("the node waits for its store; trying again for a minute", "err", err, "fix", rota.FixOf(err))
	}}
	if w.d.opts.Transient { // somebody waits for it
		o.Away = nil
	}
	if w.store, err = sqlstore.Open(ctx, w.d.conf.StorePlace(), o); err != nil {
		return err
	}
	identity, err := w.store.Identity(ctx)
	if err != nil {
		return errors.Join(err, w.store.Close())
	}
	w.d.onStoreLoss = onStoreLoss(identity.Engine)
	if err := w.openTelling(); err != nil {
		return errors.Join(err, w.store.Close())
	}
	if w.objects, err = openObjects(w.d.conf.Blobs, w.d.folder.path, w.store.Shared(), w.store); err != nil {
		return errors.Join(err, w.store.Close())
	}
	return nil
}

// onStoreLoss is a node's own rule: nobody else can take what it runs when it has the store for itself (P8).
func onStoreLoss(engine string) rota.OnStoreLoss {
	if engine == "sqlite" {
		return rota.StoreLossRun
	}
	return rota.StoreLossKill
}

func (w *whole) place() string {
	if w.d.conf.Store == "" {
		return ""
	}
	return w.store.Place()
}

func (w *whole) known(ctx context.Context) func(rota.SessionID) bool {
	all, err := w.store.Sessions(ctx)
	return func(id rota.SessionID) bool {
		return err != nil || slices.ContainsFunc(all, func(x rota.Session) bool { return x.ID == id })
	}
}

func (w *whole) nodes(current rota.SessionID) rota.NodeService {
	c := w.d.conf
	o := server.Options{Log: w.d.log, Node: c.Name, API: w.d.address, Transient: w.d.opts.Transient, TrustSubmitters: c.TrustSubmitters, CatchUp: c.CatchUp,
		Retention: c.Retention.Rota(), Live: w.d.sessions, Objects: w.objects}
	if w.d.opts.Transient {
		o.Home = current
	}
	if as := runAs(c, w.d.opts.Transient); as.Able {
		o.RunAs = &as.Rules
	}
	o.Callers = c.Store != "" // others, who may be root, run what comes to this one
	o.TrustSubmitters = o.TrustSubmitters || o.RunAs != nil && !o.Callers
	o.Courier, o.Tell, o.Link, o.SecretKey = w.courier, *c.Tell(), w.d.address, w.sealing
	w.server = server.New(w.store, o)
	return w.server
}

func (w *whole) doors(o api.Options) *api.Server {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics.MustRegister(w.server.Metrics()...)
	o.Authenticate, o.Metrics = w.server.Authenticate, promhttp.HandlerFor(metrics, promhttp.HandlerOpts{})
	var described *api.Server
	w.pages = web.New(w.server, web.Options{Authenticate: w.server.Authenticate, Log: w.d.log,
		Describe: func() ([]byte, error) { return described.Describe() }})
	o.Pages = w.pages
	described = api.New(w.server, o)
	return described
}

func (w *whole) run(ctx context.Context) error {
	if w.d.tcp != nil {
		go w.pages.Run(ctx)
	}
	return w.server.Run(ctx)
}

func (w *whole) busy(ctx context.Context) bool {
	st, err := w.server.Status(ctx)
	return err != nil || st.Waiting > st.Others
}

func (w *whole) close() error { return w.store.Close() }
