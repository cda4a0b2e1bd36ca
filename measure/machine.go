package measure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/executor"
	execjob "github.com/rotaqueue/rota/executor/exec"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/node"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// machine is a whole node within this process: store, server, node and, if wished, a keeper with real processes.
type machine struct {
	dir    string
	place  string // of the store
	store  *sqlstore.Store
	server *server.Server
	keeper executor.Keeper
	ctx    context.Context // in the name of an admin
	stop   context.CancelFunc
	ended  []chan error
	drop   func() error // removes the store, unless another does
}

// newMachine makes a machine in a fresh folder. Without a node nothing claims.
func (b *bench) newMachine(ctx context.Context, k func(dir string) (executor.Keeper, error)) (*machine, error) {
	dir, err := os.MkdirTemp(b.dir, "node-")
	if err != nil {
		return nil, err
	}
	place, drop, err := b.newPlace(ctx, dir)
	if err != nil {
		return nil, err
	}
	m, err := b.machineAt(ctx, place, dir)
	if err != nil {
		return nil, errors.Join(err, drop())
	}
	m.drop = drop
	if k != nil {
		err = m.employ(k, "bench", b.Slots)
	}
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

// machineAt is a machine without a node, over a store that others may be at, too.
func (b *bench) machineAt(ctx context.Context, place, dir string) (*machine, error) {
	store, err := sqlstore.Open(ctx, place, sqlstore.Options{})
	if err != nil {
		return nil, err
	}
	m := &machine{dir: dir, place: place, store: store, server: server.New(store, server.Options{Node: "bench"})}
	m.ctx, m.stop = context.WithCancel(rota.WithPrincipal(ctx, rota.Principal{Name: "bench", Role: rota.RoleAdmin}))
	m.run(m.server.Run)
	return m, nil
}

// employ has a node claim.
func (m *machine) employ(k func(dir string) (executor.Keeper, error), name string, slots int) (err error) {
	work := filepath.Join(m.dir, name)
	if m.keeper, err = k(work); err != nil {
		return err
	}
	m.run(node.New(m.server, m.keeper, []executor.Executor{execjob.Executor{}}, node.Options{Name: name, Key: name,
		Slots: slots, Dir: work, Log: slog.New(slog.DiscardHandler)}).Run)
	return nil
}

func (m *machine) run(f func(context.Context) error) {
	ended := make(chan error, 1)
	m.ended = append(m.ended, ended)
	go func() { ended <- f(m.ctx) }()
}

// realKeeper starts real processes, from a process of its own if the options know how to start one.
func (b *bench) realKeeper(ctx context.Context, slots int, noGroups bool) func(dir string) (executor.Keeper, error) {
	return func(dir string) (executor.Keeper, error) {
		o := keeper.Options{Dir: filepath.Join(dir, "keeper"), Output: filepath.Join(dir, "output"), Slots: slots, NoGroups: noGroups}
		if b.Keeper == nil {
			return keeper.New(o)
		}
		k, err := b.Keeper(ctx, o)
		if err != nil {
			return nil, err
		}
		return ended{k}, nil
	}
}

// ended is a keeper that ends when it is closed.
type ended struct{ *keeper.Remote }

func (k ended) Close() error { return k.End() }

func (m *machine) close() error {
	m.stop()
	var err error
	for _, ended := range m.ended {
		err = errors.Join(err, <-ended)
	}
	if m.keeper != nil {
		err = errors.Join(err, m.keeper.Close())
	}
	err = errors.Join(err, m.store.Close())
	if m.drop != nil {
		err = errors.Join(err, m.drop(), os.RemoveAll(m.dir))
	}
	return err
}

// array is an array job of n tasks.
func array(n int, argv ...string) rota.Submission {
	return rota.Submission{Spec: rota.Spec{Argv: argv, Array: &rota.Array{Ranges: []rota.Range{{First: 1, Last: n}}}}}
}

// wait waits until a job has ended, and refuses a job that did not succeed.
func (m *machine) wait(id rota.JobID) error {
	var p rota.Progress
	for {
		var err error
		if p, err = m.server.Watch(m.ctx, id, p, time.Minute); err != nil {
			return err
		}
		if p.Ended() {
			break
		}
	}
	if p.Succeeded != p.Tasks {
		return fmt.Errorf("of %d tasks %d succeeded", p.Tasks, p.Succeeded)
	}
	return nil
}

// runArray is how long an array of n tasks takes from its submission to its end.
func (m *machine) runArray(n int, argv ...string) (time.Duration, error) {
	begun := time.Now()
	s, err := m.server.Submit(m.ctx, array(n, argv...))
	if err != nil {
		return 0, err
	}
	err = m.wait(s.Job)
	return time.Since(begun), err
}

func perSecond(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }

// instant is a keeper whose processes end as soon as they are started: what is measured is all the rest.
type instant struct {
	exits  chan []executor.Exit
	onward chan []executor.Process
	done   chan struct{}
	began  func([]executor.Process) // told of each start; may be nil
}

func newInstant(began func([]executor.Process)) *instant {
	k := &instant{exits: make(chan []executor.Exit), onward: make(chan []executor.Process, 1024), done: make(chan struct{}), began: began}
	go k.run()
	return k
}

func (k *instant) run() {
	zero := 0
	for {
		select {
		case <-k.done:
			return
		case ps := <-k.onward:
			now := clock.Elapsed()
			exits := make([]executor.Exit, len(ps))
			for i, p := range ps {
				exits[i] = executor.Exit{Try: p.Try, Outcome: rota.OutcomeSucceeded, Code: &zero, Spawned: true, Started: now, Ended: now}
			}
			select {
			case k.exits <- exits:
			case <-k.done:
				return
			}
		}
	}
}

func (k *instant) Start(ps []executor.Process) error {
	if k.began != nil {
		k.began(ps)
	}
	k.onward <- ps
	return nil
}

func (k *instant) Stop(rota.Try, bool)               {}
func (k *instant) Return(...rota.Try)                {}
func (k *instant) Exits() <-chan []executor.Exit     { return k.exits }
func (k *instant) Held() []rota.Try                  { return nil }
func (k *instant) Samples() []executor.Sample        { return nil }
func (k *instant) Check() error                      { return nil }
func (k *instant) Lease(rota.Elapsed)                {}
func (k *instant) Forget([]rota.Try)                 {}
func (k *instant) File(rota.Try, rota.Stream) string { return "" }
func (k *instant) Close() error                      { close(k.done); return nil }
