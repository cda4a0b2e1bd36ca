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
	if j, is, err := joiningOf(f.path); is {
		if err != nil {
			return done, err
		}
		c.Name, c.Join, c.TokenFile = j.Name, j.Servers, j.TokenFile
	}
	c.Slots, c.Retention = config.NoSlots, config.Retention{} // nothing is begun here, and nothing pruned
	d := newDaemon(c, cli.UpOptions{}, f, newLog(config.Log{Format: "text", Level: "error"}, o.Stderr))
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
	if err = d.source.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.source.close()) }()
	ctx = rota.WithPrincipal(ctx, rota.Principal{Name: "node " + d.conf.Name, Role: rota.RoleAdmin})
	background, stopSource := context.WithCancel(ctx)
	d.service = d.source.nodes(all[0].id())
	var work sync.WaitGroup
	work.Go(func() { _ = d.source.run(background) })
	defer work.Wait()
	defer stopSource()
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
