package node

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/executor/shell"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

func TestALookIsAnsweredAtOnceAndAgainWhenThereIsMore(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Hour, stdout: "begun"} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Minute)
		if len(w.m.shown) != 0 {
			t.Errorf("shown though nobody looks: %+v", w.m.shown)
		}
		look := func(offset, number int64) rota.Look {
			l := rota.Look{Try: try(1), Stream: rota.Stdout, Offset: offset, Max: 100, Number: number}
			w.m.look(func() { w.m.looks = append(w.m.looks, l); w.m.tell() })
			return l
		}
		want := func(what string, want ...shownOutput) {
			t.Helper()
			w.after(2 * time.Second)
			w.m.look(func() {
				if len(w.m.shown) != len(want) {
					t.Fatalf("%s: shown %+v, want %+v", what, w.m.shown, want)
				}
				for i := range want {
					if w.m.shown[i] != want[i] {
						t.Errorf("%s: shown %+v, want %+v", what, w.m.shown[i], want[i])
					}
				}
			})
		}
		first := shownOutput{look(0, 1), "begun"}
		want("what there is", first)
		nothing := shownOutput{look(5, 7), ""}
		want("nothing yet", first, nothing)
		again := shownOutput{look(5, 8), ""}
		want("asked again", first, nothing, again)
		file := w.k.live(try(1), rota.Stdout)
		if err := os.WriteFile(file, []byte("begun, and more"), 0o600); err != nil {
			t.Fatal(err)
		}
		more := shownOutput{again.Look, ", and more"}
		want("when there is more", first, nothing, again, more)
		elsewhere := look(0, 1)
		elsewhere.Task = rota.PlainTask(9)
		w.m.look(func() { w.m.looks = append(w.m.looks, elsewhere); w.m.tell() })
		want("what is not here is not shown", first, nothing, again, more, shownOutput{look(0, 1), "begun, and more"})
		if w.n.shows.mu.Lock(); len(w.n.shows.all) != 0 {
			t.Errorf("looks are left: %v", w.n.shows.all)
		}
		w.n.shows.mu.Unlock()
	})
}

func TestALookThatNobodyRenewsEnds(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Hour, stdout: "x"} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Second)
		w.m.look(func() {
			w.m.looks = append(w.m.looks, rota.Look{Try: try(1), Stream: rota.Stdout, Offset: 1, Max: 100, Number: 1})
			w.m.tell()
		})
		w.after(rota.LookFor + time.Second)
		if w.n.shows.mu.Lock(); len(w.n.shows.all) != 0 || len(w.m.shown) != 1 {
			t.Errorf("looks are left: %v; shown %+v", w.n.shows.all, w.m.shown)
		}
		w.n.shows.mu.Unlock()
	})
}

// TestWhatRunsIsSeenAndCancelledAtAnotherServer has two servers on one store, of which one has the node.
func TestWhatRunsIsSeenAndCancelledAtAnotherServer(t *testing.T) {
	dir := t.TempDir()
	store, err := sqlstore.Open(t.Context(), filepath.Join(dir, "rota.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := keeper.New(keeper.Options{Dir: filepath.Join(dir, "node"), Slots: 2})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(rota.WithPrincipal(context.Background(), rota.Principal{Name: "root", Role: rota.RoleAdmin}))
	here, there := server.New(store, server.Options{Node: "n1"}), server.New(store, server.Options{Node: "other"})
	n := New(here, k, []executor.Executor{shell.Executor{}}, Options{Name: "n1", Key: "k", Slots: 2, Dir: filepath.Join(dir, "node"), Log: slog.New(slog.DiscardHandler)})
	var work sync.WaitGroup
	work.Go(func() { here.Run(ctx) })
	work.Go(func() { there.Run(ctx) })
	work.Go(func() { n.Run(ctx) })
	t.Cleanup(func() {
		stop()
		work.Wait()
		k.Close()
		store.Close()
	})
	run := func(text string) rota.TaskID {
		got, err := here.Submit(ctx, rota.Submission{Spec: rota.Spec{Shell: text, Dir: dir}})
		if err != nil {
			t.Fatal(err)
		}
		return rota.PlainTask(got.Job)
	}
	id := run("echo one; until test -e go; do sleep 0.01; done; echo two; sleep 1000")
	read := func(offset int64, wait time.Duration) string {
		t.Helper()
		out, err := there.Output(ctx, rota.OutputQuery{Task: id, Stream: rota.Stdout, Offset: offset}, wait)
		if err != nil || out.Ended {
			t.Fatalf("output from %d: %+v, %v", offset, out, err)
		}
		return string(out.Data)
	}
	if got := read(0, time.Minute); got != "one\n" {
		t.Errorf("the beginning: %q", got)
	}
	if got := read(0, 0); got != "one\n" {
		t.Errorf("as it stands: %q", got)
	}
	if got := read(-2, 0); got != "e\n" {
		t.Errorf("its end: %q", got)
	}
	followed := make(chan string)
	go func() { followed <- read(4, time.Minute) }()
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := <-followed; got != "two\n" {
		t.Errorf("what came later: %q", got)
	}
	if _, err := there.Operate(ctx, rota.Operation{Act: rota.ActKill, Filter: rota.Filter{Tasks: []rota.Span{{First: id, Last: id}}}}); err != nil {
		t.Fatal(err)
	}
	out := rota.Output{}
	for !out.Ended { // P9
		if out, err = there.Output(ctx, rota.OutputQuery{Task: id, Stream: rota.Stdout, Offset: 8}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if task, _, err := there.Task(ctx, id); err != nil || task.State != rota.Cancelled {
		t.Errorf("cancelled from there: %+v, %v", task, err)
	}
}
