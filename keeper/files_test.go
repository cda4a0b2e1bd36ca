package keeper

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

func TestI8OutputIsExact(t *testing.T) {
	r := newRig(t, 1)
	copied := filepath.Join(t.TempDir(), "copy")
	for i, c := range []struct {
		name, text       string
		stdout, stderr   string
		hasOut, hasError bool
	}{
		{"none", "true", "", "", false, false},
		{"both, apart", "echo out; echo err >&2", "out\n", "err\n", true, true},
		{"no line end", "printf a; printf b >&2", "a", "b", true, true},
		{"any byte", `printf '\000\377\r\n\033[0m'`, "\x00\xff\r\n\x1b[0m", "", true, false},
		{"only errors", "echo err >&2", "", "err\n", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := r.run(sh(i+1, c.text))
			if out, err := r.output(e, rota.Stdout), r.output(e, rota.Stderr); out != c.stdout || err != c.stderr {
				t.Errorf("%q and %q", out, err)
			}
			if (e.Output[rota.Stdout] != "") != c.hasOut || (e.Output[rota.Stderr] != "") != c.hasError {
				t.Errorf("files %v", e.Output)
			}
			if n := e.Written; n.Stdout == nil || n.Stderr == nil || *n.Stdout != int64(len(c.stdout)) || *n.Stderr != int64(len(c.stderr)) {
				t.Errorf("written %v, %v", n.Stdout, n.Stderr)
			}
		})
	}
	e := r.run(sh(100, "head -c 5000000 /dev/urandom | tee "+copied))
	want, err := os.ReadFile(copied)
	if err != nil || len(want) != 5_000_000 {
		t.Fatal(len(want), err)
	}
	if r.output(e, rota.Stdout) != string(want) {
		t.Error("5 MB came out otherwise than they went in")
	}
	if name := fmt.Sprintf("%d.1.stdout", rota.PlainTask(100)); e.Output[rota.Stdout] != filepath.Join(r.local.dir, "output", name) {
		t.Errorf("kept as %s", e.Output[rota.Stdout])
	}
}

// A process that left its group and still holds the output must not write into the next attempt's.
func TestI8AnEscapedProcessDoesNotReachTheNextAttemptsOutput(t *testing.T) {
	r := rigWith(t, Options{Dir: t.TempDir(), Slots: 1, NoGroups: true})
	dir := t.TempDir()
	p := sh(1, `setsid sh -c 'echo >up; while [ ! -e gate ]; do sleep 0.01; done; echo late; echo late >&2; echo >done' &
		while [ ! -e up ]; do sleep 0.01; done`)
	p.Dir = dir
	if e := r.run(p); e.Outcome != rota.OutcomeSucceeded || len(e.Output) != 0 {
		t.Fatalf("%+v", e)
	}
	p = sh(2, "echo >gate; while [ ! -e done ]; do sleep 0.01; done; echo mine")
	p.Dir = dir
	e := r.run(p)
	if out := r.output(e, rota.Stdout); out != "mine\n" || e.Output[rota.Stderr] != "" {
		t.Errorf("%q, %v", out, e.Output)
	}
}

// Nor may somebody who followed an attempt's output read on in the next one's.
func TestI8AReaderDoesNotReadOnIntoTheNextAttempt(t *testing.T) {
	r := newRig(t, 1)
	gate := filepath.Join(t.TempDir(), "gate")
	p := sh(1, "while [ ! -e "+gate+" ]; do sleep 0.01; done")
	r.start(p)
	until(t, "there is a file to read", func() bool {
		_, err := os.Stat(r.File(p.Try, rota.Stdout))
		return err == nil
	})
	reader, err := os.Open(r.File(p.Try, rota.Stdout))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.await(p.Try)
	if e := r.run(sh(2, "echo secret")); r.output(e, rota.Stdout) != "secret\n" {
		t.Errorf("%+v", e)
	}
	if n, _ := reader.Read(make([]byte, 10)); n != 0 {
		t.Error("the reader of the first attempt reads the second's")
	}
	if r.File(p.Try, rota.Stdout) != "" {
		t.Error("an attempt that wrote nothing has a file")
	}
}

// Whoever asks where an attempt writes while it begins and ends is told of its own file or of none: not of one that its
// slot is about to leave, since somebody has it open.
func TestI8AnAttemptIsAskedForWhileItBegins(t *testing.T) {
	r := newRig(t, 1)
	says := func(i int) string { return strings.Repeat(strconv.Itoa(i)+"\n", i%2) } // half of them write nothing
	var latest atomic.Int64
	over := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		var f *os.File // held until the next is
		for {
			select {
			case <-over:
				f.Close()
				return
			default:
			}
			i := int(latest.Load())
			name := r.File(sh(i, "").Try, rota.Stdout)
			next, err := os.Open(name)
			if err != nil {
				continue
			}
			f.Close()
			f = next
			if text, err := io.ReadAll(f); r.File(sh(i, "").Try, rota.Stdout) == name && (err != nil || !strings.HasPrefix(says(i), string(text))) {
				t.Errorf("task %d is said to write to %s, where one reads %q: %v", i, name, text, err)
			}
		}
	})
	for i := 1; i <= 200; i++ {
		latest.Store(int64(i))
		if e := r.run(sh(i, "printf '"+says(i)+"'; sleep 0.001")); r.output(e, rota.Stdout) != says(i) {
			t.Fatalf("%+v", e)
		}
	}
	close(over)
	asking.Wait()
}

