package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestRunEndsWithTheJobsOwnCode(t *testing.T) {
	w := newUp(t)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"true"}, 0, ""},
		{[]string{"-c", "exit 3"}, 3, ""},
		{[]string{"-c", "kill -9 $$"}, 137, "signal 9"},
		{[]string{"/no/such/program"}, 127, ""},
		{[]string{"no-such-program"}, 127, "no-such-program"},
		{[]string{"/etc/passwd"}, 126, "not executable"},
		{[]string{"-t", "0.2", "-c", "sleep 60"}, 143, "timed out"},
	} {
		r := w.run(append([]string{"run"}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.err, c.says) || (c.code < 100 && r.err != "") {
			t.Errorf("run %q: exit %d, want %d; stderr %q", c.args, r.code, c.code, r.err)
		}
	}
}

func TestRunPassesOutputByteForByte(t *testing.T) {
	w := newUp(t)
	r := w.run("run", "-c", `printf 'a\000b\377'; printf 'no end' >&2; exit 1`)
	if r.out != "a\x00b\xff" || r.err != "no end" || r.code != 1 {
		t.Errorf("got %q, %q, %d", r.out, r.err, r.code)
	}
	r = w.run("run", "--", "seq", "1", "100000")
	if lines := strings.Count(r.out, "\n"); lines != 100000 || !strings.HasSuffix(r.out, "100000\n") {
		t.Errorf("%d lines of 100000 came; stderr %q", lines, r.err)
	}
}

