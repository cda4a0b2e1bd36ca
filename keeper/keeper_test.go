package keeper

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// patienceOfTests is how long a test waits for what must come; a keeper that does its work never lets it pass.
const patienceOfTests = 30 * time.Second

// keeper is what every one of them promises.
type keeper interface {
	executor.Keeper
	Lease(until rota.Elapsed)
}

// rig is a keeper under test and the ends it has reported.
type rig struct {
	*testing.T
	keeper
	local *Local // at the far end
	ends  map[rota.Try][]executor.Exit
}

// newRig is a rig of the kind under test; see TestContractOverTheSocket.
func newRig(t *testing.T, slots int) *rig {
	t.Helper()
	return kindOfRig(t, t.TempDir(), slots)
}

var kindOfRig = rigIn

func rigIn(t *testing.T, dir string, slots int) *rig {
	t.Helper()
	return rigWith(t, Options{Dir: dir, Slots: slots})
}

func rigWith(t *testing.T, o Options) *rig {
	t.Helper()
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{T: t, keeper: k, local: k, ends: map[rota.Try][]executor.Exit{}}
}

func try(n int) rota.Try { return rota.Try{Task: rota.PlainTask(rota.JobID(n)), Attempt: 1} }

// command is an attempt that runs a command, in the tests' environment.
func command(n int, argv ...string) executor.Process {
	return executor.Process{Try: try(n), Command: executor.Command{Argv: argv},
		Env: []string{"PATH=" + os.Getenv("PATH")}, Grace: rota.Duration(patienceOfTests)}
}

func sh(n int, text string) executor.Process { return command(n, "/bin/sh", "-c", text) }

func (r *rig) start(ps ...executor.Process) {
	r.Helper()
	if err := r.Start(ps); err != nil {
		r.Fatal(err)
	}
}

// run starts a process and waits for its end.
func (r *rig) run(p executor.Process) executor.Exit {
	r.Helper()
	r.start(p)
	return r.await(p.Try)
}

// await waits for the first end of an attempt that nobody has waited for.
func (r *rig) await(try rota.Try) executor.Exit {
	r.Helper()
	for late := time.After(patienceOfTests); len(r.ends[try]) == 0; {
		select {
		case batch := <-r.Exits():
			for _, e := range batch {
				r.ends[e.Try] = append(r.ends[e.Try], e)
			}
		case <-late:
			r.Fatalf("%v has not ended; held: %v", try, r.Held())
		}
	}
	e := r.ends[try][0]
	r.ends[try] = r.ends[try][1:]
	return e
}

// output is what was kept of a stream.
func (r *rig) output(e executor.Exit, s rota.Stream) string {
	r.Helper()
	if e.Output[s] == "" {
		return ""
	}
	text, err := os.ReadFile(e.Output[s])
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

// until waits for what must become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	late := time.After(patienceOfTests)
	for tick := time.Tick(time.Millisecond); !is(); {
		select {
		case <-tick:
		case <-late:
			t.Fatalf("never came true: %s", what)
		}
	}
}

// says waits until a running attempt has written a text, and returns all that it has written.
func (r *rig) says(try rota.Try, s rota.Stream, want string) (text string) {
	r.Helper()
	until(r.T, "says "+want, func() bool {
		b, _ := os.ReadFile(r.File(try, s))
		text = string(b)
		return strings.Contains(text, want)
	})
	return text
}

func pidIn(t *testing.T, text string) int {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatalf("%q is not a pid", text)
	}
	return pid
}

func TestP10AnAttemptRunsOnceAndItsEndIsRemembered(t *testing.T) {
	r := newRig(t, 2)
	witness := filepath.Join(t.TempDir(), "witness")
	p := sh(1, "echo ran >>"+witness)
	r.start(p, p)
	first := r.await(p.Try)
	if again := r.run(p); again.Outcome != first.Outcome || again.Ended != first.Ended {
		t.Errorf("the end was %+v, and then %+v", first, again)
	}
	if held := r.Held(); !slices.Equal(held, []rota.Try{p.Try}) {
		t.Errorf("held %v", held)
	}
	if text, _ := os.ReadFile(witness); string(text) != "ran\n" {
		t.Errorf("the witness says %q", text)
	}
	r.Forget([]rota.Try{p.Try})
	if held := r.Held(); len(held) != 0 {
		t.Errorf("held %v after it was forgotten", held)
	}
}

func TestP10WhatHasNotEndedIsNotForgotten(t *testing.T) {
	r := newRig(t, 1)
	running, waiting := sh(1, "echo up; exec sleep 1000"), sh(2, "true")
	r.start(running, waiting)
	r.says(running.Try, rota.Stdout, "up")
	r.Forget([]rota.Try{running.Try, waiting.Try})
	if held := r.Held(); !slices.Equal(held, []rota.Try{running.Try, waiting.Try}) {
		t.Errorf("held %v", held)
	}
}

