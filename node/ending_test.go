package node

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

func TestP9_CancelAndKill(t *testing.T) {
	in(t, 2, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Hour, deafTERM: true} }
		w.m.submit(1, 1, rota.Spec{})
		w.m.submit(2, 1, rota.Spec{})
		w.after(time.Second)
		first, second := rota.Try{Task: rota.PlainTask(1), Attempt: 1}, rota.Try{Task: rota.PlainTask(2), Attempt: 1}
		w.m.end(first.Task, rota.EndingCancel)
		w.m.end(second.Task, rota.EndingKill)
		w.after(time.Minute) // renewals repeat it
		if want := []stop{{first, false}, {second, true}}; !slices.Equal(w.k.stops, want) {
			t.Errorf("stops %v, want %v", w.k.stops, want)
		}
		w.m.end(first.Task, rota.EndingKill)
		w.after(time.Second)
		w.want(rota.Cancelled, 2)
		if f := w.only(0); f.Outcome != rota.OutcomeEnded {
			t.Errorf("finish %+v", f)
		}
	})
}

func TestP9_AnEndingThatOvertakesTheClaimsAnswer(t *testing.T) {
	in(t, 1, func(w *world) {
		lose := true
		w.m.fault = func(call string) (before, after error) {
			if call == "exchange" && lose {
				lose = false
				return nil, rota.ErrUnavailable
			}
			return nil, nil
		}
		w.m.submit(1, 1, rota.Spec{})
		synctest.Wait() // claimed, and the answer lost
		w.m.end(rota.PlainTask(1), rota.EndingCancel)
		w.after(time.Minute)
		w.want(rota.Cancelled, 1)
		if len(w.k.started) != 0 {
			t.Error("it was started all the same")
		}
	})
}

func TestP9_AnEndingThatOnlyARenewalTells(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Hour} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Second)
		w.m.end(rota.PlainTask(1), rota.EndingCancel)
		w.m.look(func() { w.m.asked = nil })
		w.after(11 * time.Second)
		w.want(rota.Cancelled, 1)
	})
}

func TestP5_StraysAreGivenBackOnce(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.submit(1, 1, rota.Spec{})
		w.after(5 * time.Second)
		w.m.submit(2, 1, rota.Spec{})
		stray := rota.Try{Task: rota.PlainTask(2), Attempt: 1}
		w.m.look(func() { // as a keeper's life with a forgetful daemon leaves it
			w.m.ready = false
			w.m.tasks[1].state, w.m.tasks[1].Attempt = rota.Running, 1
			w.m.strays = []rota.Try{stray, stray}
		})
		w.after(time.Minute)
		w.want(rota.Succeeded, 2)
		fs := w.finishes(1)
		if len(fs) != 2 || fs[0].Try != stray || fs[0].Outcome != rota.OutcomeReturned || fs[0].StartedAgo != 0 {
			t.Errorf("finishes %+v", fs)
		}
	})
}

func TestP5_WhatTheKeeperHoldsIsNoStray(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: 25 * time.Second} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Second)
		w.m.look(func() { w.m.strays = []rota.Try{w.m.tasks[0].Try} })
		w.after(time.Minute)
		if f := w.only(0); f.Outcome != rota.OutcomeSucceeded {
			t.Errorf("finish %+v", f)
		}
	})
}

func TestI4_WhatTheStoreNoLongerHasAsOursIsEnded(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Hour, deafTERM: true} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Second)
		w.m.look(func() { w.m.tasks[0].state = rota.Failed })
		w.after(11 * time.Second)
		if want := []stop{{rota.Try{Task: rota.PlainTask(1), Attempt: 1}, true}}; !slices.Equal(w.k.stops, want) {
			t.Errorf("stops %v", w.k.stops)
		}
		w.want(rota.Failed, 1)
		if w.n.Busy() != 0 {
			t.Error("the node still holds it")
		}
	})
}

func TestLeaseIsRenewedWithWhatIsHeld(t *testing.T) {
	in(t, 2, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: 25 * time.Second} }
		w.m.submit(1, 3, rota.Spec{})
		w.after(21 * time.Second)
		if len(w.m.renewals) != 2 {
			t.Fatalf("%d renewals in 21 s, want one every 10", len(w.m.renewals))
		}
		held := []rota.Try{{Task: rota.Element(1, 1), Attempt: 1}, {Task: rota.Element(1, 2), Attempt: 1}}
		if r := w.m.renewals[1]; !slices.Equal(r.Held, held) || r.Seq != w.m.seq || r.State != rota.NodeUp {
			t.Errorf("renewal %+v", r)
		}
	})
}

func TestAFailedRenewalIsRepeatedSooner(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.look(func() {
			n := 0
			w.m.fault = func(call string) (before, after error) {
				if call == "renew" {
					if n++; n <= 2 {
						return rota.ErrUnavailable, nil
					}
				}
				return nil, nil
			}
		})
		w.after(14 * time.Second)
		if len(w.m.renewals) != 1 {
			t.Errorf("%d renewals arrived, want the third try at 13 s", len(w.m.renewals))
		}
	})
}

