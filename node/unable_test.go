package node

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

func TestP7_WhatCannotRunIsRefused(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.submit(1, 1, rota.Spec{Executor: "plugin:x"})
		w.m.submit(2, 1, rota.Spec{Out: "/tmp/%q"})
		w.m.submit(3, 1, rota.Spec{Argv: []string{"true"}})
		w.after(10 * time.Second)
		for i, want := range []string{"plugin:x", "%q"} {
			if f := w.only(i); f.Outcome != rota.OutcomeRefused || f.StartedAgo != 0 || !strings.Contains(f.Reason, want) {
				t.Errorf("finish %+v, want refused for %s", f, want)
			}
		}
		w.want(rota.Succeeded, 1)
	})
}

func TestP7_AnExecutorThatRefuses(t *testing.T) {
	in(t, 1, func(w *world) {
		w.n.executors["exec"] = plain{fails: errors.New("no placeholder {x}")}
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Second)
		if f := w.only(0); f.Outcome != rota.OutcomeRefused || f.Reason != "no placeholder {x}" {
			t.Errorf("finish %+v", f)
		}
	})
}

func TestANodeThatCannotStartDoesNotUseUpTheGiveBacks(t *testing.T) {
	in(t, 4, func(w *world) {
		broken := true
		w.k.script = func(executor.Process) play { return play{takes: time.Second, broken: broken} }
		w.m.submit(1, 100, rota.Spec{})
		w.after(30 * time.Second)
		w.want(rota.Held, 0)
		w.k.look(func() { broken = false })
		w.after(3 * time.Minute)
		w.want(rota.Succeeded, 100)
	})
}

// A keeper that says that it can start nothing is asked until it can: an outage of a day costs no task more than one
// give-back, and others see the node's state.
func TestP7_WhileNothingCanBeStartedNothingIsClaimed(t *testing.T) {
	in(t, 4, func(w *world) {
		broken := true
		w.k.script = func(executor.Process) play { return play{takes: time.Second, broken: broken} }
		w.k.trouble = errors.New("no process can be made")
		w.m.submit(1, 100, rota.Spec{})
		w.after(24 * time.Hour)
		returned := 0
		for i := range 100 {
			n := len(w.finishes(i))
			if returned += n; n > 1 {
				t.Errorf("task %d was given back %d times", i, n)
			}
		}
		if returned == 0 || w.n.Stats().State != rota.NodeUnable || w.toldState() != rota.NodeUnable {
			t.Errorf("%d were given back, the node is %s and tells that it is %s", returned, w.n.Stats().State, w.toldState())
		}
		if w.k.checks < 24*60 || w.k.checks > 2*24*60+20 {
			t.Errorf("the keeper was asked %d times in a day", w.k.checks)
		}
		w.k.look(func() { broken, w.k.trouble = false, nil })
		w.after(time.Minute)
		w.want(rota.Succeeded, 100)
		if w.n.Stats().State != rota.NodeUp || w.toldState() != rota.NodeUp {
			t.Errorf("the node is %s and tells that it is %s", w.n.Stats().State, w.toldState())
		}
	})
}

func TestAKeeperThatTakesNothing(t *testing.T) {
	in(t, 2, func(w *world) {
		w.k.refuse = errors.New("socket closed")
		w.m.submit(1, 2, rota.Spec{})
		w.after(time.Minute)
		w.want(rota.Succeeded, 2)
		if f := w.finishes(0)[0]; f.Outcome != rota.OutcomeReturned || !strings.Contains(f.Reason, "socket closed") {
			t.Errorf("finish %+v", f)
		}
	})
}

func TestP10WhatALostKeeperMayHaveStartedIsNotGivenBack(t *testing.T) {
	in(t, 2, func(w *world) {
		w.k.refuse = rota.Errorf(rota.ErrUnavailable, "the connection to the keeper is lost")
		w.m.submit(1, 2, rota.Spec{})
		w.after(time.Second)
		k := newScripted(w.dir, 2)
		close(w.k.done)
		if err := w.over(); !errors.Is(err, ErrKeeperLost) {
			t.Errorf("Run: %v", err)
		}
		w.want(rota.Running, 2) // the next session's opening tells which of them were started
		w.k = k
	})
}
