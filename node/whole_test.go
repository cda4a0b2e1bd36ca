package node

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/executor/exec"
	"github.com/rotaqueue/rota/executor/shell"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// whole is a machine: store, server, keeper and node as they are.
type whole struct {
	testing.TB
	ctx   context.Context
	store *sqlstore.Store
	svc   rota.Service
	n     *Node
	end   chan error
}

func newWhole(t testing.TB, slots int) *whole {
	dir := t.TempDir()
	store, err := sqlstore.Open(t.Context(), filepath.Join(dir, "rota.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := keeper.New(keeper.Options{Dir: filepath.Join(dir, "node"), Slots: slots})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(rota.WithPrincipal(context.Background(), rota.Principal{Name: "root", Role: rota.RoleAdmin}))
	s := server.New(store, server.Options{Node: "n1"})
	n := New(s, k, []executor.Executor{exec.Executor{}, shell.Executor{}},
		Options{Name: "n1", Key: "k", Slots: slots, Dir: filepath.Join(dir, "node"), Log: slog.New(slog.DiscardHandler)})
	w := &whole{TB: t, ctx: ctx, store: store, svc: s, n: n, end: make(chan error, 1)}
	served := make(chan struct{})
	go func() { defer close(served); s.Run(ctx) }()
	go func() { w.end <- n.Run(ctx) }()
	t.Cleanup(func() {
		k.Close()
		stop()
		<-served
		store.Close()
	})
	return w
}

func (w *whole) submit(spec rota.Spec) rota.JobID {
	w.Helper()
	sub := rota.Submission{Spec: spec}
	done, err := w.svc.Submit(w.ctx, sub)
	if err != nil {
		w.Fatal(err)
	}
	return done.Job
}

func (w *whole) wait(job rota.JobID) rota.Progress {
	w.Helper()
	for seen := (rota.Progress{}); ; {
		p, err := w.svc.Watch(w.ctx, job, seen, time.Minute)
		if err != nil {
			w.Fatal(err)
		}
		if p.Ended() {
			return p
		}
		if p == seen {
			w.Fatalf("nothing moved for a minute: %+v", p)
		}
		seen = p
	}
}

func (w *whole) drain() {
	w.Helper()
	w.n.Drain()
	if err := <-w.end; err != nil {
		w.Errorf("Run: %v", err)
	}
	wrong, err := w.store.Verify(w.ctx)
	if err != nil || len(wrong) > 0 {
		w.Errorf("the store is not sound: %v, %v", wrong, err)
	}
}

func TestWholeMachine(t *testing.T) {
	w := newWhole(t, 4)
	array, _, err := rota.ParseArray("1-400")
	if err != nil {
		t.Fatal(err)
	}
	many := w.submit(rota.Spec{Shell: `echo "task $ROTA_TASK"`, Array: array})
	never := 0
	bad := w.submit(rota.Spec{Shell: "exit 7", Retry: &rota.Retry{Count: &never}})
	none := w.submit(rota.Spec{Argv: []string{"/no/such/command"}})
	after := w.submit(rota.Spec{Shell: "true", After: []rota.Dependency{{Job: bad, When: rota.AfterFail}}})
	if p := w.wait(many); p.Succeeded != 400 {
		t.Errorf("the array: %+v", p)
	}
	for job, want := range map[rota.JobID]rota.State{bad: rota.Failed, none: rota.Failed, after: rota.Succeeded} {
		if p := w.wait(job); p.State() != want {
			t.Errorf("job %v: %+v, want %v", job, p, want)
		}
	}
	out, err := w.svc.Output(w.ctx, rota.OutputQuery{Task: rota.Element(many, 17), Stream: rota.Stdout}, 0)
	if want := "task " + rota.Element(many, 17).String() + "\n"; err != nil || string(out.Data) != want || !out.Ended {
		t.Errorf("output %+v, %v", out, err)
	}
	if task, _, err := w.svc.Task(w.ctx, rota.PlainTask(none)); err != nil || task.Outcome != rota.OutcomeRefused {
		t.Errorf("a command that is not there: %+v, %v", task, err)
	}
	w.drain()
}

func TestWholeMachineCancels(t *testing.T) {
	w := newWhole(t, 1)
	job := w.submit(rota.Spec{Shell: "sleep 1000"})
	for seen := (rota.Progress{}); seen.Running == 0; {
		p, err := w.svc.Watch(w.ctx, job, seen, time.Minute)
		if err != nil || p == seen {
			t.Fatalf("it does not start: %+v, %v", p, err)
		}
		seen = p
	}
	op := rota.Operation{Act: rota.ActCancel, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}}}
	if _, err := w.svc.Operate(w.ctx, op); err != nil {
		t.Fatal(err)
	}
	if p := w.wait(job); p.Cancelled != 1 {
		t.Errorf("cancelled: %+v", p)
	}
	w.drain()
}

// BenchmarkWhole runs an array of /bin/true through the whole machine.
func BenchmarkWhole(b *testing.B) {
	w := newWhole(b, 4)
	b.ResetTimer()
	job := w.submit(rota.Spec{Argv: []string{"/bin/true"}, Array: &rota.Array{Ranges: []rota.Range{{First: 1, Last: b.N}}}})
	w.wait(job)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
	s := w.n.Stats()
	b.ReportMetric(float64(s.Finished)/float64(s.Exchanges), "ends/exchange")
	w.drain()
}