func TestP3_ALostSessionEndsEverything(t *testing.T) {
	for _, told := range []string{"renew", "await", "exchange"} {
		t.Run(told, func(t *testing.T) {
			in(t, 2, func(w *world) {
				w.k.script = func(p executor.Process) play {
					if p.Task.Index() == 1 {
						return play{takes: 2 * time.Second}
					}
					return play{takes: time.Hour, deafTERM: true}
				}
				w.m.submit(1, 9, rota.Spec{OnStoreLoss: rota.StoreLossKill})
				w.after(time.Second)
				w.m.look(func() {
					w.m.state = rota.SessionLost
					if told != "exchange" {
						w.m.fault = func(call string) (before, after error) {
							if call == "exchange" {
								return rota.ErrUnavailable, nil
							}
							return nil, nil
						}
					}
				})
				if told == "await" {
					w.m.lose()
				}
				w.after(5 * time.Second)
				w.m.look(func() { w.m.fault = nil })
				err := w.over()
				if !errors.Is(err, rota.ErrLeaseLost) || !strings.Contains(err.Error(), "n1") {
					t.Errorf("Run: %v", err)
				}
				if len(w.k.running) != 0 {
					t.Error("something still runs")
				}
				if w.m.calls["close"] != 0 {
					t.Error("a lost session was closed")
				}
				if told == "exchange" { // a finish from a lost session is accepted
					if f := w.only(0); f.Outcome != rota.OutcomeSucceeded {
						t.Errorf("finish %+v", f)
					}
					if len(w.k.started) != 2 {
						t.Errorf("%d processes started", len(w.k.started))
					}
				}
			})
		})
	}
}

func TestAStoreThatIsNotDurableStopsTheNode(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(p executor.Process) play { return play{takes: 3 * time.Second} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Second)
		w.m.look(func() {
			w.m.fault = func(string) (before, after error) { return rota.ErrBroken, nil }
		})
		if err := w.over(); !errors.Is(err, rota.ErrBroken) {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestDrain(t *testing.T) {
	in(t, 2, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: 2 * time.Millisecond} }
		w.m.submit(1, 1000, rota.Spec{})
		w.after(50 * time.Millisecond)
		w.n.Drain()
		w.n.Drain()
		if err := w.over(); err != nil {
			t.Errorf("Run: %v", err)
		}
		got := w.states()
		if got[rota.Running] != 0 || got[rota.Ready] == 0 || got[rota.Succeeded] == 0 || got[rota.Ready]+got[rota.Succeeded] != 1000 {
			t.Errorf("drained into %v", got)
		}
		returned := 0
		for i := range w.m.tasks {
			for _, f := range w.finishes(i) {
				if f.Outcome == rota.OutcomeReturned {
					returned++
				}
			}
		}
		if returned == 0 {
			t.Error("nothing that waited was given back")
		}
		if w.m.state != rota.SessionClosed || w.n.Busy() != 0 {
			t.Errorf("session %v, busy %d", w.m.state, w.n.Busy())
		}
	})
}

func TestDrainLetsWhatRunsEnd(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Hour} }
		w.m.submit(1, 2, rota.Spec{})
		w.after(time.Second)
		w.n.Drain()
		w.after(time.Minute)
		if r := w.m.renewals[len(w.m.renewals)-1]; r.State != rota.NodeDraining || w.n.Stats().State != rota.NodeDraining {
			t.Errorf("renewal %+v", r)
		}
		if err := w.over(); err != nil {
			t.Errorf("Run: %v", err)
		}
		w.want(rota.Succeeded, 1)
		w.want(rota.Ready, 1)
	})
}

// TestTheServiceTellsTheNodeToDrain does so by each of the ways there are: all end like Drain.
func TestTheServiceTellsTheNodeToDrain(t *testing.T) {
	ways := map[string]func(w *world){
		"news":      func(w *world) { w.m.look(func() { w.m.drain = true; w.m.tell() }) },
		"a renewal": func(w *world) { w.m.look(func() { w.m.drains = true }) },
	}
	for name, asks := range ways {
		t.Run(name, func(t *testing.T) {
			told := 0
			in(t, 1, func(w *world) {
				w.k.script = func(executor.Process) play { return play{takes: time.Hour} }
				w.m.submit(1, 2, rota.Spec{})
				w.after(time.Second)
				asks(w)
				w.after(time.Minute)
				if s := w.n.Stats(); s.State != rota.NodeDraining || s.Running != 1 {
					t.Errorf("a minute later: %+v", s)
				}
				if err := w.over(); err != nil {
					t.Errorf("Run: %v", err)
				}
				w.want(rota.Succeeded, 1)
				w.want(rota.Ready, 1)
				if told != 1 || w.m.state != rota.SessionClosed {
					t.Errorf("the daemon was told %d times, and the session is %v", told, w.m.state)
				}
			}, func(o *Options) { o.Draining = func() { told++ } })
		})
	}
}

