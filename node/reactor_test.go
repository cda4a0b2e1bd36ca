package node

import (
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// The tests of this file drive the reactor alone, through moments that are hard to meet from outside.

// alone is a reactor with two slots that has just started.
func alone() *reactor {
	r := busy(2, 0, 0, 0)
	r.backlog, r.ready = false, nil
	r.prepare = func(a *rota.Assignment, input string) (executor.Process, error) {
		return executor.Process{Try: a.Try, Stdin: input}, nil
	}
	return r
}

func try(n int) rota.Try { return rota.Try{Task: rota.PlainTask(rota.JobID(n)), Attempt: 1} }

// given answers the exchange under way with tasks.
func (r *reactor) given(now rota.Elapsed, tasks ...int) {
	var as []rota.Assignment
	for _, n := range tasks {
		as = append(as, *assignment(try(n).Task, 1, rota.Spec{}))
	}
	r.answered(rota.Exchanged{Claimed: as}, nil, now)
}

// sent is the exchange that the reactor wants sent.
func (r *reactor) sent(now rota.Elapsed) *rota.Exchange {
	r.decide(now)
	return r.take().exchange
}

func (r *reactor) exit(now rota.Elapsed, tasks ...int) {
	for _, n := range tasks {
		r.exited([]executor.Exit{{Try: try(n), Outcome: rota.OutcomeSucceeded, Spawned: true, Started: 1, Ended: now}}, now)
	}
}

func TestNewsDuringAClaimIsNotForgotten(t *testing.T) {
	r := alone()
	if x := r.sent(0); x == nil || x.Claim.Max != 2 || x.Seq != 1 {
		t.Fatalf("the first exchange: %+v", x)
	}
	r.news(rota.News{Ready: true})
	r.given(1)
	if x := r.sent(1); x == nil || x.Claim.Max != 2 || x.Seq != 2 {
		t.Errorf("after the news: %+v", x)
	}
	r.given(2)
	if x := r.sent(2); x != nil {
		t.Errorf("nobody has news, and still %+v", x)
	}
}

func TestAnEndThatIsReportedTwiceIsFinishedOnce(t *testing.T) {
	r := alone()
	r.sent(0)
	r.given(1, 1)
	r.exit(2, 1, 1)
	if x := r.sent(2); len(x.Finished) != 1 {
		t.Errorf("finishes %+v", x.Finished)
	}
	r.exit(3, 1)
	r.given(4)
	if x := r.sent(4); x != nil || len(r.held) != 0 {
		t.Errorf("another exchange: %+v", x)
	}
}

func TestP10_AnEndFromTheKeepersEarlierTimeIsFinished(t *testing.T) {
	r := alone()
	r.sent(0)
	r.given(1)
	r.exited([]executor.Exit{{Try: try(9), Outcome: rota.OutcomeFailed, Spawned: true, Started: 1, Ended: 2}}, 2)
	x := r.sent(2)
	if x == nil || len(x.Finished) != 1 || x.Finished[0].Try != try(9) || x.Finished[0].RetryIn == 0 {
		t.Fatalf("exchange %+v", x)
	}
	r.given(3)
	if todo := r.take(); len(todo.forget) != 1 || len(r.held) != 0 {
		t.Errorf("to do %+v", todo)
	}
}

func TestP5_AStrayIsGivenBackOnceHoweverOftenItIsNamed(t *testing.T) {
	r := alone()
	r.sent(0)
	r.given(1)
	r.renewed(rota.Renewed{Strays: []rota.Try{try(5)}}, nil, 2)
	if x := r.sent(2); len(x.Finished) != 1 || x.Finished[0].Outcome != rota.OutcomeReturned {
		t.Fatalf("exchange %+v", x)
	}
	r.renewed(rota.Renewed{Strays: []rota.Try{try(5)}}, nil, 3) // the exchange is still under way
	r.given(4)
	if x := r.sent(4); x != nil || len(r.strays) != 0 {
		t.Errorf("given back again: %+v", x)
	}
}

func TestI12_EndingsThatMeetNothingAreForgotten(t *testing.T) {
	r := alone()
	r.sent(0)
	r.endings([]rota.EndingTry{{Try: try(7), How: rota.EndingKill}}, 0)
	r.given(1)
	r.endings([]rota.EndingTry{{Try: try(8), How: rota.EndingKill}}, 0)
	if len(r.early) != 0 {
		t.Errorf("remembers %v", r.early)
	}
}

func TestOutputThatCannotBeKeptStopsClaiming(t *testing.T) {
	r := alone()
	r.at[keeping] = r.opts.Slots + maxKeeping
	if r.room(0) == 0 {
		t.Error("claims nothing though there is room")
	}
	r.at[keeping]++
	if n := r.room(0); n != 0 {
		t.Errorf("claims %d more though so much is being kept", n)
	}
}

func TestTextsOfHeldAttemptsAreSpared(t *testing.T) {
	r := alone()
	r.sent(0)
	r.given(1, 1)
	r.take()
	files := []textFile{{name: "a", try: try(1), size: 1 << 40}, {name: "b", try: try(2), size: 1}}
	r.opts.Retention = Retention{Age: time.Hour, Bytes: 1}
	r.listed(files, time.Now())
	if todo := r.take(); len(todo.spent) != 1 {
		t.Errorf("removes %v", todo.spent)
	}
}

func TestTheOthersHearOfADrainAtOnce(t *testing.T) {
	r := alone()
	r.decide(0)
	r.take()
	r.drain(1)
	r.decide(1)
	if rn := r.take().renew; rn == nil || rn.State != rota.NodeDraining {
		t.Errorf("renewal %+v", rn)
	}
}

func TestP3_ALostSessionEndsItsLeaseAtOnceAndSendsNothingMore(t *testing.T) {
	r := alone()
	r.opts.OnStoreLoss = rota.StoreLossKill
	r.sent(0)
	r.given(1, 1, 2)
	r.take()
	r.lose(rota.ErrLeaseLost, 2)
	r.decide(2)
	todo := r.take()
	if !todo.unlease || !todo.returns || len(todo.stop) != 0 || todo.renew != nil || todo.exchange != nil {
		t.Errorf("to do %+v", todo)
	}
	if done, _ := r.done(2); done {
		t.Error("done before what the keeper ends has ended")
	}
	r.exit(3, 1, 2)
	if x := r.sent(3); x == nil || x.Claim.Max != 0 || len(x.Finished) != 2 {
		t.Fatalf("farewell %+v", x)
	}
	r.answered(rota.Exchanged{}, rota.ErrUnavailable, 4)
	if x := r.sent(4); x != nil {
		t.Errorf("sent after the farewell: %+v", x)
	}
	if done, err := r.done(4); !done || err == nil {
		t.Errorf("done %v, %v", done, err)
	}
}

func TestAwaitThatAnswersAtOnceDoesNotSpin(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.restless = true
		w.after(time.Minute)
		if n := w.m.calls["await"]; n > 60*21 {
			t.Errorf("%d calls of Await in a minute", n)
		}
	})
}

func TestP5_WhatOnlyTheKeeperHoldsIsNoStray(t *testing.T) {
	in(t, 1, func(w *world) {
		w.m.strays = []rota.Try{try(3)}
		w.k.ended[try(3)] = executor.Exit{Try: try(3)}
		w.after(time.Minute)
		for _, x := range w.m.exchanges {
			if len(x.Finished) > 0 {
				t.Errorf("gave back %v", x.Finished[0].Try)
			}
		}
	})
}
