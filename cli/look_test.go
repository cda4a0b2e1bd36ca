package cli

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestLs(t *testing.T) {
	w := newUp(t)
	for range 25 {
		w.ok("submit", "--hold", "-n", "evil\u202ename", "-Q", "gpu", "--label", "k=v", "true")
	}
	w.ok("submit", "--hold", "-a", "1-30", "-c", "true")
	for w.run("ls", "26.30", "-q").out == "" { // its tasks are made beside
	}
	r := w.run("ls")
	if lines := strings.Split(strings.TrimSpace(r.out), "\n"); len(lines) != 21 || !strings.HasPrefix(lines[1], " 26  ") || !strings.Contains(r.err, "there are more jobs") {
		t.Errorf("%+v", r)
	}
	if strings.Contains(r.out, "\u202e") {
		t.Error("a name turns the terminal's direction")
	}
	if out := w.ok("ls", "--all", "-q"); strings.Count(out, "\n") != 26 {
		t.Errorf("--all: %q", out)
	}
	if out := w.ok("ls", "-n", "2", "-q"); out != "26\n25\n" {
		t.Errorf("-n 2: %q", out)
	}
	if out := w.ok("ls", "-o", "name", "--queue", "gpu", "--label", "k=v", "--state", "held", "-n", "1"); out != "25\n" {
		t.Errorf("filters: %q", out)
	}
	var jobs []rota.Job
	if err := json.Unmarshal([]byte(w.ok("ls", "-o", "json", "-n", "3")), &jobs); err != nil || len(jobs) != 3 || jobs[0].ID != 26 {
		t.Errorf("json: %v, %v", jobs, err)
	}
	if out := w.ok("ls", "-o", "jsonl", "-n", "3"); strings.Count(out, "\n") != 3 || !json.Valid([]byte(strings.Split(out, "\n")[0])) {
		t.Errorf("jsonl: %q", out)
	}
	rows, err := csv.NewReader(strings.NewReader(w.ok("ls", "-o", "csv", "-n", "3"))).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][0] != "job" || rows[1][0] != "26" {
		t.Errorf("csv: %q, %v", rows, err)
	}
	if r := w.run("ls", "26"); strings.Count(r.out, "26.") != 20 || !strings.Contains(r.err, "more tasks") {
		t.Errorf("tasks: %+v", r)
	}
	if out := w.ok("ls", "26.3-5", "-q"); out != "26.3\n26.4\n26.5\n" {
		t.Errorf("a range of tasks: %q", out)
	}
	if out := w.ok("ls", "3-5,7", "-q"); out != "7\n5\n4\n3\n" {
		t.Errorf("a range of jobs: %q", out)
	}
	if r := w.run("ls", "--state", "running"); r.code != 0 || r.out != "" || !strings.Contains(r.err, "no jobs") {
		t.Errorf("nothing: %+v", r)
	}
	w.fails(3, "job 77", "ls", "77")
	w.fails(2, "did you mean failed?", "ls", "--state", "faild")
	w.fails(2, "did you mean json?", "ls", "-o", "jsn")
}

func TestShow(t *testing.T) {
	w := newUp(t)
	w.run("run", "--retries", "1", "--backoff", "0.01", "-n", "fails", "-t", "1m", "-c", "exit 3")
	out := w.ok("show", "last")
	for _, want := range []string{"job:", "fails", "failed: exit code 3", "shell:", "exit 3", "timeout:", "1m", "retries:", "1, first after 10ms",
		"ATTEMPT", "STDERR", "0 B", "      1  failed", "      2  failed", "n1", w.work} {
		if !strings.Contains(out, want) {
			t.Errorf("show lacks %q:\n%s", want, out)
		}
	}
	var s shown
	if err := json.Unmarshal([]byte(w.ok("show", "1", "-o", "json")), &s); err != nil || s.Task == nil || s.Task.Number != 2 || len(s.Attempts) != 1 {
		t.Errorf("json: %+v, %v", s, err)
	}
	w.run("run", "-a", "1-3", "-c", "test $ROTA_TASK_INDEX != 2")
	if out := w.ok("show", "2"); !strings.Contains(out, "3: 2 succeeded, 1 failed") {
		t.Errorf("an array:\n%s", out)
	}
	if out := w.ok("show", "2.2"); !strings.Contains(out, "2.2") || !strings.Contains(out, "failed: exit code 1") {
		t.Errorf("a task:\n%s", out)
	}
	w.ok("submit", "--hold", "--at", "2099-01-01 10:00", "true")
	if out := w.ok("show", "3"); !strings.Contains(out, "is held") || !strings.Contains(out, "not before") {
		t.Errorf("held:\n%s", out)
	}
	w.fails(3, "job 77", "show", "77")
	w.fails(2, "names no job", "show", "x y")
}

