package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/config"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// down stops the node of a data folder, and tells what goes on without it. It works on a folder whose daemon is dead
// too: what runs there is ended all the same if that is asked for.
func down(ctx context.Context, c config.Config, o cli.DownOptions) (cli.Downed, error) {
	var done cli.Downed
	if _, err := os.Stat(c.Data); err != nil {
		return done, rota.Errorf(rota.ErrNotFound, "data folder %s: %v", c.Data, plain(err))
	}
	sig := syscall.SIGTERM
	if o.Drain {
		sig = syscall.SIGQUIT
	}
	var err error
	if done.Node, err = endHolder(ctx, c.Data, sig); err != nil {
		return done, err
	}
	f, err := takeFolder(ctx, c.Data, cli.UpOptions{Stderr: o.Stderr})
	if err != nil {
		return done, err
	}
	defer f.close()
	d := &daemon{conf: c, folder: f, log: newLog(config.Log{Format: "text", Level: "error"}, o.Stderr)}
	d.conf.Slots = config.NoSlots
	d.sessions = &sessions{d: d, work: f.file("work")}
	all, err := d.sessions.find(ctx)
	for _, s := range all {
		for _, h := range s.keeper.Resumed() {
			if h.State != keeper.Ended {
				done.Running++
			}
		}
	}
	if err == nil && o.Kill && len(all) > 0 {
		return done, d.endAll(ctx, all)
	}
	for _, s := range all {
		err = errors.Join(err, s.keeper.Close())
	}
	return done, err
}

// endHolder tells the process that holds a folder to end, and waits until it has; false when there is none.
func endHolder(ctx context.Context, path string, sig syscall.Signal) (held bool, err error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; {
		if !taken(path) {
			return held, nil
		}
		if !told {
			var err error
			if told, err = signalHolder(path, sig); err != nil {
				return true, err
			}
			held = told
		}
		select {
		case <-ctx.Done():
			return held, ctx.Err()
		case <-tick.C:
		}
	}
}

// endAll ends what the keepers run, each with its grace, and records it.
func (d *daemon) endAll(ctx context.Context, all []*session) (err error) {
	if d.key, err = d.folder.key(); err != nil {
		return err
	}
	if d.store, err = sqlstore.Open(ctx, d.conf.StorePlace(), sqlstore.Options{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.store.Close()) }()
	ctx = rota.WithPrincipal(ctx, rota.Principal{Name: "node " + d.conf.Name, Role: rota.RoleAdmin})
	background, stopServer := context.WithCancel(ctx)
	d.server = server.New(d.store, server.Options{Log: d.log, Node: d.conf.Name})
	var work sync.WaitGroup
	work.Go(func() { _ = d.server.Run(background) })
	defer work.Wait()
	defer stopServer()
	working, stop := context.WithCancel(ctx)
	defer stop()
	var closed atomic.Int64
	closed.Store(int64(len(all)))
	d.opened = func() {
		if closed.Add(-1) == 0 {
			stop()
		}
	}
	d.sessions.employ(all)
	return d.sessions.serve(working)
}
