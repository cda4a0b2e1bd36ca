package node

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/executor/shell"
	"github.com/rotaqueue/rota/keeper"
)

// real is a node with a real keeper: its processes are processes.
type real struct {
	*testing.T
	m   *memory
	k   *keeper.Local
	n   *Node
	dir string
	end chan error
}

func newReal(t *testing.T) *real {
	r := &real{T: t, m: newMemory(), dir: t.TempDir(), end: make(chan error, 1)}
	var err error
	if r.k, err = keeper.New(keeper.Options{Dir: r.dir, Slots: 4}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.k.Close() })
	r.n = New(r.m, r.k, []executor.Executor{shell.Executor{}},
		Options{Name: "n1", Slots: 4, Dir: r.dir, Log: slog.New(slog.DiscardHandler)})
	go func() { r.end <- r.n.Run(t.Context()) }()
	return r
}

// submit adds tasks of a shell job that is not tried again.
func (r *real) submit(job rota.JobID, tasks int, spec rota.Spec) {
	never := 0
	spec.Executor, spec.Retry = rota.ExecutorShell, &rota.Retry{Count: &never}
	r.m.submit(job, tasks, spec)
}

// until waits for what processes do.
func (r *real) until(what string, is func() bool) {
	r.Helper()
	tick, late := time.NewTicker(time.Millisecond), time.NewTimer(time.Minute)
	defer tick.Stop()
	defer late.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-late.C:
			r.Fatal("not within a minute:", what)
		}
	}
}

// untilEnded waits until all tasks have, and returns them.
func (r *real) untilEnded() []*memTask {
	r.Helper()
	r.until("all tasks end", func() bool {
		left := 0
		r.m.look(func() {
			for _, task := range r.m.tasks {
				if !task.state.Ended() {
					left++
				}
			}
		})
		return left == 0
	})
	return r.m.tasks
}

// drain ends the node, after which nothing may be left.
func (r *real) drain() {
	r.Helper()
	r.n.Drain()
	if err := <-r.end; err != nil {
		r.Errorf("Run: %v", err)
	}
	if held := r.k.Held(); len(held) != 0 {
		r.Errorf("the keeper still remembers %v", held)
	}
	for _, text := range r.m.wrong {
		r.Error(text)
	}
}

func TestRealTasksAndTheirOutput(t *testing.T) {
	r := newReal(t)
	r.submit(1, 300, rota.Spec{Shell: `echo $ROTA_TASK $ROTA_ATTEMPT`})
	tasks := r.untilEnded()
	r.drain()
	for _, task := range tasks {
		var text strings.Builder
		for _, c := range r.m.output[task.Try] {
			text.Write(c.Data)
		}
		if task.state != rota.Succeeded || text.String() != task.Task.String()+" 1\n" {
			t.Errorf("task %v is %v and wrote %q", task.Task, task.state, text.String())
		}
	}
	if left, err := os.ReadDir(filepath.Join(r.dir, "output")); err != nil || len(left) != 0 {
		t.Errorf("%d files left in the output folder, %v", len(left), err)
	}
}

func TestRealInputOwnFileAndFailure(t *testing.T) {
	r := newReal(t)
	r.m.look(func() { r.m.inputs[2] = []byte("fed") })
	r.submit(2, 1, rota.Spec{Shell: `cat; echo "$ROTA_NAME" >&2; exit 3`, Name: "reader", Out: filepath.Join(r.dir, "own.%j")})
	task := r.untilEnded()[0]
	r.drain()
	f := task.finishes[0]
	if f.Outcome != rota.OutcomeFailed || f.Exit == nil || *f.Exit != 3 || len(f.Output) != 1 || string(f.Output[0].Data) != "reader\n" {
		t.Errorf("finish %+v", f)
	}
	if f.Stdout != nil || f.Stderr == nil || *f.Stderr != 7 {
		t.Errorf("written %v to its own file, and %v", f.Stdout, f.Stderr)
	}
	if b, err := os.ReadFile(filepath.Join(r.dir, "own.2")); err != nil || string(b) != "fed" {
		t.Errorf("own output file: %q, %v", b, err)
	}
}

func TestRealLiveOutputAndCancel(t *testing.T) {
	r := newReal(t)
	r.submit(3, 1, rota.Spec{Shell: `head -c 100000 /dev/zero | tr '\0' x; echo started >&2; sleep 100`, Grace: rota.Duration(time.Second)})
	r.until("its live output", func() bool {
		out, ok, err := r.n.Output(t.Context(), rota.OutputQuery{Task: rota.PlainTask(3), Stream: rota.Stderr})
		return err == nil && ok && string(out.Data) == "started\n" && !out.Ended
	})
	r.m.end(rota.PlainTask(3), rota.EndingCancel)
	task := r.untilEnded()[0]
	out, ok, err := r.n.Output(t.Context(), rota.OutputQuery{Task: rota.PlainTask(3), Stream: rota.Stdout, Max: 1})
	if err != nil || !ok || out.Size != 100_000 || !out.Ended {
		t.Errorf("full text: %+v, %v, %v", out, ok, err)
	}
	r.drain()
	if f := task.finishes[0]; f.Outcome != rota.OutcomeEnded || task.state != rota.Cancelled || f.StartedAgo == 0 {
		t.Errorf("finish %+v", f)
	}
}