func TestSlotsTakeInOrder(t *testing.T) {
	r := newRig(t, 1)
	witness := filepath.Join(t.TempDir(), "witness")
	want := ""
	for n := 1; n <= 20; n++ {
		r.start(sh(n, "echo "+strconv.Itoa(n)+" >>"+witness))
		want += strconv.Itoa(n) + "\n"
	}
	r.await(try(20))
	if text, _ := os.ReadFile(witness); string(text) != want {
		t.Errorf("ran in the order %q", text)
	}
}

func TestP5WhatWaitsIsReturnedWithoutHavingStarted(t *testing.T) {
	r := newRig(t, 1)
	r.start(sh(1, "echo up; exec sleep 1000"), sh(2, "true"), sh(3, "true"), sh(4, "true"), sh(5, "true"))
	r.says(try(1), rota.Stdout, "up")
	returned := func(n int) {
		t.Helper()
		e := r.await(try(n))
		if e.Outcome != rota.OutcomeReturned || e.Spawned || e.Started != 0 || e.Code != nil || e.Reason == "" {
			t.Errorf("%d: %+v", n, e)
		}
	}
	r.Return(try(3), try(1), try(99)) // one that runs, and one that nobody knows, are left alone
	returned(3)
	r.Stop(try(2), false)
	returned(2)
	r.Stop(try(99), true)
	r.Return()
	returned(4)
	returned(5)
	r.Stop(try(1), true)
	if e := r.await(try(1)); e.Outcome != rota.OutcomeEnded {
		t.Errorf("%+v", e)
	}
	if e := r.run(sh(6, "true")); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v after all the rest was taken back", e)
	}
}

func TestSlotsCanBeMoreAndFewer(t *testing.T) {
	r := newRig(t, 1)
	resize := func(n int) {
		if k, ok := r.keeper.(*Remote); ok {
			k.Resize(n)
		} else {
			r.local.Resize(n)
		}
	}
	for n := range 4 {
		r.start(sh(1+n, "echo up; exec sleep 1000"))
	}
	stop := func(n int) executor.Exit {
		r.says(try(n), rota.Stdout, "up")
		r.Stop(try(n), true)
		return r.await(try(n))
	}
	r.says(try(1), rota.Stdout, "up")
	resize(3)
	r.says(try(2), rota.Stdout, "up")
	r.says(try(3), rota.Stdout, "up")
	resize(1)
	stop(1)
	stop(2)
	last := stop(3)
	if next := stop(4); next.Started < last.Ended {
		t.Errorf("with one slot an attempt started at %v, before the last but it had ended at %v", next.Started, last.Ended)
	}
}

func TestNoSlotsStartNothing(t *testing.T) {
	r := newRig(t, 0)
	r.start(sh(1, "true"))
	r.Return()
	if e := r.await(try(1)); e.Outcome != rota.OutcomeReturned {
		t.Errorf("%+v", e)
	}
}

func TestCloseKillsAndSaysNothingMore(t *testing.T) {
	r := newRig(t, 2)
	r.start(sh(1, "trap '' TERM; sleep 1000 & echo $!; wait"), sh(2, "trap '' TERM; echo up; while :; do sleep 1000; done"), sh(3, "true"))
	r.says(try(2), rota.Stdout, "up")
	child := pidIn(t, r.says(try(1), rota.Stdout, "\n"))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if isAlive(child) {
		t.Errorf("process %d is alive after Close", child)
	}
	if batch, open := <-r.Exits(); open {
		t.Errorf("reported %v", batch)
	}
	if err := r.Start([]executor.Process{sh(4, "true")}); err == nil {
		t.Error("a closed keeper starts processes")
	}
}

func TestI12DescriptorsDoNotGrow(t *testing.T) {
	const slots, attempts = 4, 2000
	r := newRig(t, slots)
	count := func() int {
		open, err := os.ReadDir("/dev/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(open)
	}
	before := count()
	body := sh(0, "")
	for n := 1; n <= attempts; n++ {
		switch p := command(n, "/bin/true"); n % 4 {
		case 0:
			r.start(p)
		case 1:
			p.Argv, p.Token = []string{"/bin/echo", "text"}, "secret"
			r.start(p)
		case 2:
			p.Argv = []string{"no-such-program"}
			p.Stdin, p.Out = "/dev/null", "out"
			r.start(p)
		case 3:
			p.Body = "#!/bin/sh\necho text >&2"
			p.Argv = body.Argv[:1]
			r.start(p)
		}
	}
	for n := 1; n <= attempts; n++ {
		r.await(try(n))
		r.Forget([]rota.Try{try(n)})
	}
	const each = 7 // a token, two files a stream, the control group and its events
	if after := count(); after > before+slots*each {
		t.Errorf("%d descriptors, then %d", before, after)
	}
	if held := r.Held(); len(held) != 0 {
		t.Errorf("%d attempts remembered", len(held))
	}
}
