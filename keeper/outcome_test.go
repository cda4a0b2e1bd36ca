package keeper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

func TestP7OutcomesAndTheirReasons(t *testing.T) {
	r := newRig(t, 2)
	for i, c := range []struct {
		name    string
		text    string
		outcome rota.Outcome
		code    int // -1: none
		signal  int
		reason  string
	}{
		{"success", "exit 0", rota.OutcomeSucceeded, 0, 0, ""},
		{"an exit code", "exit 3", rota.OutcomeFailed, 3, 0, "exit code 3"},
		{"a signal", "kill -SEGV $$", rota.OutcomeFailed, -1, 11, "ended by signal 11 (segmentation fault)"},
		{"TERM of somebody else", "kill -TERM $$", rota.OutcomeFailed, -1, 15, "ended by signal 15 (terminated)"},
		{"KILL of somebody else", "kill -KILL $$", rota.OutcomeFailed, -1, 9,
			"killed by signal 9 (killed): by somebody, or by the system for want of memory"},
		{"137 is an exit code and no signal", "exit 137", rota.OutcomeFailed, 137, 0, "exit code 137"},
		{"a command not found", "no-such-command", rota.OutcomeRefused, 127, 0, "exit code 127: a command in it was not found"},
		{"a command not executable", "/etc/passwd", rota.OutcomeRefused, 126, 0, "exit code 126: a command in it could not be executed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := r.run(sh(i+1, c.text))
			code := -1
			if e.Code != nil {
				code = *e.Code
			}
			if e.Outcome != c.outcome || code != c.code || e.Signal != c.signal || e.Reason != c.reason {
				t.Errorf("%s, code %d, signal %d: %q", e.Outcome, code, e.Signal, e.Reason)
			}
			if !e.Spawned || e.Started == 0 || e.Ended <= e.Started {
				t.Errorf("spawned %v, from %d to %d", e.Spawned, e.Started, e.Ended)
			}
		})
	}
}

func TestP7WhatCanNeverRunIsRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	garbage := write("garbage", "\x00\x01\x02\x03", 0o755)
	plain := write("plain", "#!/bin/sh\n", 0o644)
	crlf := write("crlf", "#!/bin/sh\r\nexit 0\r\n", 0o755)
	set := func(change func(p *executor.Process)) executor.Process {
		p := command(0, "/bin/true")
		change(&p)
		return p
	}
	r := newRig(t, 1)
	for i, c := range []struct {
		name   string
		p      executor.Process
		reason string
	}{
		{"a program that is nowhere", set(func(p *executor.Process) { p.Argv, p.Env = []string{"foo"}, []string{"PATH=/usr/bin:/bin"} }),
			"no such program: foo (looked in PATH=/usr/bin:/bin)"},
		{"no PATH", set(func(p *executor.Process) { p.Argv, p.Env = []string{"foo"}, nil }),
			"no such program: foo (looked in PATH=/usr/local/bin:/usr/bin:/bin)"},
		{"a path that is not there", command(0, "/no/such/foo"), "program /no/such/foo: no such file or directory"},
		{"a path through a file", command(0, "/etc/passwd/foo"), "program /etc/passwd/foo: not a directory"},
		{"a relative path that is not there", set(func(p *executor.Process) { p.Argv, p.Dir = []string{"./foo"}, "/usr" }),
			"program ./foo: no such file or directory"},
		{"not executable", command(0, plain), "program " + plain + ": not executable; chmod +x " + plain},
		{"not executable, by PATH", set(func(p *executor.Process) { p.Argv, p.Env = []string{"plain"}, []string{"PATH=" + dir} }),
			"program " + plain + ": not executable"},
		{"a folder", command(0, "/usr"), "program /usr: is a folder"},
		{"not a program", command(0, garbage),
			"program " + garbage + ": not a program that this machine can run (no #! line, or made for another machine)"},
		{"an interpreter that is not there", command(0, crlf), "program " + crlf + `: its interpreter "/bin/sh\r" does not exist`},
		{"a script's interpreter", set(func(p *executor.Process) { p.Body = "#!/no/such/python -u\n" }),
			`the script: its interpreter "/no/such/python" does not exist`},
		{"too long an argument", command(0, "/bin/true", strings.Repeat("x", 1<<18)),
			"program /bin/true: its arguments and environment together are longer than this system allows"},
		{"a NUL byte", command(0, "/bin/true", "a\x00b"), "program /bin/true: invalid argument"},
		{"nothing", command(0), "nothing to run: no program is named"},
		{"an empty name", command(0, ""), "nothing to run: the program's name is empty"},
		{"no working folder", set(func(p *executor.Process) { p.Dir = "/no/such" }), "working folder /no/such: no such file or directory"},
		{"a file as working folder", set(func(p *executor.Process) { p.Dir = plain }), "working folder " + plain + ": not a directory"},
		{"no input", set(func(p *executor.Process) { p.Stdin = "/no/such" }), "standard input /no/such: no such file or directory"},
		{"no folder for the output", set(func(p *executor.Process) { p.Out = "/no/such/out" }), "output file /no/such/out: no such file or directory"},
		{"a folder as output", set(func(p *executor.Process) { p.Err = dir }), "output file " + dir + ": is a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.p.Try = try(i + 1)
			e := r.run(c.p)
			if e.Outcome != rota.OutcomeRefused || e.Reason != c.reason {
				t.Errorf("%s: %q, want %q", e.Outcome, e.Reason, c.reason)
			}
			if e.Spawned || e.Started != 0 {
				t.Errorf("it was not started: %+v", e)
			}
			want := notExecutable
			if slices.Contains([]string{"a program that is nowhere", "no PATH", "a path that is not there", "a relative path that is not there", "nothing", "an empty name"}, c.name) {
				want = notFound
			}
			if e.Code == nil || *e.Code != want {
				t.Errorf("code %v, want %d: %s", e.Code, want, c.reason)
			}
		})
	}
}

