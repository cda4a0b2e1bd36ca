package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestSubmitPrintsTheIdOnly(t *testing.T) {
	w := newUp(t)
	if r := w.run("submit", "true"); r.out != "1\n" || r.err != "" || r.code != 0 {
		t.Errorf("%+v", r)
	}
}

func TestSubmitWaitAndFollow(t *testing.T) {
	w := newUp(t)
	if r := w.run("submit", "--wait", "--retries", "0", "-c", "echo out; exit 7"); r.out != "1\n" || r.code != 7 || !strings.Contains(r.err, "1 failed") {
		t.Errorf("--wait: %+v", r)
	}
	if r := w.run("submit", "--follow", "--retries", "0", "-c", "echo out; exit 7"); r.out != "out\n" || r.code != 7 || !strings.Contains(r.err, "job 2") {
		t.Errorf("--follow: %+v", r)
	}
}

func TestSubmitWithoutNode(t *testing.T) {
	w := newWorld(t)
	if r := w.run("submit", "-n", "later", "true"); r.out != "1\n" || !strings.Contains(r.err, "no node runs") {
		t.Errorf("%+v", r)
	}
	if out := w.ok("ls", "-q"); out != "1\n" {
		t.Errorf("ls: %q", out)
	}
	if r := w.run("show", "1"); !strings.Contains(r.out, "waits in the queue default for a free slot") {
		t.Errorf("show: %+v", r)
	}
	if r := w.run("logs", "1"); r.code != 0 || !strings.Contains(r.err, "waits in the queue") {
		t.Errorf("logs: %+v", r)
	}
	w.fails(125, "no node runs", "wait", "1")
	w.fails(125, "no node runs", "submit", "--wait", "true")
	if r := w.run("progress", "1"); r.code != 0 || r.out != "1 later: 0 of 1 done\n" {
		t.Errorf("progress: %+v", r)
	}
	w.ok("hold", "1")
	w.ok("release", "1")
	w.up(false)
	if r := w.run("wait", "1"); r.code != 0 {
		t.Errorf("the job that waited for a node: %+v", r)
	}
}

func TestNothingStoredYet(t *testing.T) {
	w := newWorld(t)
	if r := w.run("ls"); r.code != 0 || r.out != "" || !strings.Contains(r.err, "nothing is stored yet") {
		t.Errorf("%+v", r)
	}
	if r := w.run("ls", "-o", "json"); r.out != "[]\n" || r.err != "" {
		t.Errorf("%+v", r)
	}
	for _, args := range [][]string{{"show", "1"}, {"cancel", "1"}, {"again", "1"}, {"cron", "rm", "x"}, {"token", "rm", "x"}, {"queue", "ls"}} {
		w.fails(3, "nothing is stored yet", args...)
	}
	if files, _ := os.ReadDir(w.dir); len(files) > 0 {
		t.Errorf("a store was made: %v", files)
	}
}

// TestKey: the same key names the same job, also for many tasks.
func TestKey(t *testing.T) {
	w := newUp(t)
	w.write("list", "a\nb\n")
	for range 2 {
		if out := w.ok("submit", "--key", "k", "--each-line", "list", "--", "echo", "{line}"); out != "1\n" {
			t.Errorf("job %q", out)
		}
	}
	w.fails(1, "key", "submit", "--key", "k", "true")
}

func TestUploadOfManyLines(t *testing.T) {
	w := newUp(t)
	long := strings.Repeat("x", 60_000) + "\n" // a few make a part
	if r := w.with(strings.Repeat(long+"\n", 20)+strings.Repeat("short\n", 100), "submit", "--hold", "--each-line", "-", "--", "echo", "{line}"); r.code != 0 || r.out != "1\n" {
		t.Fatalf("%+v", r)
	}
	var s shown
	if err := json.Unmarshal([]byte(w.ok("show", "1", "-o", "json")), &s); err != nil || s.Job.Tasks != 120 || !s.Job.Sealed {
		t.Errorf("%d tasks, sealed %v, %v", s.Job.Tasks, s.Job.Sealed, err)
	}
	for _, c := range []struct{ text, says string }{{"", "no lines"}, {"a\nb\x00c\n", "line 2: has a NUL byte"}, {"\xff\n", "line 1: is not UTF-8"},
		{strings.Repeat("x", rota.MaxLine+2), "line 1: longer than"}, {strings.Repeat(long, 20) + "\xff", "line 21"}} {
		r := w.with(c.text, "submit", "--each-line", "-", "--", "echo", "{line}")
		if r.code != 2 || !strings.Contains(r.err, c.says) {
			t.Errorf("want %q: %d %q", c.says, r.code, r.err)
		}
	}
	if out := w.ok("ls", "-q", "--all"); out != "1\n" {
		t.Errorf("what was refused is still there: %q", out)
	}
}

func TestAgain(t *testing.T) {
	w := newUp(t)
	w.with("the input", "run", "-n", "one", "-p", "3", "-e", "A=1", "cat")
	if r := w.run("again", "1", "-n", "two", "-e", "B=2", "--follow"); r.out != "the input" || r.code != 0 {
		t.Errorf("%+v", r)
	}
	var s shown
	if err := json.Unmarshal([]byte(w.ok("show", "2", "-o", "json")), &s); err != nil {
		t.Fatal(err)
	}
	env := strings.Join(s.Job.Spec.Env, " ")
	if s.Job.Spec.Name != "two" || s.Job.Spec.Priority != 3 || s.Job.Spec.Dir != w.work || !strings.Contains(env, "A=1") || !strings.Contains(env, "B=2") {
		t.Errorf("%+v", s.Job.Spec)
	}
	if r := w.run("again", "1", "--follow", "--", "echo", "other"); r.out != "other\n" {
		t.Errorf("another command: %+v", r)
	}
	w.with("a\nb\n", "run", "--each-line", "-", "--", "echo", "<{line}>")
	if r := w.run("again", "last", "--follow"); r.out != "<a>\n<b>\n" && r.out != "<b>\n<a>\n" {
		t.Errorf("lines: %+v", r)
	}
	w.fails(2, "4.1 is one task of a job: again takes a whole job", "again", "4.1")
	w.fails(2, "4.1 is one task of a job: edit takes a whole job", "edit", "4.1", "--name", "x")
	w.fails(2, "missing argument JOB", "again")
	w.fails(2, "nothing stands behind --", "again", "1", "--")
	w.fails(3, "job 77", "again", "77")
}

func TestAfterIsShown(t *testing.T) {
	w := newUp(t)
	w.ok("submit", "--hold", "true")
	w.ok("submit", "--after", "ok:1", "true")
	if out := w.ok("show", "2"); !strings.Contains(out, "blocked: waits for job 1 to succeed") {
		t.Errorf("%s", out)
	}
	if r := w.run("submit", "--at", "2099-01-02 15:04", "true"); !strings.Contains(r.err, "job 3 starts at 2099-01-02 15:04:00 ") {
		t.Errorf("%+v", r)
	}
	if r := w.run("submit", "--at", "2020-01-02 15:04", "true"); !strings.Contains(r.err, "is in the past") {
		t.Errorf("%+v", r)
	}
	w.fails(3, "77", "submit", "--after", "77", "true")
}
