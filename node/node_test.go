package node

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

func TestRunsTasksInOrderAndIsSilentWhenIdle(t *testing.T) {
	in(t, 2, func(w *world) {
		w.m.submit(1, 5, rota.Spec{Argv: []string{"x"}})
		w.after(10 * time.Second)
		w.want(rota.Succeeded, 5)
		for i, p := range w.k.started {
			if p.Task.Index() != i+1 {
				t.Errorf("process %d is task %v", i, p.Task)
			}
		}
		f := w.only(0)
		if f.Outcome != rota.OutcomeSucceeded || f.StartedAgo != rota.Duration(time.Second) || f.EndedAgo != 0 || *f.Exit != 0 {
			t.Errorf("finish %+v", f)
		}
		if w.n.Busy() != 0 {
			t.Errorf("busy with %d", w.n.Busy())
		}
		calls := w.m.calls["exchange"]
		w.after(awaitTime / 2)
		if w.m.calls["exchange"] != calls {
			t.Errorf("%d exchanges while idle", w.m.calls["exchange"]-calls)
		}
		if o := w.m.opening; !o.Sole || o.Node.Name != "n1" || o.Node.Slots != 2 || o.Node.Executors["exec"] != "1" || len(o.Session) != 32 {
			t.Errorf("opening %+v", o)
		}
	})
}

func TestNewsStartsWorkAtOnce(t *testing.T) {
	in(t, 2, func(w *world) {
		w.after(time.Minute)
		began := time.Now()
		w.m.submit(1, 1, rota.Spec{})
		synctest.Wait()
		if len(w.k.started) != 1 || time.Since(began) != 0 {
			t.Errorf("%d started after %v", len(w.k.started), time.Since(began))
		}
	})
}

func TestPollStaysBehindEveryNotification(t *testing.T) {
	in(t, 1, func(w *world) {
		w.after(time.Second)
		w.m.submit(1, 1, rota.Spec{})
		w.m.look(func() { w.m.ready = false }) // the news is lost
		w.after(2 * awaitTime)
		w.want(rota.Succeeded, 1)
	})
}

func TestP5_WhatEndsDuringAnExchangeGoesWithTheNext(t *testing.T) {
	in(t, 8, func(w *world) {
		w.k.script = func(p executor.Process) play {
			return play{takes: time.Second + time.Duration(p.Task.Index())*time.Millisecond}
		}
		w.m.trip = 500 * time.Millisecond
		w.m.submit(1, 8, rota.Spec{})
		w.after(5 * time.Second)
		w.want(rota.Succeeded, 8)
		var finished []int
		for _, x := range w.m.exchanges {
			if len(x.Finished) > 0 {
				finished = append(finished, len(x.Finished))
			}
		}
		if len(finished) != 2 || finished[0] != 1 || finished[1] != 7 {
			t.Errorf("exchanges with %v finishes, want 1 and then the 7 that ended meanwhile", finished)
		}
	})
}

func TestP5_OneExchangeFinishesAndClaims(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.submit(1, 3, rota.Spec{})
		w.after(time.Minute)
		both := 0
		for _, x := range w.m.exchanges {
			if len(x.Finished) == 1 && x.Claim.Max == 1 {
				both++
			}
		}
		if both != 3 {
			t.Errorf("%d exchanges finished and claimed, want 3", both)
		}
	})
}

func TestP5_ALostReplyIsAskedForAgainUnderTheSameNumber(t *testing.T) {
	in(t, 4, func(w *world) {
		n := 0
		w.m.fault = func(call string) (before, after error) {
			if call != "exchange" {
				return nil, nil
			}
			switch n++; n % 3 {
			case 1:
				return nil, errors.New("connection reset") // done, and the reply is lost
			case 2:
				return rota.ErrUnavailable, nil
			}
			return nil, nil
		}
		w.m.submit(1, 20, rota.Spec{})
		w.after(5 * time.Minute)
		w.want(rota.Succeeded, 20)
		if len(w.k.started) != 20 {
			t.Errorf("%d processes for 20 tasks", len(w.k.started))
		}
		repeated := 0
		for i, x := range w.m.exchanges[1:] {
			before := w.m.exchanges[i]
			if x.Seq != before.Seq {
				continue
			}
			repeated++
			if len(x.Finished) != len(before.Finished) || x.Claim.Max != before.Claim.Max {
				t.Errorf("exchange %d was repeated as another: %+v, %+v", x.Seq, before, x)
			}
			for j, f := range x.Finished {
				if f.Try != before.Finished[j].Try || f.EndedAgo < before.Finished[j].EndedAgo {
					t.Errorf("exchange %d repeated with finish %+v, was %+v", x.Seq, f, before.Finished[j])
				}
			}
		}
		if repeated == 0 {
			t.Error("no exchange was repeated")
		}
	})
}

func TestForgetOnlyAfterTheFinishIsRecorded(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.submit(1, 1, rota.Spec{})
		w.after(500 * time.Millisecond)
		w.m.look(func() {
			w.m.fault = func(call string) (before, after error) { return nil, rota.ErrUnavailable }
		})
		w.after(10 * time.Second)
		w.want(rota.Succeeded, 1) // recorded, but the node does not know
		if len(w.k.forgot) != 0 {
			t.Error("forgotten before the answer came")
		}
		w.m.look(func() { w.m.fault = nil })
		w.after(10 * time.Second)
		if len(w.k.forgot) != 1 {
			t.Error("not forgotten after the answer")
		}
	})
}

