package keeper

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

func piped(n int, stages ...[]string) executor.Process {
	p := command(n)
	p.Pipe = stages
	return p
}

// TestZ7_Pipelines: stages are joined without a shell; the code is that of the last that failed, and all are told.
func TestZ7_Pipelines(t *testing.T) {
	r := newRig(t, 2)
	code := func(n string) []string { return []string{"sh", "-c", "cat; exit " + n} }
	for i, c := range []struct {
		name    string
		stages  [][]string
		out     string
		outcome rota.Outcome
		code    int
		says    string
	}{
		{"all succeed", [][]string{{"printf", "b\\na\\nb\\n"}, {"sort"}, {"uniq", "-c"}}, "      1 a\n      2 b\n", rota.OutcomeSucceeded, 0, ""},
		{"no shell reads it", [][]string{{"echo", "$HOME; id | cat"}, {"cat"}}, "$HOME; id | cat\n", rota.OutcomeSucceeded, 0, ""},
		{"the last that failed", [][]string{{"echo", "x"}, code("3"), code("4"), code("0")}, "x\n", rota.OutcomeFailed, 4, "exit code 4; its stages ended with 0, 3, 4, 0"},
		{"one is not there", [][]string{{"echo", "x"}, {"no-such-program"}}, "", rota.OutcomeRefused, 127, "its stages ended with"},
		{"one had enough", [][]string{{"yes"}, {"head", "-n", "1"}}, "y\n", rota.OutcomeSucceeded, 0, ""},
		{"a signal", [][]string{{"echo"}, {"sh", "-c", "kill -9 $$"}}, "", rota.OutcomeFailed, -1, "its stages ended with"},
	} {
		e := r.run(piped(i+1, c.stages...))
		is := -1
		if e.Code != nil {
			is = *e.Code
		}
		if e.Outcome != c.outcome || is != c.code || r.output(e, rota.Stdout) != c.out || !strings.Contains(e.Reason, c.says) || c.says == "" && e.Reason != "" {
			t.Errorf("%s: %s, code %d, %q, %q", c.name, e.Outcome, is, e.Reason, r.output(e, rota.Stdout))
		}
	}
}

// TestZ7_APipelineIsEnded: what ends an attempt ends all stages, with their grace.
func TestZ7_APipelineIsEnded(t *testing.T) {
	r := newRig(t, 1)
	dir := t.TempDir()
	p := piped(1, []string{"sh", "-c", "trap 'touch " + dir + "/first; exit 0' TERM; touch " + dir + "/ready; while :; do sleep 0.01; done"},
		[]string{"sh", "-c", "cat; touch " + dir + "/last"})
	r.start(p)
	until(t, "it runs", func() bool { _, err := os.Stat(filepath.Join(dir, "ready")); return err == nil })
	r.Stop(p.Try, false)
	if e := r.await(p.Try); e.Outcome != rota.OutcomeEnded {
		t.Errorf("%s %s", e.Outcome, e.Reason)
	}
	if _, err := os.Stat(filepath.Join(dir, "first")); err != nil {
		t.Errorf("the first stage had no grace: %v", err)
	}
}

// TestZ6_Wrappers: a wrapper is put before commands, scripts and pipelines, and has the job's variables; an error wrapper
// reads the error output, and nothing else.
func TestZ6_Wrappers(t *testing.T) {
	r := newRig(t, 1)
	wrapper := []string{"sh", "-c", "echo \"<$ROTA_JOB>\"; \"$@\"; code=$?; echo \"</$ROTA_JOB>\"; exit $code", "wrap"}
	script := command(2, "script", "an argument")
	script.Body = "echo body \"$1\"; exit 3"
	for i, c := range []struct {
		p    executor.Process
		want string
		code int
	}{{command(1, "echo", "x"), "<7>\nx\n</7>\n", 0}, {script, "<7>\nbody an argument\n</7>\n", 3}, {piped(3, []string{"echo", "p"}, []string{"cat"}), "<7>\np\n</7>\n", 0}} {
		c.p.Wrap, c.p.Env = wrapper, append(c.p.Env, "ROTA_JOB=7")
		e := r.run(c.p)
		if e.Code == nil || *e.Code != c.code || r.output(e, rota.Stdout) != c.want {
			t.Errorf("%d: %s %q %q", i, e.Reason, r.output(e, rota.Stdout), r.output(e, rota.Stderr))
		}
	}
	p := sh(9, "echo out; echo wrong >&2; exit 5")
	p.ErrWrap = []string{"sed", "s/^/E: /"}
	if e := r.run(p); e.Code == nil || *e.Code != 5 || r.output(e, rota.Stdout) != "out\n" || r.output(e, rota.Stderr) != "E: wrong\n" {
		t.Errorf("%s %q %q", e.Reason, r.output(e, rota.Stdout), r.output(e, rota.Stderr))
	}
	p = command(10, "echo", "x")
	p.Wrap = []string{"no-such-wrapper"}
	if e := r.run(p); e.Outcome != rota.OutcomeRefused || !strings.Contains(e.Reason, "no-such-wrapper") {
		t.Errorf("%s %s", e.Outcome, e.Reason)
	}
}

// TestZ8_Interpreter: the body of a job is a file that the interpreter runs, whatever its first line says.
func TestZ8_Interpreter(t *testing.T) {
	r := newRig(t, 1)
	p := command(1, "script", "one", "two")
	p.Body, p.Interpreter = "#!/no/such/program\necho $1 $2 $0", []string{"sh", "-e"}
	e := r.run(p)
	if out := r.output(e, rota.Stdout); e.Outcome != rota.OutcomeSucceeded || !strings.HasPrefix(out, "one two /") || !strings.HasSuffix(out, "/body\n") {
		t.Errorf("%s %q", e.Reason, out)
	}
}

// TestSecretsAreFilesOfTheAttempt: mode 0400, named by the environment, and gone when it has ended.
func TestSecretsAreFilesOfTheAttempt(t *testing.T) {
	r := newRig(t, 1)
	p := sh(1, "stat -c %a $ROTA_SECRET_DB_KEY; cat $ROTA_SECRET_DB_KEY; echo; echo $ROTA_SECRET_DB_KEY")
	p.Secrets = []executor.Secret{{Name: "db-key", Value: "hush"}}
	e := r.run(p)
	lines := strings.Split(r.output(e, rota.Stdout), "\n")
	if len(lines) != 4 || lines[0] != "400" || lines[1] != "hush" {
		t.Fatalf("%s %q", e.Reason, lines)
	}
	until(t, "the file is gone", func() bool { _, err := os.Stat(lines[2]); return os.IsNotExist(err) })
	if e := r.run(sh(2, "echo $ROTA_SECRET_DB_KEY")); r.output(e, rota.Stdout) != "\n" {
		t.Errorf("the next attempt has it: %q", r.output(e, rota.Stdout))
	}
}