func TestOutputThatCannotBeMovedStaysWhole(t *testing.T) {
	r := newRig(t, 1)
	if err := os.RemoveAll(filepath.Join(r.local.dir, "output")); err != nil {
		t.Fatal(err)
	}
	if e := r.run(sh(1, "echo one")); r.output(e, rota.Stdout) != "one\n" {
		t.Errorf("%+v after the folder was removed", e)
	}
	if err := os.RemoveAll(filepath.Join(r.local.dir, "output")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.local.dir, "output"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	two, three := r.run(sh(2, "echo two")), r.run(sh(3, "echo three"))
	if r.output(two, rota.Stdout) != "two\n" || r.output(three, rota.Stdout) != "three\n" {
		t.Errorf("%+v and %+v with a file in the folder's place", two, three)
	}
}

func TestOwnFilesTakeTheOutput(t *testing.T) {
	r := newRig(t, 1)
	n := 0
	for _, c := range []struct {
		name     string
		out, err string
		append   bool
		texts    []string
		want     map[string]string
	}{
		{"out", "o", "", false, []string{"echo out"}, map[string]string{"o": "out\n"}},
		{"err", "", "e", false, []string{"echo err >&2"}, map[string]string{"e": "err\n"}},
		{"truncated", "o", "e", false, []string{"echo long; echo err >&2", "echo a"}, map[string]string{"o": "a\n", "e": ""}},
		{"appended", "o", "e", true, []string{"echo long", "echo a; echo err >&2"}, map[string]string{"o": "long\na\n", "e": "err\n"}},
		{"joined", "o", "./o", false, []string{"echo 1; echo 2 >&2; echo 3"}, map[string]string{"o": "1\n2\n3\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, text := range c.texts {
				n++
				p := sh(n, text)
				p.Dir, p.Out, p.Err, p.Append = dir, c.out, c.err, c.append
				if e := r.run(p); e.Outcome != rota.OutcomeSucceeded || len(e.Output) != 0 {
					t.Errorf("%+v", e)
				}
			}
			for name, want := range c.want {
				if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != want {
					t.Errorf("%s: %q, %v", name, text, err)
				}
			}
		})
	}
}

func TestNamedPipesDoNotHoldASlot(t *testing.T) {
	r := newRig(t, 1)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	in, out := command(1, "cat"), command(2, "true")
	in.Stdin, out.Out = pipe, pipe
	if e := r.run(in); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v", e)
	}
	if e := r.run(out); e.Outcome != rota.OutcomeRefused || e.Reason != "output file "+pipe+": a named pipe that nobody reads" {
		t.Errorf("%+v", e)
	}
}