func TestP10_WhatDeadKeepersStartedIsToldAndThenOver(t *testing.T) {
	started := []rota.Try{{Task: 7, Attempt: 1}, {Task: 8, Attempt: 2}}
	others := []rota.SessionID{"older"}
	opened := 0
	in(t, 1, func(w *world) {
		o := w.m.opening
		if !o.Sole || !slices.Equal(o.Started, started) || !slices.Equal(o.Others, others) || opened != 1 {
			t.Errorf("opening %+v, told of it %d times", o, opened)
		}
	}, func(o *Options) { o.Started, o.Others, o.Opened = started, others, func() { opened++ } })
}

func TestP13_ANodeAsideClaimsNothing(t *testing.T) {
	in(t, 1, func(w *world) {
		if w.m.opening.Sole {
			t.Error("it speaks for the node")
		}
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Minute)
		w.want(rota.Ready, 1)
		if err := w.over(); err != nil {
			t.Error(err)
		}
	}, func(o *Options) { o.Aside = true })
}

func TestP13_SlotsThatOthersHaveAreNotUsed(t *testing.T) {
	var taken atomic.Int64
	taken.Store(2)
	in(t, 3, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Hour} }
		for n := range 4 {
			w.m.submit(rota.JobID(1+n), 1, rota.Spec{})
		}
		w.after(time.Minute)
		w.want(rota.Running, 1)
		taken.Store(1)
		w.after(time.Second)
		w.want(rota.Running, 2)
		taken.Store(0)
		w.after(time.Second)
		w.want(rota.Running, 3)
	}, func(o *Options) { o.Taken = func() int { return int(taken.Load()) } })
}

func TestAFailureIsRetriedAfterTheJobsWait(t *testing.T) {
	in(t, 1, func(w *world) {
		w.k.script = func(p executor.Process) play {
			if p.Attempt < 3 {
				return play{takes: time.Second, outcome: rota.OutcomeFailed, code: 7}
			}
			return play{takes: time.Second}
		}
		w.m.submit(1, 1, rota.Spec{})
		w.after(2 * time.Minute)
		w.want(rota.Succeeded, 1)
		fs := w.finishes(0)
		if len(fs) != 3 {
			t.Fatalf("finishes %+v", fs)
		}
		for i, want := range []time.Duration{10 * time.Second, 20 * time.Second} {
			if got := fs[i].RetryIn.D(); got < want*8/10 || got > want*12/10 || *fs[i].Exit != 7 {
				t.Errorf("failure %d: exit %d, again in %v, want about %v", i+1, *fs[i].Exit, got, want)
			}
		}
		if fs[2].RetryIn != 0 {
			t.Errorf("success with a retry in %v", fs[2].RetryIn)
		}
	})
}

func TestZ10_APausedNodeClaimsNothingAndGoesOnWithWhatRuns(t *testing.T) {
	in(t, 2, func(w *world) {
		w.k.script = func(executor.Process) play { return play{takes: time.Minute} }
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Second)
		w.n.Pause()
		w.m.submit(2, 1, rota.Spec{})
		w.after(2 * time.Minute)
		w.want(rota.Succeeded, 1)
		w.want(rota.Ready, 1)
		w.m.look(func() {
			if s := w.m.renewals[len(w.m.renewals)-1].State; s != rota.NodePaused {
				t.Errorf("told as %s", s)
			}
		})
		w.n.Continue()
		w.after(time.Second)
		w.want(rota.Running, 1)
		w.m.look(func() {
			if s := w.m.renewals[len(w.m.renewals)-1].State; s != rota.NodeUp {
				t.Errorf("told as %s", s)
			}
		})
	})
}

func TestZeroSlotsClaimNothing(t *testing.T) {
	in(t, 0, func(w *world) {
		w.m.submit(1, 1, rota.Spec{})
		w.after(time.Hour)
		if w.m.calls["exchange"] != 0 || w.m.calls["renew"] == 0 {
			t.Errorf("calls %v", w.m.calls)
		}
	})
}

func TestANameThatIsTakenEndsTheStart(t *testing.T) {
	in(t, 1, func(w *world) {
		if err := w.over(); !errors.Is(err, rota.ErrConflict) {
			t.Errorf("Run: %v", err)
		}
	}, func(o *Options) { o.Name = "taken" })
}

func TestTheFoldersAreMade(t *testing.T) {
	in(t, 1, func(w *world) {
		left := filepath.Join(w.dir, "input", "7")
		w.after(time.Second)
		for _, d := range []string{"input", "output"} {
			if info, err := os.Stat(filepath.Join(w.dir, d)); err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
				t.Errorf("%s: %v %v", d, info, err)
			}
		}
		if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
			t.Error("input of an earlier life is still there")
		}
	}, func(o *Options) {
		os.MkdirAll(filepath.Join(o.Dir, "input"), 0o700)
		os.WriteFile(filepath.Join(o.Dir, "input", "7"), nil, 0o600)
	})
}