func TestRunPassesStandardInput(t *testing.T) {
	w := newUp(t)
	if r := w.with("b\na\n", "run", "sort"); r.out != "a\nb\n" {
		t.Errorf("sort: %q, %q", r.out, r.err)
	}
	big := strings.Repeat("0123456789abcde\n", 3<<20/16+5) // more than one part
	if r := w.with(big, "run", "cksum"); !strings.Contains(r.out, fmt.Sprintf(" %d\n", len(big))) {
		t.Errorf("cksum: %q, %q", r.out, r.err)
	}
	if r := w.with("not this", "run", "--stdin", "none", "cat"); r.out != "" || r.code != 0 {
		t.Errorf("--stdin none: %q, %q", r.out, r.err)
	}
	w.write("in.txt", "from the file")
	if r := w.with("not this", "run", "--stdin", "in.txt", "cat"); r.out != "from the file" {
		t.Errorf("--stdin FILE: %q, %q", r.out, r.err)
	}
	sparse, err := os.Create("large")
	if err != nil {
		t.Fatal(err)
	}
	defer sparse.Close()
	if err := sparse.Truncate(rota.MaxInput + 1); err != nil {
		t.Fatal(err)
	}
	if r := w.start(sparse, "run", "cat").end(t); r.code != 125 || !strings.Contains(r.err, "more than 64.0 MiB") {
		t.Errorf("too much: %d %q", r.code, r.err)
	}
	if out := w.ok("ls", "-q", "--all"); strings.Count(out, "\n") != 4 {
		t.Errorf("jobs %q", out)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestEndlessInputIsRefused(t *testing.T) {
	total, last := 0, error(nil)
	for part, err := range inputParts(zeros{}) {
		if total, last = total+len(part.Input), err; err != nil {
			break
		}
	}
	if !errors.Is(last, rota.ErrTooLarge) || total != rota.MaxInput {
		t.Errorf("%d bytes, then %v", total, last)
	}
}

// TestRunP27 starts a transient node when none runs.
func TestRunP27(t *testing.T) {
	w := newWorld(t)
	if r := w.run("run", "echo", "hello"); r.out != "hello\n" || r.code != 0 || w.transients != 1 {
		t.Errorf("%q %q %d, %d transient nodes", r.out, r.err, r.code, w.transients)
	}
	w.down()
	w.ok("submit", "true")
	r := w.run("run", "echo", "again")
	if r.out != "again\n" || !strings.Contains(r.err, "1 other task") {
		t.Errorf("the waiting job is not mentioned: %q %q", r.out, r.err)
	}
}

func TestRunGivesFolderAndEnvironment(t *testing.T) {
	w := newUp(t)
	t.Setenv("MINE", "yes")
	t.Setenv("ROTA_FOO", "mine")
	if r := w.run("run", "-e", "OTHER=1", "-c", `pwd; echo $MINE $OTHER $ROTA_FOO`); r.out != w.work+"\nyes 1\n" {
		t.Errorf("inherit: %q %q", r.out, r.err)
	}
	if r := w.run("run", "--env", "clean", "-e", "OTHER=1", "-e", "MINE", "-c", `echo $MINE $OTHER $HOME`); r.out != "yes 1\n" {
		t.Errorf("clean: %q %q", r.out, r.err)
	}
	if r := w.run("run", "-w", "/", "-c", `pwd; echo $PWD`); r.out != "/\n/\n" {
		t.Errorf("workdir: %q %q", r.out, r.err)
	}
	w.fails(125, "is not set here", "run", "-e", "NO_SUCH_VARIABLE", "true")
}

func TestRunEachLine(t *testing.T) {
	w := newUp(t)
	var lines []string
	for i := range 57 {
		lines = append(lines, fmt.Sprintf("file %d", i))
	}
	r := w.with(strings.Join(lines, "\n")+"\n\n", "run", "--each-line", "-", "--", "echo", "<{line}>")
	if r.code != 0 || !strings.Contains(r.err, "57 tasks") {
		t.Errorf("exit %d, stderr %q", r.code, r.err)
	}
	got := strings.Split(strings.TrimSpace(r.out), "\n")
	for _, l := range lines {
		if !strings.Contains(r.out, "<"+l+">\n") {
			t.Errorf("the output of %q is missing in %q", l, got)
		}
	}
	if len(got) != len(lines) {
		t.Errorf("%d lines of output, want %d", len(got), len(lines))
	}
}

func TestRunNamesWhatFailed(t *testing.T) {
	w := newUp(t)
	list := w.write("list", "good\nbad\nworse\n")
	r := w.run("run", "--each-line", list, "-c", `echo "out $ROTA_LINE"; echo "err $ROTA_LINE" >&2; case $ROTA_LINE in good) ;; bad) exit 4;; *) exit 5;; esac`)
	if r.code != 4 {
		t.Errorf("exit %d, want that of the first failed task: %q", r.code, r.err)
	}
	for _, want := range []string{"3 tasks", "1 succeeded, 2 failed", ".2 bad: exit code 4", "    err bad\n", ".3 worse: exit code 5", "    err worse\n"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("stderr lacks %q: %q", want, r.err)
		}
	}
	if strings.Contains(r.err, "err good") || !strings.Contains(r.out, "out good\n") || !strings.Contains(r.out, "out bad\n") {
		t.Errorf("stdout %q, stderr %q", r.out, r.err)
	}
	if r := w.run("run", "-a", "1-40", "-c", `exit 1`); r.code != 1 || !strings.Contains(r.err, "… and 30 more: rota ls 8") && !strings.Contains(r.err, "… and 30 more: rota ls 2") {
		t.Errorf("%d %q", r.code, r.err)
	}
}

// TestEmptyOutputIsNotAskedFor: what is known to be empty is not asked for, and what is not, once.
func TestEmptyOutputIsNotAskedFor(t *testing.T) {
	w := newUp(t)
	text := `case $ROTA_TASK_INDEX in 2) echo two;; 3) echo three >&2; exit 1;; 4) exit 1;; esac`
	if r := w.run("run", "-a", "1-20", "-c", text); r.code != 1 || r.out != "two\n" || !strings.Contains(r.err, "    three\n") {
		t.Errorf("%+v", r)
	}
	if got := w.asked.take(); got != "1.2 stdout, 1.3 stderr" {
		t.Errorf("run asked for %q", got)
	}
	if r := w.run("run", "-a", "1-3", "-c", text); r.code != 1 {
		t.Errorf("%+v", r)
	}
	w.asked.take()
	if r := w.run("logs", "2"); r.out != "two\n" || !strings.Contains(r.err, "three\n") {
		t.Errorf("%+v", r)
	}
	if got := w.asked.take(); got != "2.2 stdout, 2.3 stderr" {
		t.Errorf("logs asked for %q", got)
	}
}

func TestRunRetries(t *testing.T) {
	w := newUp(t)
	r := w.run("run", "--retries", "2", "--backoff", "0.05", "-c", `echo try $ROTA_ATTEMPT; test $ROTA_ATTEMPT = 3`)
	if r.code != 0 || r.out != "try 1\ntry 2\ntry 3\n" || strings.Count(r.err, "tried again") != 2 {
		t.Errorf("%d %q %q", r.code, r.out, r.err)
	}
	if r := w.run("run", "-c", `echo once; exit 9`); r.code != 9 || r.out != "once\n" {
		t.Errorf("run tries again by itself: %d %q %q", r.code, r.out, r.err)
	}
}

func TestRunInterrupted(t *testing.T) {
	w := newUp(t)
	t.Run("detaches", func(t *testing.T) {
		r := w.start(nil, "run", "-c", "echo started; exec sleep 60")
		r.out.until(t, "started")
		w.sigs <- os.Interrupt
		got := r.end(t)
		if got.code != 130 || !strings.Contains(got.err, "rota logs -f 1;") {
			t.Errorf("%d %q", got.code, got.err)
		}
		if out := w.ok("ls", "--state", "running", "-q"); out != "1\n" {
			t.Errorf("the job does not go on: %q", out)
		}
		w.ok("cancel", "--wait", "1")
	})
	t.Run("again cancels", func(t *testing.T) {
		r := w.start(nil, "run", "-c", `trap 'echo bye; exit 0' TERM; echo started; sleep 60 & wait`)
		r.out.until(t, "started")
		w.sigs <- os.Interrupt
		w.sigs <- os.Interrupt
		got := r.end(t)
		if got.code != 1 || !strings.Contains(got.out, "bye") || !strings.Contains(got.err, "cancelling job 2") {
			t.Errorf("%d %q %q", got.code, got.out, got.err)
		}
	})
	t.Run("term detaches at once", func(t *testing.T) {
		r := w.start(nil, "run", "-c", "echo started; exec sleep 60")
		r.out.until(t, "started")
		w.sigs <- syscall.SIGTERM
		if got := r.end(t); got.code != 143 {
			t.Errorf("%d %q", got.code, got.err)
		}
		w.ok("kill", "--wait", "last")
	})
	t.Run("while reading input nothing stays", func(t *testing.T) {
		in, out, _ := os.Pipe()
		defer out.Close()
		r := w.start(in, "run", "cat")
		w.sigs <- os.Interrupt
		if got := r.end(t); got.code != 130 || !strings.Contains(got.err, "nothing was submitted") {
			t.Errorf("%d %q", got.code, got.err)
		}
		if out := w.ok("ls", "-q"); strings.Count(out, "\n") != 3 {
			t.Errorf("jobs: %q", out)
		}
	})
}

func TestRunIsCancelledWhenNobodyReads(t *testing.T) {
	w := newUp(t)
	r := w.start(nil, "run", "-c", "while :; do echo y; sleep 0.01; done")
	r.out.until(t, "y")
	r.out.mu.Lock()
	r.out.fail = syscall.EPIPE
	r.out.mu.Unlock()
	if got := r.end(t); got.code != 141 || got.err != "" {
		t.Errorf("%d %q", got.code, got.err)
	}
	w.run("wait", "1")
	if out := w.ok("ls", "--state", "cancelled", "-q"); out != "1\n" {
		t.Errorf("the job was not cancelled: %q", out)
	}
}

func TestRunOwnFailuresAre125(t *testing.T) {
	w := newWorld(t)
	w.fails(125, "there is no flag --bogus", "run", "--bogus", "true")
	w.fails(125, "nothing to run", "run")
	w.fails(125, `duration "soon"`, "run", "-t", "soon", "true")
	w.fails(125, "script: open", "run", "-f", "missing.sh")
	if w.transients != 0 {
		t.Error("a node was started for a job that could never be submitted")
	}
	w.up(false)
	w.fails(125, "job 77: there is none", "wait", "77")
}

func TestOwnOutputFiles(t *testing.T) {
	w := newUp(t)
	if r := w.run("run", "--out", "o-%j.txt", "--err", "o-%j.txt", "-c", "echo a; echo b >&2"); r.code != 0 || r.out != "" {
		t.Errorf("%d %q %q", r.code, r.out, r.err)
	}
	if text, err := os.ReadFile(filepath.Join(w.work, "o-1.txt")); string(text) != "a\nb\n" {
		t.Errorf("the file has %q, %v", text, err)
	}
	if r := w.run("logs", "1"); !strings.Contains(r.err, "o-1.txt") {
		t.Errorf("logs does not name the file: %q", r.err)
	}
}

// TestInsideAJobS1: with a job's socket and token a command may submit, and look at what the job submitted.
func TestInsideAJobS1(t *testing.T) {
	w := newUp(t)
	w.ok("submit", "--hold", "-n", "not mine", "true")
	job := w.start(nil, "run", "-c", `cp $ROTA_TOKEN_FILE token; echo $ROTA_SOCKET; until test -f end; do sleep 0.01; done`)
	job.out.until(t, "\n")
	t.Setenv("ROTA_SOCKET", strings.TrimSpace(job.out.String()))
	t.Setenv("ROTA_TOKEN_FILE", filepath.Join(w.work, "token"))
	t.Setenv("ROTA_DATA", "/nowhere")
	if r := w.run("run", "echo", "child"); r.out != "child\n" || r.code != 0 {
		t.Errorf("run: %+v", r)
	}
	if r := w.run("wait", "last"); r.code != 0 {
		t.Errorf("wait last: %+v", r)
	}
	if out := w.ok("ls", "-q"); out != "3\n" {
		t.Errorf("it sees %q", out)
	}
	w.fails(4, "did not submit it", "show", "1")
	w.write("end", "")
	if r := job.end(t); r.code != 0 {
		t.Errorf("%+v", r)
	}
}

// TestFollowingOutlivesARestart: who follows a job is told when the node goes, and goes on when it is back.
func TestFollowingOutlivesARestart(t *testing.T) {
	w := newUp(t)
	r := w.start(nil, "run", "-c", `echo attempt $ROTA_ATTEMPT; until test -f end; do sleep 0.01; done; echo done`)
	r.out.until(t, "attempt 1\n")
	w.down()
	r.err.until(t, "the node does not answer")
	w.up(false)
	r.out.until(t, "attempt 2\n")
	w.write("end", "")
	if got := r.end(t); got.code != 0 || got.out != "attempt 1\nattempt 2\ndone\n" {
		t.Errorf("%+v", got)
	}
}
