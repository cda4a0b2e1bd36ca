package keeper

import (
	"log/slog"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

const aMoment = rota.Duration(50 * time.Millisecond)

func TestI6TimeoutEndsTheGroupWithTerm(t *testing.T) {
	r := newRig(t, 1)
	p := sh(1, "sleep 1000 & echo $!; wait")
	p.Timeout = aMoment
	e := r.run(p)
	if e.Outcome != rota.OutcomeTimedOut || e.Signal != 15 || e.Reason != "timed out after 50ms" {
		t.Errorf("%+v", e)
	}
	if child := pidIn(t, r.output(e, rota.Stdout)); isAlive(child) {
		t.Errorf("process %d is alive", child)
	}
}

func TestI6TimeoutKillsTheGroupThatIgnoresTerm(t *testing.T) {
	r := newRig(t, 1)
	p := sh(1, "trap '' TERM; sleep 1000 & echo $!; while :; do wait; done")
	p.Timeout, p.Grace = aMoment, aMoment
	e := r.run(p)
	if e.Outcome != rota.OutcomeTimedOut || e.Signal != 9 || e.Reason != "timed out after 50ms, and killed" {
		t.Errorf("%+v", e)
	}
	if child := pidIn(t, r.output(e, rota.Stdout)); isAlive(child) {
		t.Errorf("process %d is alive", child)
	}
}

// The leader dies of TERM; a child that ignores it has the grace, and no more.
func TestI6TimeoutKillsWhatOutlivesItsLeader(t *testing.T) {
	r := newRig(t, 1)
	p := sh(1, "(trap '' TERM; exec sleep 1000) & echo $!; wait")
	p.Timeout, p.Grace = rota.Duration(time.Second), aMoment // until then it has begun, on a busy machine too
	e := r.run(p)
	if e.Outcome != rota.OutcomeTimedOut || e.Reason != "timed out after 1s, and killed" {
		t.Errorf("%+v", e)
	}
	if child := pidIn(t, r.output(e, rota.Stdout)); isAlive(child) {
		t.Errorf("process %d is alive", child)
	}
}

func TestTimeoutStandsThoughTheJobEndsWell(t *testing.T) {
	r := newRig(t, 1)
	p := sh(1, "trap 'exit 0' TERM; while :; do sleep 0.01; done")
	p.Timeout = rota.Duration(time.Second)
	if e := r.run(p); e.Outcome != rota.OutcomeTimedOut || e.Code == nil || *e.Code != 0 {
		t.Errorf("%+v", e)
	}
}

func TestStopGivesGraceToAllOfTheGroup(t *testing.T) {
	r := newRig(t, 1)
	// The shell dies of TERM at once; what it has started takes its time, and finishes.
	p := sh(1, "(trap 'sleep 0.1; echo saved; exit 0' TERM; echo up; while :; do sleep 0.01; done) & wait")
	r.start(p)
	r.says(p.Try, rota.Stdout, "up")
	r.Stop(p.Try, false)
	e := r.await(p.Try)
	if e.Outcome != rota.OutcomeEnded || e.Signal != 15 || e.Reason != "ended on request" {
		t.Errorf("%+v", e)
	}
	if text := r.output(e, rota.Stdout); text != "up\nsaved\n" {
		t.Errorf("it wrote %q", text)
	}
}

func TestStopReachesAProcessThatStandsStill(t *testing.T) {
	r := newRig(t, 1)
	p := sh(1, "echo up; kill -STOP $$; echo on")
	r.start(p)
	r.says(p.Try, rota.Stdout, "up")
	r.Stop(p.Try, false)
	if e := r.await(p.Try); e.Outcome != rota.OutcomeEnded {
		t.Errorf("%+v", e)
	}
}

func TestStopNowKills(t *testing.T) {
	r := newRig(t, 1)
	p := sh(1, "trap '' TERM; sleep 1000 & echo $!; while :; do wait; done")
	r.start(p)
	child := pidIn(t, r.says(p.Try, rota.Stdout, "\n"))
	r.Stop(p.Try, false)
	r.Stop(p.Try, true) // somebody loses patience within the grace
	e := r.await(p.Try)
	if e.Outcome != rota.OutcomeEnded || e.Signal != 9 || e.Reason != "ended on request, and killed" {
		t.Errorf("%+v", e)
	}
	if isAlive(child) {
		t.Errorf("process %d is alive", child)
	}
}

// Stopping races with starting and with ending. Whatever wins, there is one end, and nothing lives after it.
func TestStopAtAnyMomentGivesOneEnd(t *testing.T) {
	r := newRig(t, 4)
	for n := 1; n <= 300; n++ {
		p := command(n, "/bin/true")
		r.start(p)
		go r.Stop(p.Try, n%2 == 0)
	}
	for n := 1; n <= 300; n++ {
		switch e := r.await(try(n)); e.Outcome {
		case rota.OutcomeSucceeded, rota.OutcomeEnded:
			if !e.Spawned {
				t.Errorf("%+v", e)
			}
		case rota.OutcomeReturned:
			if e.Spawned {
				t.Errorf("%+v", e)
			}
		default:
			t.Errorf("%+v", e)
		}
	}
	for try, more := range r.ends {
		if len(more) > 0 {
			t.Errorf("%v ended again: %+v", try, more)
		}
	}
}

func TestI6WhatASuccessLeavesRunningIsKilledAndDoesNotDelayIt(t *testing.T) {
	r := newRig(t, 1)
	e := r.run(sh(1, "(trap '' TERM HUP; exec sleep 1000) & echo $!"))
	if e.Outcome != rota.OutcomeSucceeded || e.Reason != "" {
		t.Errorf("%+v", e)
	}
	if child := pidIn(t, r.output(e, rota.Stdout)); isAlive(child) {
		t.Errorf("process %d is alive, and holds the output", child)
	}
}

// A process that has ended by itself, though nobody has noticed yet, was not ended by the keeper.
func TestStopComesTooLateForWhatHasEnded(t *testing.T) {
	l := launch{path: "/bin/true", argv: []string{"true"}, dir: "/", files: [3]int{0, 1, 2}}
	pid, f := l.fork()
	if f != nil {
		t.Fatal(f.reason)
	}
	var w watch
	w.begin(pid, 0, 0)
	awaitExit(pid)
	w.end(stopped, true)
	if d := w.wait(slog.New(slog.DiscardHandler), try(1), nil); d.why != unasked || !d.status.Exited() {
		t.Errorf("%+v", d)
	}
}
