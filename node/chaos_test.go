package node

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// TestI1_NothingIsLostWhateverFails runs tasks of all kinds while calls fail, replies get lost, processes cannot be
// started and tasks are cancelled, all at random; then the faults heal. Every task must have ended, with at most one
// success (I2), no two attempts at once (I4), and the output of its success whole (I8).
func TestI1_NothingIsLostWhateverFails(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { chaos(t, seed) })
	}
}

func chaos(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	slots := 1 + random.IntN(6)
	in(t, slots, func(w *world) {
		faults := random.Float64() * 0.6
		short := random.IntN(2) == 0
		faulty := true
		w.m.trip = time.Duration(random.IntN(20)) * time.Millisecond
		dice := rand.New(rand.NewPCG(seed, 2)) // the service's, which has a lock of its own
		w.m.fault = func(call string) (before, after error) {
			if !faulty || dice.Float64() > faults {
				return nil, nil
			}
			if dice.IntN(2) == 0 {
				return rota.ErrUnavailable, nil
			}
			return nil, errors.New("reply lost")
		}
		w.k.script = func(p executor.Process) play {
			r := rand.New(rand.NewPCG(seed, uint64(p.Task)*1000+uint64(p.Attempt)))
			a := play{takes: time.Duration(r.IntN(30)) * time.Millisecond, stdout: letters([]int{0, 0, 10, 20_000, 90_000}[r.IntN(5)]),
				deafTERM: r.IntN(4) == 0, broken: r.IntN(50) == 0}
			if !short {
				a.takes *= 100
			}
			if r.IntN(5) == 0 {
				a.outcome, a.code = rota.OutcomeFailed, 1
			}
			return a
		}
		const tasks = 150
		w.withInput(1, tasks/3, []byte("text"))
		w.m.submit(2, tasks/3, rota.Spec{})
		w.m.submit(3, tasks/3, rota.Spec{})
		for range 10 {
			w.after(time.Duration(random.IntN(2000)) * time.Millisecond)
			how := []rota.Ending{rota.EndingCancel, rota.EndingKill}[random.IntN(2)]
			w.m.end(rota.Element(2, 1+random.IntN(tasks/3)), how)
		}
		w.m.look(func() { faulty = false })
		w.after(30 * time.Minute)
		check(w, tasks)
		w.n.Drain()
		if err := w.over(); err != nil {
			t.Errorf("Run: %v", err)
		}
		if w.n.Busy() != 0 || len(w.inputs()) != 0 {
			t.Errorf("busy %d, inputs %v", w.n.Busy(), w.inputs())
		}
	})
}

func check(w *world, tasks int) {
	w.Helper()
	got := w.states()
	if got[rota.Succeeded]+got[rota.Failed]+got[rota.Cancelled]+got[rota.Held] != tasks {
		w.Errorf("I1: not all ended: %v", got)
	}
	for i, task := range w.m.tasks {
		successes := 0
		for _, f := range task.finishes {
			if f.Outcome == rota.OutcomeSucceeded {
				successes++
				checkOutput(w, i, f)
			}
		}
		if successes > 1 {
			w.Errorf("I2: task %v succeeded %d times", task.Task, successes)
		}
	}
	if len(w.k.ended) != 0 {
		w.Errorf("%d ends were not forgotten", len(w.k.ended))
	}
}

func checkOutput(w *world, i int, f rota.Finish) {
	w.Helper()
	want := w.k.script(executor.Process{Try: f.Try}).stdout
	cs := w.kept(i, rota.Stdout)
	switch {
	case len(want) == 0 && len(cs) == 0:
	case len(want) > rota.OutputCap:
		half := rota.OutputCap / 2
		if len(cs) != 2 || string(cs[0].Data) != want[:half] || string(cs[1].Data) != want[len(want)-half:] {
			w.Errorf("I8: output of %v is not its head and tail", f.Try)
		}
	case len(cs) != 1 || string(cs[0].Data) != want:
		w.Errorf("I8: output of %v is not what it wrote", f.Try)
	}
}