func TestInputIsTheFileOrNothing(t *testing.T) {
	r := newRig(t, 1)
	if e := r.run(command(1, "cat")); e.Outcome != rota.OutcomeSucceeded || len(e.Output) != 0 {
		t.Errorf("%+v", e)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in"), []byte("text\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := command(2, "cat")
	p.Dir, p.Stdin = dir, "in"
	if e := r.run(p); r.output(e, rota.Stdout) != "text\x00" {
		t.Errorf("%+v", e)
	}
}

func TestFileIsWhereTheStreamGoes(t *testing.T) {
	r := newRig(t, 1)
	own := filepath.Join(t.TempDir(), "own")
	p := sh(1, "echo early; exec sleep 1000")
	p.Err = own
	waiting := sh(2, "true")
	r.start(p, waiting)
	r.says(p.Try, rota.Stdout, "early\n")
	if got := r.File(p.Try, rota.Stderr); got != own {
		t.Errorf("errors go to %q", got)
	}
	if got := r.File(waiting.Try, rota.Stdout); got != "" {
		t.Errorf("what waits writes to %q", got)
	}
	r.Stop(p.Try, true)
	e := r.await(p.Try)
	if got := r.File(p.Try, rota.Stdout); got == "" || got != e.Output[rota.Stdout] {
		t.Errorf("kept as %q, told as %q", e.Output[rota.Stdout], got)
	}
	r.Forget([]rota.Try{p.Try})
	if got := r.File(p.Try, rota.Stdout); got != "" {
		t.Errorf("forgotten, and told as %q", got)
	}
}

func TestJ2EachAttemptFindsItsScratchFolderEmpty(t *testing.T) {
	r := newRig(t, 1)
	for i, text := range []string{
		"true",
		"touch a; mkdir -p b/c; touch b/c/d",
		"mkdir locked; touch locked/f; chmod 000 locked",
		"touch .hidden; touch -d @0 .",
		"touch gone; rm gone",
		"chmod 000 .",
		"rmdir ../scratch",
		"rmdir ../scratch; ln -s /usr ../scratch",
		"rm -rf ../../0",
		"true",
	} {
		e := r.run(sh(i+1, `test "$PWD" = "$ROTA_SCRATCH_DIR" && test -d . && test ! -L "$PWD" && test -w . && ls -A && `+text))
		if e.Outcome != rota.OutcomeSucceeded || len(e.Output) != 0 {
			t.Errorf("before %q: %+v %q", text, e, r.output(e, rota.Stdout))
		}
	}
}

func TestScratchFolderThatIsLeftEmptyIsTheSame(t *testing.T) {
	r := newRig(t, 1)
	inode := func(n int, text string) string {
		t.Helper()
		p := sh(n, "ls -di . >&2; "+text)
		return r.output(r.run(p), rota.Stderr)
	}
	first := inode(1, "true")
	if second := inode(2, "touch x; rm x"); second != first {
		t.Errorf("%s became %s", first, second)
	}
	if third := inode(3, "true"); third != first {
		t.Errorf("%s became %s", first, third)
	}
}

func TestEnvironmentHasWhatTheSlotKnows(t *testing.T) {
	r := newRig(t, 1)
	slot := filepath.Join(r.local.dir, "slots", "0")
	p := command(1, "env")
	p.Env = append(p.Env, "A=b")
	want := strings.Join(append(p.Env, "ROTA_SCRATCH_DIR="+slot+"/scratch", "ROTA_SLOT=0", ""), "\n")
	if got := r.output(r.run(p), rota.Stdout); got != want {
		t.Errorf("%q", got)
	}
	p.Try, p.Token = try(2), "secret"
	want += "ROTA_TOKEN_FILE=" + slot + "/token\n"
	if got := r.output(r.run(p), rota.Stdout); got != want {
		t.Errorf("%q", got)
	}
}

func TestS1TheTokenIsTheAttemptsOwnAndItsModeIs0400(t *testing.T) {
	r := newRig(t, 1)
	for i, c := range []struct{ token, after string }{
		{"a long secret", ""}, {"short", ""}, {"another secret", `rm "$ROTA_TOKEN_FILE"`}, {"fourth", ""},
	} {
		p := sh(i+1, `cat "$ROTA_TOKEN_FILE"; stat -c ' %a' "$ROTA_TOKEN_FILE";`+c.after)
		p.Token = c.token
		if got := r.output(r.run(p), rota.Stdout); got != c.token+" 400\n" {
			t.Errorf("%q", got)
		}
	}
}

func TestBodyIsRunAsAFile(t *testing.T) {
	r := newRig(t, 4)
	binary, err := os.ReadFile("/bin/echo")
	if err != nil {
		t.Fatal(err)
	}
	bodies := []string{"#!/bin/sh\necho \"$1\"\n", "echo \"$1\"\n", "#!/bin/sh -e\nprintf '%s\\n' \"$@\"", string(binary)}
	const attempts = 200 // on all slots at once: a file being written cannot be run
	for n := range attempts {
		p := executor.Process{Try: try(n + 1), Env: []string{"PATH=/usr/bin:/bin"}}
		p.Body, p.Argv = bodies[n%len(bodies)], []string{"name", fmt.Sprintf("a b %d", n)}
		r.start(p)
	}
	for n := range attempts {
		e := r.await(try(n + 1))
		if got := r.output(e, rota.Stdout); got != fmt.Sprintf("a b %d\n", n) {
			t.Fatalf("%q, %+v %s", got, e, bytes.TrimSpace([]byte(r.output(e, rota.Stderr))))
		}
	}
}

func TestProgramIsFoundAsExecveWould(t *testing.T) {
	dir := t.TempDir()
	for _, at := range []string{"bin", "sub"} {
		if err := os.MkdirAll(filepath.Join(dir, at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, at, "prog"), []byte("#!/bin/sh\necho "+at+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r := newRig(t, 1)
	for i, c := range []struct{ name, argv0, path, want string }{
		{"absolute", dir + "/bin/prog", "", "bin"},
		{"from the working folder", "./sub/prog", "", "sub"},
		{"by the job's PATH", "prog", "/nowhere:" + dir + "/sub:" + dir + "/bin", "sub"},
		{"by a PATH of the working folder", "prog", "bin", "bin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := command(i+1, c.argv0)
			p.Dir, p.Env = dir, []string{"PATH=" + c.path}
			if got := r.output(r.run(p), rota.Stdout); got != c.want+"\n" {
				t.Errorf("%q", got)
			}
		})
	}
}
