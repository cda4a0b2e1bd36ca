package node

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// TestANodeIsPausedThroughTheService does so by news and by renewals; a signal here is something else.
func TestANodeIsPausedThroughTheService(t *testing.T) {
	yes, no := true, false
	in(t, 2, func(w *world) {
		paused := func(what string, want bool) {
			t.Helper()
			w.after(21 * time.Second) // with the next renewal it hears of it, with the one after it says so
			if s := w.n.Stats().State; (s == rota.NodePaused) != want {
				t.Errorf("%s: the node is %v", what, s)
			}
			if r := w.m.renewals[len(w.m.renewals)-1]; (r.State == rota.NodePaused) != want {
				t.Errorf("%s: it tells that it is %v", what, r.State)
			}
		}
		says := func(pause bool, news *bool) {
			w.m.look(func() {
				if w.m.pauses, w.m.pause = pause, news; news != nil {
					w.m.tell()
				}
			})
		}
		says(true, &yes)
		w.m.look(func() { w.m.ready = false })
		paused("by news", true)
		w.m.submit(1, 1, rota.Spec{})
		paused("with work", true)
		w.want(rota.Ready, 1)
		w.n.Continue()
		paused("a signal does not undo it", true)
		w.n.Pause()
		says(false, &no)
		paused("nor the other way round", true)
		w.n.Continue()
		paused("nobody wishes it any more", false)
		w.want(rota.Succeeded, 1)
		says(true, nil)
		paused("by a renewal", true)
		says(false, nil)
		paused("likewise", false)
	})
}

func TestANodeThatWasPausedComesUpSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, dir := newMemory(), t.TempDir()
		m.pauses = true
		m.submit(1, 1, rota.Spec{})
		k := newScripted(dir, 1)
		defer k.Close()
		n := New(m, k, []executor.Executor{plain{}}, Options{Name: "n1", Slots: 1, Dir: dir, Elapsed: elapsed, Log: slog.New(slog.DiscardHandler)})
		end := make(chan error, 1)
		go func() { end <- n.Run(t.Context()) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := n.Stats().State; s != rota.NodePaused {
			t.Errorf("it is %v", s)
		}
		n.Drain()
		if err := <-end; err != nil {
			t.Errorf("Run: %v", err)
		}
		if m.calls["exchange"] != 0 || m.tasks[0].state != rota.Ready {
			t.Errorf("it claimed: %v, %v", m.calls, m.tasks[0].state)
		}
	})
}
