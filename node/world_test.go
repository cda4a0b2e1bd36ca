package node

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// plain is an executor that runs argv as it is.
type plain struct{ fails error }

func (plain) Name() string { return rota.ExecutorExec }

func (plain) Version() string { return "1" }

func (e plain) Command(a *rota.Assignment) (executor.Command, error) {
	return executor.Command{Argv: a.Spec.Argv}, e.fails
}

// world is a node with its service and keeper, in a bubble of fake time.
type world struct {
	*testing.T
	m    *memory
	k    *scripted
	n    *Node
	dir  string
	stop context.CancelFunc
	end  chan error
}

// in makes a world, and lets what the test leaves running end in peace.
func in(t *testing.T, slots int, body func(w *world), change ...func(*Options)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, m: newMemory(), dir: t.TempDir(), end: make(chan error, 1)}
		w.k = newScripted(w.dir, slots)
		o := Options{Name: "n1", Slots: slots, Dir: w.dir, Elapsed: elapsed, Log: slog.New(slog.DiscardHandler)}
		for _, c := range change {
			c(&o)
		}
		w.n = New(w.m, w.k, []executor.Executor{plain{}}, o)
		ctx, stop := context.WithCancel(t.Context())
		w.stop = stop
		defer func() {
			stop()
			if w.end != nil {
				<-w.end
			}
			w.k.Close()
			if w.k.overlap {
				t.Error("I4: two attempts of a task ran at once")
			}
			for _, text := range w.m.wrong {
				t.Error(text)
			}
		}()
		go func() { w.end <- w.n.Run(ctx) }()
		synctest.Wait() // the session is open, and nothing moves
		body(w)
	})
}

// over is Run's end, which must come without further doing.
func (w *world) over() error {
	w.Helper()
	w.handOver()
	err := <-w.end
	w.end = nil
	return err
}

// after lets time pass until everything waits. Before and after it the test may look at and change what it likes:
// nothing moves.
func (w *world) after(d time.Duration) {
	w.handOver()
	time.Sleep(d) // in the bubble: fake
	synctest.Wait()
}

// handOver shows the others, and the race detector, what the test has changed.
func (w *world) handOver() {
	w.m.look(func() {})
	w.k.look(func() {})
}

// states counts the tasks in each state.
func (w *world) states() map[rota.State]int {
	count := map[rota.State]int{}
	w.m.look(func() {
		for _, t := range w.m.tasks {
			count[t.state]++
		}
	})
	return count
}

func (w *world) want(s rota.State, n int) {
	w.Helper()
	if got := w.states(); got[s] != n {
		w.Errorf("%d tasks %v, want %d: %v", got[s], s, n, got)
	}
}

// finishes are those recorded of the ith task; only is the single one.
func (w *world) finishes(i int) (fs []rota.Finish) {
	w.m.look(func() { fs = append(fs, w.m.tasks[i].finishes...) })
	return fs
}

func (w *world) only(i int) rota.Finish {
	w.Helper()
	fs := w.finishes(i)
	if len(fs) != 1 {
		w.Fatalf("task %d has %d finishes, want 1: %+v", i, len(fs), fs)
	}
	return fs[0]
}

// toldState is the state in the latest renewal.
func (w *world) toldState() (s rota.NodeState) {
	w.m.look(func() { s = w.m.renewals[len(w.m.renewals)-1].State })
	return s
}