func TestLogs(t *testing.T) {
	w := newUp(t)
	w.run("run", "-c", "seq 1 100; echo err >&2")
	if r := w.run("logs", "1"); strings.Count(r.out, "\n") != 100 || r.err != "err\n" {
		t.Errorf("%+v", r)
	}
	if r := w.run("logs", "-n", "3", "1"); r.out != "98\n99\n100\n" || r.err != "err\n" {
		t.Errorf("-n 3: %+v", r)
	}
	if r := w.run("logs", "-n", "0", "--stdout", "1"); r.out != "" || r.err != "" {
		t.Errorf("-n 0: %+v", r)
	}
	if r := w.run("logs", "--stderr", "last"); r.out != "" || r.err != "err\n" {
		t.Errorf("--stderr: %+v", r)
	}
	w.fails(3, "no attempt 2", "logs", "--attempt", "2", "1")
	w.run("run", "-a", "1-2", "-c", "echo task $ROTA_TASK_INDEX")
	if r := w.run("logs", "2"); r.out != "task 1\ntask 2\n" || !strings.Contains(r.err, "==> 2.1") {
		t.Errorf("few tasks: %+v", r)
	}
	w.ok("submit", "--hold", "-a", "5-20", "true")
	w.fails(2, "16 tasks: name one", "logs", "3")
	w.ok("submit", "--hold", "true")
	if r := w.run("logs", "4"); r.code != 0 || !strings.Contains(r.err, "is held") {
		t.Errorf("not started: %+v", r)
	}
	r := w.start(nil, "logs", "-f", "5")
	if got := r.end(t); got.code != 3 {
		t.Errorf("no such job: %+v", got)
	}
	w.ok("submit", "-c", "echo one; until test -f go; do sleep 0.01; done; echo two")
	r = w.start(nil, "logs", "-f", "last")
	r.out.until(t, "one\n")
	w.write("go", "")
	if got := r.end(t); got.out != "one\ntwo\n" || got.code != 0 {
		t.Errorf("-f: %+v", got)
	}
}

// TestLogsSayWhatIsMissing: without the node only the head and tail of a long output are kept.
func TestLogsSayWhatIsMissing(t *testing.T) {
	w := newUp(t)
	w.run("run", "-c", "seq 1 100000")
	w.down()
	r := w.run("logs", "1")
	if r.code != 0 || !strings.HasPrefix(r.out, "1\n2\n") || !strings.HasSuffix(r.out, "99999\n100000\n") || !strings.Contains(r.err, "… 523,359 bytes of 1's stdout were not kept (submit --artifact @stdout keeps all) …") {
		t.Errorf("%d, %d bytes, %q", r.code, len(r.out), r.err)
	}
	if r := w.run("logs", "-n", "2", "1"); r.out != "99999\n100000\n" || r.err != "" {
		t.Errorf("-n 2: %+v", r)
	}
	if r := w.run("logs", "-n", "8000", "1"); !strings.HasSuffix(r.out, "\n100000\n") || strings.HasPrefix(r.out, "1\n") {
		t.Errorf("-n 8000: %d bytes, %q", len(r.out), r.err)
	}
}

func TestWait(t *testing.T) {
	w := newUp(t)
	w.ok("submit", "true")
	w.ok("submit", "--retries", "0", "-c", "exit 6")
	w.ok("submit", "--retries", "0", "-a", "1-3", "-c", "exit $ROTA_TASK_INDEX")
	for _, c := range []struct {
		args []string
		code int
	}{{[]string{"1"}, 0}, {[]string{"2"}, 6}, {[]string{"1", "2", "3"}, 6}, {[]string{"3"}, 1}, {[]string{"3.2"}, 2}, {[]string{"1-3"}, 6}, {[]string{"last"}, 1}} {
		if r := w.run(append([]string{"wait"}, c.args...)...); r.code != c.code {
			t.Errorf("wait %q: %+v, want %d", c.args, r, c.code)
		}
	}
	w.ok("submit", "--hold", "true")
	w.fails(124, "not all have ended", "wait", "4", "--timeout", "0.2")
	w.fails(125, "job 77", "wait", "77")
	w.fails(125, "no job matches", "wait", "name:nobody*")
}

func TestProgressEndsWithZero(t *testing.T) {
	w := newUp(t)
	w.ok("submit", "-n", "swp", "--retries", "0", "-a", "1-3", "-c", "echo bad >&2; exit 1")
	r := w.run("progress", "1")
	if r.code != 0 || r.out != "" || !strings.Contains(r.err, "1 swp: 3 tasks in ") || !strings.Contains(r.err, "    bad\n") {
		t.Errorf("%+v", r)
	}
}