// TestASessionThatDrainsGoesOnDraining is a daemon's that comes after one that was asked to drain.
func TestASessionThatDrainsGoesOnDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, dir, told := newMemory(), t.TempDir(), 0
		m.drains = true
		m.submit(1, 1, rota.Spec{})
		k := newScripted(dir, 1)
		defer k.Close()
		n := New(m, k, []executor.Executor{plain{}}, Options{Name: "n1", Slots: 1, Dir: dir, Elapsed: elapsed,
			Log: slog.New(slog.DiscardHandler), Draining: func() { told++ }})
		if err := n.Run(t.Context()); err != nil || told != 1 {
			t.Errorf("Run: %v; told %d times", err, told)
		}
		if m.tasks[0].state != rota.Ready || m.tasks[0].Attempt != 0 {
			t.Errorf("it claimed: %+v", m.tasks[0])
		}
	})
}

func TestDrainGivesBackWhatAnAnswerStillBrings(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.trip = time.Second
		w.m.submit(1, 1, rota.Spec{})
		w.after(500 * time.Millisecond)
		w.n.Drain()
		if err := w.over(); err != nil {
			t.Errorf("Run: %v", err)
		}
		if f := w.only(0); f.Outcome != rota.OutcomeReturned || len(w.k.started) != 0 {
			t.Errorf("finish %+v, %d started", f, len(w.k.started))
		}
	})
}

func TestAStoppedNodeEndsWhatRuns(t *testing.T) {
	in(t, 2, func(w *world) {
		w.k.script = func(p executor.Process) play {
			return play{takes: time.Hour, deafTERM: p.Task.Index() == 2}
		}
		w.m.submit(1, 5, rota.Spec{})
		w.after(time.Second)
		w.m.end(rota.Element(1, 1), rota.EndingCancel)
		w.after(time.Second)
		began := time.Now()
		w.stop()
		if err := w.over(); err != nil {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %v, want the grace of 5 s", took)
		}
		w.want(rota.Cancelled, 1)
		w.want(rota.Ready, 4)
		for _, i := range []int{1, 2} {
			if f := w.only(i); f.Outcome != rota.OutcomeLost || f.Reason != "the node was stopped while it ran" {
				t.Errorf("finish %+v", f)
			}
		}
	})
}

func TestAStopBeforeTheSessionIsOpenIsNoFailure(t *testing.T) {
	in(t, 1, func(w *world) {
		ctx, stop := context.WithCancel(w.Context())
		stop()
		w.m.fault = func(string) (before, after error) { return context.Canceled, nil }
		n := New(w.m, w.k, []executor.Executor{plain{}}, Options{Name: "n2", Dir: w.dir, Elapsed: elapsed, Log: slog.New(slog.DiscardHandler)})
		if err := n.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
		w.m.fault = nil
	})
}

func TestAStoppedNodeGivesUpOnASilentServer(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Hour} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Second)
		w.m.look(func() {
			w.m.fault = func(string) (before, after error) { return rota.ErrUnavailable, nil }
			w.m.wrong = nil
		})
		w.stop()
		if err := w.over(); !errors.Is(err, rota.ErrUnavailable) || rota.FixOf(err) == "" {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestP11ALostKeeperEndsTheNodeAtOnce(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.submit(1, 1, rota.Spec{})
		w.after(500 * time.Millisecond)
		k, lost := newScripted(w.dir, 1), elapsed()
		close(w.k.done)
		if err := w.over(); !errors.Is(err, ErrKeeperLost) {
			t.Errorf("Run: %v", err)
		}
		if late := elapsed().Sub(lost); late > 100*time.Millisecond { // of the bubble's time
			t.Errorf("it waited %v for ends that nobody will tell", late)
		}
		w.want(rota.Running, 1) // whoever opens the next session has it rescued
		w.k = k
	})
}

// The keeper's lease counts from when a renewal was sent, and only what is known to be committed counts (P2, P4).
func TestP2TheKeepersLeaseCountsFromWhenTheRenewalWasSent(t *testing.T) {
	const ttl = 30 * time.Second
	in(t, 1, func(w *world) {
		opened := elapsed()
		w.after(25 * time.Second) // renewals after 10 and 20 s
		lost := true
		w.m.look(func() {
			w.m.fault = func(call string) (before, after error) {
				if call == "renew" && lost {
					return nil, rota.ErrUnavailable // committed, and nobody here knows
				}
				return nil, nil
			}
		})
		w.after(20 * time.Second)
		w.m.look(func() { lost = false })
		w.after(15 * time.Second)
		var got []time.Duration
		w.k.look(func() {
			for _, until := range w.k.leases {
				got = append(got, until.Sub(opened)-(ttl-ttl/leaseMargin))
			}
		})
		if len(got) < 4 || got[0] != 0 || got[1] != 10*time.Second || got[2] != 20*time.Second || got[3] < 45*time.Second {
			t.Errorf("leases from %v after the opening", got)
		}
	}, func(o *Options) { o.TTL = ttl })
}
