package node

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/executor/shell"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// lasting is a keeper that outlives nodes, and remembers the notes of what it was given.
type lasting struct {
	*keeper.Local
	mu    sync.Mutex
	notes map[rota.Try][]byte
}

func (k *lasting) Start(ps []executor.Process) error {
	k.mu.Lock()
	for _, p := range ps {
		k.notes[p.Try] = p.Note
	}
	k.mu.Unlock()
	return k.Local.Start(ps)
}

func (k *lasting) resumed() (rs []keeper.Held) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.Held() {
		rs = append(rs, keeper.Held{Try: t, Note: k.notes[t]})
	}
	return rs
}

// TestP10ANodeLeavesAndAnotherGoesOn lets nodes come and go above one keeper while jobs run.
func TestP10ANodeLeavesAndAnotherGoesOn(t *testing.T) {
	dir := t.TempDir()
	store, err := sqlstore.Open(t.Context(), filepath.Join(dir, "rota.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	local, err := keeper.New(keeper.Options{Dir: filepath.Join(dir, "node"), Slots: 2})
	if err != nil {
		t.Fatal(err)
	}
	k := &lasting{Local: local, notes: map[rota.Try][]byte{}}
	ctx, stop := context.WithCancel(rota.WithPrincipal(context.Background(), rota.Principal{Name: "root", Role: rota.RoleAdmin}))
	svc := server.New(store, server.Options{Node: "n1"})
	var work sync.WaitGroup
	work.Go(func() { svc.Run(ctx) })
	t.Cleanup(func() {
		local.Close()
		stop()
		work.Wait()
		store.Close()
	})
	run := func() (*Node, chan error) {
		n := New(svc, k, []executor.Executor{shell.Executor{}}, Options{Name: "n1", Key: "k", Session: "a-keepers-life", Resumed: k.resumed(),
			Slots: 2, Dir: filepath.Join(dir, "node"), Log: slog.New(slog.DiscardHandler)})
		end := make(chan error, 1)
		go func() { end <- n.Run(ctx) }()
		return n, end
	}
	submit := func(s rota.Submission) rota.JobID {
		got, err := svc.Submit(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		return got.Job
	}
	until := func(id rota.JobID, ok func(p rota.Progress) bool) rota.Progress {
		t.Helper()
		var p rota.Progress
		for !ok(p) {
			if p, err = svc.Watch(ctx, id, p, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}

	said := filepath.Join(dir, "said")
	if err := unix.Mkfifo(said, 0o600); err != nil {
		t.Fatal(err)
	}
	once, hour := 1, rota.Duration(time.Hour)
	long := submit(rota.Submission{Spec: rota.Spec{Shell: "cat > read; echo begun >> begun; echo > said; until test -e go; do sleep 0.01; done; echo $ROTA_ATTEMPT; exit 3",
		Dir: dir, Retry: &rota.Retry{Count: &once, First: hour, Cap: hour}}, Input: []byte("input")})
	other := submit(rota.Submission{Spec: rota.Spec{Shell: "until test -e go; do sleep 0.01; done", Dir: dir}})
	for round := range 3 {
		n, end := run()
		until(long, func(p rota.Progress) bool { return p.Running == 1 })
		until(other, func(p rota.Progress) bool { return p.Running == 1 })
		if round == 0 {
			os.ReadFile(said) // returns when it was written
		}
		n.Leave()
		if err := <-end; err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if held := k.Held(); len(held) != 2 {
			t.Fatalf("round %d: the keeper has %v", round, held)
		}
	}
	later := submit(rota.Submission{Spec: rota.Spec{Shell: "true"}})
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := svc.Watch(ctx, other, rota.Progress{}, 0); err != nil || p.Running != 1 {
		t.Errorf("recorded while no node was there: %+v, %v", p, err)
	}
	n, end := run()
	until(later, rota.Progress.Ended)
	until(other, rota.Progress.Ended)
	until(long, func(p rota.Progress) bool { return p.Scheduled == 1 })
	task, earlier, err := svc.Task(ctx, rota.PlainTask(long))
	if err != nil || len(earlier) != 0 || task.Number != 1 || task.Outcome != rota.OutcomeFailed || task.Exit == nil || *task.Exit != 3 {
		t.Errorf("%+v, earlier %+v, %v", task, earlier, err)
	}
	if wait := task.RunAt.Sub(task.Ended); wait < 40*time.Minute {
		t.Errorf("it is tried again after %v: its retries are not as its note says", wait)
	}
	out, err := svc.Output(ctx, rota.OutputQuery{Task: task.ID, Stream: rota.Stdout}, 0)
	if err != nil || string(out.Data) != "1\n" {
		t.Errorf("output %q, %v", out.Data, err)
	}
	for name, want := range map[string]string{"begun": "begun\n", "read": "input"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v: it ran more than once", name, got, err)
		}
	}
	n.Leave()
	if err := <-end; err != nil {
		t.Fatal(err)
	}
	if held := k.Held(); len(held) != 0 {
		t.Errorf("the keeper has %v", held)
	}
	if nodes, err := svc.Nodes(ctx); err != nil || fmt.Sprint(nodes[0].State) != "down" {
		t.Errorf("left with nothing running: %+v, %v", nodes, err)
	}
}

// A node beside it counts its slots from the first moment on (P13).
func TestP13WhatWasResumedCountsBeforeTheNodeHasBegun(t *testing.T) {
	n := New(nil, nil, nil, Options{Slots: 4, Resumed: []keeper.Held{{State: keeper.Running}, {State: keeper.Waiting}, {State: keeper.Ended}}})
	if s := n.Stats(); s.Running != 2 || s.Held != 3 || n.Busy() != 3 {
		t.Errorf("%+v", s)
	}
}

// The store has an attempt as the session's that the node before claimed and never gave to the keeper, because it was
// killed; all else has ended. Nothing else is done, and the session is not closed, before that was found: what runs in a
// closed session is lost (P5, P8, P10).
func TestP5WhatTheNodeBeforeClaimedIsFoundFirst(t *testing.T) {
	opts := Options{Session: "s", Slots: 2}.withDefaults()
	r := newReactor(opts, slog.New(slog.DiscardHandler), 1)
	r.resume(rota.Opened{Seq: 7}, nil)
	r.drain(1)
	r.decide(1)
	todo := r.take()
	if done, _ := r.done(1); done || todo.exchange != nil || todo.renew == nil || todo.renew.Seq != 7 {
		t.Fatalf("before the renewal: %+v", todo)
	}
	stray := rota.Try{Task: rota.PlainTask(9), Attempt: 1}
	r.renewed(rota.Renewed{Strays: []rota.Try{stray}}, nil, 2)
	r.decide(2)
	if todo = r.take(); todo.exchange == nil || len(todo.exchange.Finished) != 1 || todo.exchange.Finished[0].Try != stray ||
		todo.exchange.Finished[0].Outcome != rota.OutcomeReturned || todo.exchange.Seq != 8 {
		t.Fatalf("after it: %+v", todo.exchange)
	}
	if done, _ := r.done(2); done {
		t.Error("done before that is recorded")
	}
	r.answered(rota.Exchanged{}, nil, 3)
	if done, err := r.done(3); !done || err != nil {
		t.Errorf("done %v, %v", done, err)
	}
}
