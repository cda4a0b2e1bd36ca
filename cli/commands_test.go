package cli

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/config"
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
	if r.code != 0 || !strings.HasPrefix(r.out, "1\n2\n") || !strings.HasSuffix(r.out, "99999\n100000\n") || !strings.Contains(r.err, "… 523,359 bytes of 1's stdout were not kept …") {
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

func TestActs(t *testing.T) {
	w := newUp(t)
	for range 4 {
		w.ok("submit", "--hold", "-n", "batch", "--retries", "0", "-c", "exit 1")
	}
	if r := w.run("cancel", "1"); r.code != 0 || r.err != "1 task cancelled\n" {
		t.Errorf("%+v", r)
	}
	w.fails(1, "1 is cancelled", "cancel", "1")
	w.fails(3, "job 77", "cancel", "77,2")
	w.fails(2, "nothing is selected", "cancel")
	w.fails(2, "3 tasks would be cancelled, and there is nobody to ask", "cancel", "name:batch")
	if r := w.run("cancel", "--dry-run", "--state", "held"); r.out != "3 tasks would be cancelled\n" {
		t.Errorf("%+v", r)
	}
	w.fails(3, "nothing to release: no task is selected that is held", "release", "name:nobody*", "--yes")
	if r := w.run("release", "name:batch", "--yes"); r.err != "3 tasks released\n" {
		t.Errorf("%+v", r)
	}
	w.run("wait", "2-4")
	if r := w.run("retry", "2"); r.err != "1 task to be tried again\n" {
		t.Errorf("%+v", r)
	}
	w.run("wait", "2")
	if r := w.run("rm", "2-4", "1"); r.err != "4 jobs removed\n" {
		t.Errorf("%+v", r)
	}
	if out := w.ok("ls", "-q"); out != "" {
		t.Errorf("left: %q", out)
	}
	w.ok("submit", "-c", "trap '' TERM; while :; do sleep 1; done")
	if r := w.run("kill", "--wait", "last"); r.code != 0 || r.err != "1 task killed\n" {
		t.Errorf("%+v", r)
	}
	if r := w.run("wait", "last"); r.code != 125 && r.code != 137 {
		t.Errorf("%+v", r)
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
	w.fails(2, "one task of a job", "again", "4.1")
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

func TestQueueAndNode(t *testing.T) {
	w := newUp(t)
	w.ok("submit", "--hold", "-Q", "gpu", "true")
	if out := w.ok("queue", "ls"); !strings.Contains(out, "QUEUE") || !strings.Contains(out, "gpu") {
		t.Errorf("%s", out)
	}
	w.run("run", "true") // the node has registered by now
	if out := w.ok("node", "ls", "-o", "wide"); !strings.Contains(out, "n1") || !strings.Contains(out, "up") {
		t.Errorf("%s", out)
	}
	w.fails(2, "did you mean `rota queue ls`?", "queue", "sl")
}

func TestCron(t *testing.T) {
	w := newUp(t)
	out := w.ok("cron", "add", "nightly", "30 2 * * *", "--tz", "Europe/Berlin", "-n", "backup", "-Q", "slow", "--", "./backup.sh", "-v")
	if lines := strings.Split(out, "\n"); lines[0] != "nightly: 30 2 * * *, Europe/Berlin; next:" || len(lines) != 7 || !strings.Contains(lines[1], "02:30:00 CE") {
		t.Errorf("%q", out)
	}
	var all []rota.Schedule
	if err := json.Unmarshal([]byte(w.ok("cron", "ls", "-o", "json")), &all); err != nil || len(all) != 1 || all[0].Spec.Queue != "slow" || all[0].Overlap != rota.OverlapSkip {
		t.Errorf("%+v, %v", all, err)
	}
	if out := w.ok("cron", "ls", "-o", "wide"); strings.Count(out, "02:30:00 CE") < 5 {
		t.Errorf("%s", out)
	}
	w.fails(1, "nightly", "cron", "add", "nightly", "@daily", "--", "true")
	w.fails(2, "--tz \"Nowhere\"", "cron", "add", "x", "@daily", "--tz", "Nowhere", "--", "true")
	w.fails(2, "minute", "cron", "add", "x", "61 * * * *", "--", "true")
	w.fails(2, "never due", "cron", "add", "x", "0 0 30 2 *", "--", "true")
	w.fails(2, "stands behind --", "cron", "add", "x", "@daily", "true", "arg")
	w.fails(2, "missing argument EXPR", "cron", "add", "x")
	w.fails(2, "nothing to run", "cron", "add", "x", "@daily")
	w.fails(2, "there is no flag --at", "cron", "add", "x", "@daily", "--at", "9:00", "--", "true")
	w.ok("cron", "rm", "nightly")
	w.fails(3, "nightly", "cron", "rm", "nightly")
}

func TestLocalZone(t *testing.T) {
	tz := func(v string, ok bool) func(string) (string, bool) {
		return func(string) (string, bool) { return v, ok }
	}
	link := func(to string) func(string) (string, error) { return func(string) (string, error) { return to, nil } }
	for _, c := range []struct{ got, want string }{
		{localZone(tz("Europe/Berlin", true), link("")), "Europe/Berlin"},
		{localZone(tz(":Asia/Tokyo", true), link("")), "Asia/Tokyo"},
		{localZone(tz("", true), link("/usr/share/zoneinfo/Asia/Tokyo")), "UTC"},
		{localZone(tz("", false), link("/usr/share/zoneinfo/Asia/Tokyo")), "Asia/Tokyo"},
		{localZone(tz("CET-1CEST", true), link("/etc/localtime.bak")), "UTC"},
	} {
		if c.got != c.want {
			t.Errorf("zone %q, want %q", c.got, c.want)
		}
	}
}

func TestTokens(t *testing.T) {
	w := newUp(t)
	r := w.run("token", "create", "ci", "--role", "submitter", "--expires", "90d")
	if r.code != 0 || !strings.HasPrefix(r.out, "rt_") || strings.Count(r.out, "\n") != 1 || !strings.Contains(r.err, "not shown again") {
		t.Errorf("%+v", r)
	}
	if out := w.ok("token", "ls"); !strings.Contains(out, "ci") || !strings.Contains(out, "in 90d") || strings.Contains(out, strings.TrimSpace(r.out)) {
		t.Errorf("%s", out)
	}
	w.fails(2, "--role is missing", "token", "create", "x")
	w.fails(2, "did you mean viewer?", "token", "create", "x", "--role", "veiwer")
	w.fails(2, "is in the past", "token", "create", "x", "--role", "viewer", "--expires", "2020-01-01")
	w.ok("token", "rm", "ci")
	w.fails(3, `token "ci"`, "token", "rm", "ci")
}

func TestConfigCheck(t *testing.T) {
	w := newWorld(t)
	out := w.ok("config", "check")
	if !strings.Contains(out, "ROTA_DATA") || !strings.Contains(out, w.dir) || !strings.Contains(out, "127.0.0.1:2691") {
		t.Errorf("%s", out)
	}
	if err := os.Mkdir(filepath.Join(w.work, "rota"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.write("rota/rota.toml", "slots = 3\n\nslotz = 4\n")
	t.Setenv("XDG_CONFIG_HOME", w.work)
	w.fails(2, `rota/rota.toml:3: there is no setting "slotz"`, "config", "check")
	w.fails(2, "did you mean slots?", "ls")
	w.fails(125, "slotz", "run", "true")
}

func TestUp(t *testing.T) {
	w := newWorld(t)
	r := w.run("up", "--slots", "7", "--queues", "gpu,*", "--name", "n7")
	if r.code != 0 || !strings.Contains(r.out, rota.Version) || !strings.Contains(r.out, "7, for the queues gpu,*") || !strings.Contains(r.out, "a note") {
		t.Errorf("%+v", r)
	}
	w.fails(2, "not an address", "up", "--listen", "everywhere")
	w.fails(2, "--slots: slots", "up", "--slots", "many")
	if r := w.run("up", "--transient"); r.out != "" {
		t.Errorf("a transient node talks: %+v", r)
	}
}

func TestDownAndUpgrade(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		downed Downed
		args   []string
		want   string
	}{
		{Downed{Node: true}, nil, "rota: the node is down\n"},
		{Downed{Node: true, Running: 1}, nil, "rota: the node is down; 1 task goes on: rota up takes it back, rota down --kill ends it\n"},
		{Downed{Running: 3}, nil, "; 3 tasks go on: rota up takes them back, rota down --kill ends them\n"},
		{Downed{}, nil, "rota: no node runs on "},
		{Downed{Running: 3}, []string{"--kill"}, "; 3 tasks ended, and tried again when a node runs\n"},
		{Downed{Node: true}, []string{"--drain"}, "rota: the node is down\n"},
	} {
		w.downed = c.downed
		r := w.run(append([]string{"down"}, c.args...)...)
		if r.code != 0 || r.out != "" || !strings.Contains(r.err, c.want) {
			t.Errorf("%+v: %+v", c, r)
		}
		if w.stopped.Kill != slices.Contains(c.args, "--kill") || w.stopped.Drain != slices.Contains(c.args, "--drain") {
			t.Errorf("%v: asked for %+v", c.args, w.stopped)
		}
	}
	w.fails(2, "either ended or let end", "down", "--kill", "--drain")
	w.fails(2, "leave --server out", "down", "--server", "http://localhost:1")
	w.fails(2, "leave --server out", "upgrade", "--server", "http://localhost:1")
	w.fails(2, "one too many", "upgrade", "a", "b")
	w.downed = Downed{Running: 2}
	if r := w.run("upgrade", "./next"); r.code != 0 || r.out != "" || r.err != "rota: the node runs 2; it was 1; 2 tasks went on\n" {
		t.Errorf("%+v", r)
	}
	if r := w.run("up"); !strings.Contains(r.err, "2 tasks go on") {
		t.Errorf("%+v", r)
	}
	if out := w.ok("up", "--check"); !strings.HasPrefix(out, "rota "+rota.Version+" can serve ") {
		t.Error(out)
	}
}

func TestDoctorAndBench(t *testing.T) {
	w := newWorld(t)
	w.checks = []Check{{Name: "folder", Level: OK, Text: "fine"}, {Name: "clock", Level: Warn, Text: "off", Fix: "set it"}}
	if r := w.run("doctor"); r.code != 0 || !strings.Contains(r.out, "off; to mend it: set it") {
		t.Errorf("%+v", r)
	}
	w.checks = append(w.checks, Check{Name: "socket", Level: Fail, Text: "no"})
	w.fails(1, "1 check failed", "doctor")
	w.ok("bench", "--quick", "--slots", "2", "-o", "json", "submit")
	if w.bench.Slots != 2 || !w.bench.Quick || !w.bench.JSON || len(w.bench.Only) != 1 {
		t.Errorf("%+v", w.bench)
	}
}

func TestVersionCompletionMan(t *testing.T) {
	w := newWorld(t)
	if out := w.ok("version"); !strings.HasPrefix(out, "rota "+rota.Version) {
		t.Errorf("%q", out)
	}
	if out := w.ok("version", "-o", "json"); !json.Valid([]byte(out)) {
		t.Errorf("%q", out)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out := w.ok("completion", shell); !strings.Contains(out, "rota") {
			t.Errorf("%s: %q", shell, out)
		}
	}
	w.fails(2, "did you mean bash?", "completion", "basch")
	if out := w.ok("man"); !strings.HasPrefix(out, ".TH ROTA 1") || !strings.Contains(out, `rota cron add`) {
		t.Errorf("%.200q", out)
	}
	if out := w.ok("man", "--markdown"); !strings.Contains(out, "## rota submit") || !strings.Contains(out, "`-a, --array index`") {
		t.Errorf("%.200q", out)
	}
	w.ok("man", "pages")
	if text, err := os.ReadFile("pages/rota-cron-add.1"); err != nil || !strings.Contains(string(text), ".SH SYNOPSIS") {
		t.Errorf("%v", err)
	}
}

func TestUnknownCommands(t *testing.T) {
	w := newWorld(t)
	if out := w.ok("help", "cron", "add"); !strings.Contains(out, "--tz") {
		t.Errorf("%q", out)
	}
	w.fails(2, "did you mean `rota cron add`?", "help", "cron", "ad")
	w.fails(2, "did you mean `rota submit`?", "submti")
	w.fails(2, "`rota --help` lists the commands", "xyzzyx")
	w.fails(2, "one too many", "version", "now")
	for _, args := range [][]string{{"--help"}, {"submit", "--help"}, {"cron", "--help"}, {"cron", "add", "--help"}} {
		for line := range strings.Lines(w.ok(args...)) {
			if width(line) > 82 {
				t.Errorf("%q: a line of %d columns: %q", args, width(line), line)
			}
		}
	}
	w.fails(2, "did you mean --data?", "ls", "--dta", "x")
	if r := w.run(); r.code != 0 || !strings.Contains(r.out, "Daily:") {
		t.Errorf("%+v", r)
	}
	if r := w.run("submit", "--help"); r.code != 0 || !strings.Contains(r.out, "--each-line") || r.err != "" {
		t.Errorf("%+v", r)
	}
}

func TestTarget(t *testing.T) {
	w := newWorld(t)
	secret := w.write("token", "  rt_secret\n")
	for name, c := range map[string]struct {
		env  []string
		args []config.Flag
		want Target
	}{
		"data":           {nil, nil, Target{Data: w.dir}},
		"server":         {[]string{"ROTA_SERVER=http://h/"}, nil, Target{Data: w.dir, Server: "http://h"}},
		"server token":   {[]string{"ROTA_SERVER=http://h", "ROTA_TOKEN_FILE=" + secret}, nil, Target{Data: w.dir, Server: "http://h", Token: "rt_secret"}},
		"S1 in a job":    {[]string{"ROTA_SOCKET=/s", "ROTA_TOKEN_FILE=" + secret}, nil, Target{Data: w.dir, Socket: "/s", Token: "rt_secret"}},
		"flag wins":      {[]string{"ROTA_SOCKET=/s"}, []config.Flag{{Key: "data", Name: "--data", Text: "/d"}}, Target{Data: "/d"}},
		"server in job":  {[]string{"ROTA_SOCKET=/s"}, []config.Flag{{Key: "server", Name: "--server", Text: "http://h"}}, Target{Data: w.dir, Server: "http://h"}},
		"folder, server": {[]string{"ROTA_SERVER=http://h"}, []config.Flag{{Key: "data", Name: "--data", Text: "/d"}}, Target{Data: "/d"}},
		"database":       {[]string{"ROTA_STORE=postgres://h/d"}, nil, Target{Data: w.dir, Store: "postgres://h/d"}},
	} {
		if c.want.Store == "" {
			c.want.Store = filepath.Join(c.want.Data, "rota.db")
		}
		t.Run(name, func(t *testing.T) {
			env := append([]string{"ROTA_DATA=" + w.dir}, c.env...)
			l := config.Loader{Flags: c.args, Getenv: func(name string) (string, bool) { return lookUp(env, name) }}
			conf, settings, err := l.Load()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := targetOf(conf, settings); err != nil || got != c.want {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
	w.fails(4, "token file", "ls", "--server", "http://h", "--token-file", "missing")
}

func TestBench(t *testing.T) {
	w := newWorld(t)
	w.run("bench", "--store", "postgres://me@db/postgres", "--quick", "waiting")
	if o := w.bench; o.Store != "postgres://me@db/postgres" || !o.Quick || len(o.Only) != 1 {
		t.Errorf("%+v", o)
	}
	w.fails(2, "a password on the command line", "bench", "--store", "postgres://me:secret@db/postgres")
}
