package node

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/keeper"
)

// lapses has a node lose its session, with three jobs of an hour running that tolerate it ever more, and returns what the
// keeper goes on with.
func lapses(w *world) (left []keeper.Held) {
	w.Helper()
	w.k.script = func(executor.Process) play { return play{takes: time.Hour, stdout: "out"} }
	for i, rule := range []rota.OnStoreLoss{rota.StoreLossKill, "2h", rota.StoreLossRun} {
		w.m.submit(rota.JobID(i+1), 1, rota.Spec{OnStoreLoss: rule})
	}
	w.after(time.Second)
	w.m.look(func() { w.m.state = rota.SessionLost })
	if err := w.over(); !errors.Is(err, rota.ErrLeaseLost) {
		w.Errorf("Run: %v", err)
	}
	if n := w.n.Busy(); n != 2 || len(w.k.running) != 2 || w.m.calls["close"] != 0 {
		w.Errorf("busy %d, %d run, closed %d times", n, len(w.k.running), w.m.calls["close"])
	}
	if f := w.only(0); f.Outcome != rota.OutcomeLost {
		w.Errorf("what does not tolerate it: %+v", f)
	}
	for _, p := range w.k.started {
		if w.k.running[p.Try] != nil {
			left = append(left, keeper.Held{Try: p.Try, State: keeper.Running, Note: p.Note})
		}
	}
	return left
}

// aside is the node that comes back to what goes on in a lost session.
func (w *world) aside(left []keeper.Held) *Node {
	leases := len(w.k.leases)
	n := New(w.m, w.k, []executor.Executor{plain{}}, Options{Name: "n1", Session: w.n.opts.Session, Resumed: left, Aside: true, Slots: 3,
		Dir: w.dir, Elapsed: elapsed, Log: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(w.Context())
	w.stop, w.end = stop, make(chan error, 1)
	go func() { w.end <- n.Run(ctx) }()
	synctest.Wait()
	w.Cleanup(func() {
		if len(w.k.leases) != leases {
			w.Errorf("the lease of a lost session was set again: %v", w.k.leases[leases:])
		}
	})
	return n
}

func TestP8_WhatToleratesTheLossOfItsSessionGoesOnAndIsRecorded(t *testing.T) {
	in(t, 3, func(w *world) {
		left := lapses(w)
		ended := elapsed()
		w.aside(left)
		w.m.submit(9, 1, rota.Spec{})
		w.after(time.Minute)
		if until := w.k.leases[len(w.k.leases)-1]; until > ended {
			t.Errorf("the lease of the lost session lasts %v too long", until.Sub(ended))
		}
		for _, r := range w.m.renewals[len(w.m.renewals)-2:] {
			if !r.Lost || r.State != "" || len(r.Held) != 2 {
				t.Errorf("renewal %+v", r)
			}
		}
		w.m.end(rota.PlainTask(2), rota.EndingCancel) // it is told to what is lost, too
		w.after(time.Second)
		w.want(rota.Cancelled, 1)
		w.after(time.Hour)
		if err := w.over(); err != nil {
			t.Errorf("Run: %v", err)
		}
		if f := w.only(2); f.Outcome != rota.OutcomeSucceeded || string(f.Output[0].Data) != "out" {
			t.Errorf("what went on: %+v", f)
		}
		w.want(rota.Ready, 2) // the first, and one that came later: it claims nothing
		if w.m.calls["close"] != 1 {
			t.Errorf("closed %d times: nobody knows that nothing is left", w.m.calls["close"])
		}
	})
}

func TestP8_WhatTheStoreNoLongerHasAsALostSessionsIsEnded(t *testing.T) {
	in(t, 3, func(w *world) {
		w.aside(lapses(w))
		w.after(time.Minute)
		w.m.look(func() { w.m.tasks[1].state = rota.Failed })
		w.after(time.Minute)
		if len(w.k.running) != 1 {
			t.Errorf("%d run", len(w.k.running))
		}
		w.m.look(func() { w.m.state = rota.SessionClosed }) // gone for good
		if err := w.over(); !errors.Is(err, rota.ErrLeaseLost) || len(w.k.running) != 0 {
			t.Errorf("Run: %v, %d run", err, len(w.k.running))
		}
	})
}

func TestP2_ASessionsTTLIsThatOfItsFirstOpening(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.ttl = rota.Duration(6 * time.Second)
		opened, ctx := elapsed(), w.Context()
		n := New(w.m, w.k, []executor.Executor{plain{}}, Options{Name: "n2", Dir: w.dir, TTL: time.Hour, OnStoreLoss: rota.StoreLossKill, Elapsed: elapsed, Log: slog.New(slog.DiscardHandler)})
		end := make(chan error, 1)
		go func() { end <- n.Run(ctx) }()
		synctest.Wait()
		if o := w.m.opening; o.TTL.D() != time.Hour || o.OnStoreLoss != rota.StoreLossKill {
			t.Errorf("opening %+v", o)
		}
		if until := w.k.leases[len(w.k.leases)-1]; until.Sub(opened) >= 6*time.Second {
			t.Errorf("the keeper's lease: %v", until.Sub(opened))
		}
		n.Drain()
		if err := <-end; err != nil {
			t.Error(err)
		}
	})
}

func TestP3_AStopGoesOnThoughTheSessionIsLost(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Hour, deafTERM: true} }
		w.m.submit(1, 1, rota.Spec{OnStoreLoss: rota.StoreLossRun})
		w.after(time.Second)
		w.m.look(func() { w.m.state = rota.SessionLost })
		w.stop()
		if err := w.over(); !errors.Is(err, rota.ErrLeaseLost) || len(w.k.running) != 0 {
			t.Errorf("Run: %v, %d run", err, len(w.k.running))
		}
	})
}
