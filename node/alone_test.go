package node

import (
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// What is to run alone waits until nothing else runs, and while it waits or runs nothing is claimed.
func TestP7_WhatIsToRunAloneDoes(t *testing.T) {
	in(t, 3, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: 10 * time.Second} }
		states := func(when string, want ...rota.State) {
			t.Helper()
			w.m.look(func() {
				for i, task := range w.m.tasks {
					if task.state != want[i] {
						t.Errorf("%s: task %d is %v, want %v", when, 1+i, task.state, want[i])
					}
				}
			})
		}
		started := func(want int) {
			t.Helper()
			w.k.look(func() {
				if len(w.k.started) != want {
					t.Errorf("%d were started, want %d", len(w.k.started), want)
				}
			})
		}
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Second)
		w.m.submit(2, 1, rota.Spec{Name: "alone"})
		w.after(time.Second)
		w.m.submit(3, 1, rota.Spec{})
		w.after(time.Second)
		states("while another runs", rota.Running, rota.Running, rota.Ready)
		started(1)
		w.after(10 * time.Second)
		states("while it runs", rota.Succeeded, rota.Running, rota.Ready)
		started(2)
		w.after(10 * time.Second)
		states("after it", rota.Succeeded, rota.Succeeded, rota.Running)
		started(3)

		w.m.submit(4, 1, rota.Spec{Name: "alone"})
		w.after(time.Second)
		w.m.end(rota.PlainTask(4), rota.EndingCancel) // it waits for its turn, and nobody else is to wait for it then
		w.m.submit(5, 1, rota.Spec{})
		w.after(time.Second)
		states("after one that was cancelled", rota.Succeeded, rota.Succeeded, rota.Running, rota.Cancelled, rota.Running)
		started(4)
	})
}

// P7: what is to run alone starts when what it needs is there. It did not: it waited for ever, and its node with it.
func TestP7_WhatIsToRunAloneWaitsForItsInput(t *testing.T) {
	in(t, 2, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Second} }
		w.m.look(func() { w.m.inputs[1] = []byte("fed") })
		w.m.submit(1, 1, rota.Spec{Name: "alone"})
		w.m.submit(2, 1, rota.Spec{})
		w.after(time.Minute)
		w.want(rota.Succeeded, 2)
	})
}