func TestP7AProgramThatIsBeingWrittenFailsAndMayBeTriedAgain(t *testing.T) {
	text, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "true")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, 1)
	e := r.run(command(1, path))
	if e.Outcome != rota.OutcomeFailed || e.Spawned || e.Reason != "program "+path+": somebody is writing to it (text file busy)" {
		t.Errorf("%+v", e)
	}
}

// Whatever keeps us from starting anything would befall the whole queue: what waits stays, and goes on when it can.
func TestP7OurOwnFailureIsWaitedOutAndNotTheJobs(t *testing.T) {
	dir := t.TempDir()
	r := kindOfRig(t, dir, 2)
	slots := filepath.Join(dir, "slots")
	if err := os.WriteFile(slots, nil, 0o600); err != nil { // where the folders of the slots must be
		t.Fatal(err)
	}
	for n := 1; n <= 5; n++ {
		r.start(sh(n, "true"))
	}
	until(t, "an attempt failed", func() bool {
		r.local.mu.Lock()
		defer r.local.mu.Unlock()
		return r.local.pause.length > 0
	})
	if err := os.Remove(slots); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 5; n++ {
		if e := r.await(try(n)); e.Outcome != rota.OutcomeSucceeded {
			t.Errorf("%d: %+v", n, e)
		}
	}
}

func TestP7OurOwnFailureThatLastsGivesBackOneAndNotTheQueue(t *testing.T) {
	dir := t.TempDir()
	r := kindOfRig(t, dir, 1)
	if err := os.WriteFile(filepath.Join(dir, "slots"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.start(sh(1, "true"), sh(2, "true"), sh(3, "true"))
	e := r.await(try(1))
	if e.Outcome != rota.OutcomeReturned || e.Spawned || !strings.HasPrefix(e.Reason, "could not be started: ") {
		t.Errorf("%+v", e)
	}
	r.Return()
	for n := 2; n <= 3; n++ {
		if e := r.await(try(n)); e.Reason != takenBack {
			t.Errorf("%d: %+v", n, e)
		}
	}
}

func TestP7WhatKeepsEverythingFromStartingIsTold(t *testing.T) {
	dir := t.TempDir()
	r := kindOfRig(t, dir, 2)
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	slots := filepath.Join(dir, "slots")
	if err := os.RemoveAll(slots); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(slots, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); !errors.Is(err, rota.ErrUnavailable) || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("with a file where the folders of the slots must be: %v", err)
	}
}

func TestP7AfterAFailureOfOursThatAllSlotsMetAllAreUsedAgain(t *testing.T) {
	dir := t.TempDir()
	const slots = 8
	r := kindOfRig(t, dir, slots)
	if err := os.WriteFile(filepath.Join(dir, "slots"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	gate := filepath.Join(t.TempDir(), "gate")
	for n := 1; n <= 2*slots; n++ {
		r.start(sh(n, "until test -e "+gate+"; do sleep 0.01; done"))
	}
	state := func() (p pause, running int) {
		r.local.mu.Lock()
		defer r.local.mu.Unlock()
		return r.local.pause, r.local.running
	}
	until(t, "an attempt failed", func() bool { p, _ := state(); return p.length > 0 })
	if err := os.Remove(filepath.Join(dir, "slots")); err != nil {
		t.Fatal(err)
	}
	until(t, "all is well again", func() bool {
		p, running := state()
		return p.length == 0 && running == slots
	})
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 2*slots; n++ {
		if e := r.await(try(n)); e.Outcome != rota.OutcomeSucceeded {
			t.Errorf("%d: %+v", n, e)
		}
	}
}

func TestUsageIsTheProcesssOwn(t *testing.T) {
	r := newRig(t, 1)
	if e := r.run(command(1, "/bin/true")); e.Usage.MaxRSS != 0 { // it begins as a likeness of us
		t.Errorf("true with %d bytes", e.Usage.MaxRSS)
	}
	var self unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &self); err != nil {
		t.Fatal(err)
	}
	holds := peakOf(&self) + 32<<20 // dd holds a block, and fills it at once
	e := r.run(sh(2, fmt.Sprintf("dd if=/dev/zero of=/dev/null bs=%d count=1; true", holds)))
	if e.Usage.MaxRSS < holds || e.Usage.MaxRSS > 4*holds || e.Usage.CPUUser+e.Usage.CPUSystem == 0 {
		t.Errorf("%+v, and %d bytes were held", e.Usage, holds)
	}
}
