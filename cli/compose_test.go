package cli

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/rotaqueue/rota"
)

// composed is the spec that a command line gives, without the caller's folder and environment.
func composed(t *testing.T, w *world, args ...string) rota.Spec {
	t.Helper()
	var spec rota.Spec
	out := w.ok(append([]string{"submit", "--dry-run", "--env", "clean"}, args...)...)
	if err := json.Unmarshal([]byte(out), &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func ptr[T any](v T) *T { return &v }

func TestFlagsBecomeSpec(t *testing.T) {
	w := newWorld(t)
	base := func(change func(*rota.Spec)) rota.Spec {
		s := rota.Spec{Queue: "default", Executor: "exec", Argv: []string{"true"}, Dir: w.work, Grace: rota.DefaultGrace}
		change(&s)
		return s
	}
	at := time.Date(2027, 1, 2, 15, 4, 0, 0, time.Local)
	for name, c := range map[string]struct {
		args []string
		want rota.Spec
	}{
		"argv":   {[]string{"--", "echo", "-n", "a b", "{line}"}, base(func(s *rota.Spec) { s.Argv = []string{"echo", "-n", "a b", "{line}"} })},
		"undash": {[]string{"echo", "-n", "x"}, base(func(s *rota.Spec) { s.Argv = []string{"echo", "-n", "x"} })},
		"shell": {[]string{"-c", "echo $1", "--", "one"}, base(func(s *rota.Spec) {
			s.Executor, s.Shell, s.Argv = "shell", "echo $1", []string{"one"}
		})},
		"names": {[]string{"-n", "n", "-Q", "gpu", "-p", "7", "--label", "a=b", "--label", "c=d=e", "true"}, base(func(s *rota.Spec) {
			s.Name, s.Queue, s.Priority, s.Labels = "n", "gpu", 7, map[string]string{"a": "b", "c": "d=e"}
		})},
		"times": {[]string{"-t", "01:30:00", "--grace", "3", "true"}, base(func(s *rota.Spec) {
			s.Timeout, s.Grace = rota.Duration(90*time.Minute), rota.Duration(3*time.Second)
		})},
		"retry": {[]string{"--retries", "5", "--backoff", "1s,1m", "--on-lost", "fail", "true"}, base(func(s *rota.Spec) {
			s.Retry = &rota.Retry{Count: ptr(5), First: rota.Duration(time.Second), Cap: rota.Duration(time.Minute), OnLost: rota.LostFail}
		})},
		"no retry": {[]string{"--retries", "0", "true"}, base(func(s *rota.Spec) { s.Retry = &rota.Retry{Count: ptr(0)} })},
		"files": {[]string{"-w", "/x", "--out", "o", "--err", "/e", "--stdin", "i", "true"}, base(func(s *rota.Spec) {
			s.Dir, s.Out, s.Err, s.Stdin = "/x", "/x/o", "/e", "/x/i"
		})},
		"relative": {[]string{"-w", "sub", "true"}, base(func(s *rota.Spec) { s.Dir = w.work + "/sub" })},
		"env":      {[]string{"-e", "A=1", "-e", "B=x=y", "-e", "A=2", "true"}, base(func(s *rota.Spec) { s.Env = []string{"B=x=y", "A=2"} })},
		"when": {[]string{"--at", "2027-01-02 15:04", "--after", "ok:41,any:42", "--after", "fail:43", "--after", "44", "--hold", "true"}, base(func(s *rota.Spec) {
			s.At, s.Hold = at, true
			s.After = []rota.Dependency{{Job: 41, When: "ok"}, {Job: 42, When: "any"}, {Job: 43, When: "fail"}, {Job: 44, When: "ok"}}
		})},
		"array": {[]string{"-a", "1-9:2,20%3", "./sim", "{task}"}, base(func(s *rota.Spec) {
			s.Argv, s.Limit = []string{"./sim", "{task}"}, 3
			s.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: 9, Step: 2}, {First: 20, Last: 20}}}
		})},
		"lines": {[]string{"--each-line", "-", "--limit", "2", "gzip", "{line}"}, base(func(s *rota.Spec) {
			s.Argv, s.Lines, s.Limit = []string{"gzip", "{line}"}, true, 2
		})},
	} {
		t.Run(name, func(t *testing.T) {
			got := composed(t, w, c.args...)
			if !got.At.Equal(c.want.At) {
				t.Errorf("at %v, want %v", got.At, c.want.At)
			}
			got.At, c.want.At = time.Time{}, time.Time{}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestRefusedFlags(t *testing.T) {
	w := newWorld(t)
	w.write("noshebang.sh", "echo hi\n")
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"nothing":         {nil, "nothing to run"},
		"both texts":      {[]string{"-c", "x", "-f", "y"}, "-c and -f"},
		"empty shell":     {[]string{"-c", ""}, "the shell text is empty"},
		"array and lines": {[]string{"-a", "1-2", "--each-line", "-", "true"}, "either an array or one task a line"},
		"line in shell":   {[]string{"--each-line", "-", "-c", "gzip {line}"}, "$ROTA_LINE"},
		"bad array":       {[]string{"-a", "5-1", "true"}, "indexes must rise"},
		"bad time":        {[]string{"--at", "someday", "true"}, `time "someday": not understood`},
		"bad duration":    {[]string{"-t", "soon", "true"}, `--timeout "soon"`},
		"bad after":       {[]string{"--after", "done:4", "true"}, "write ok:41"},
		"bad label":       {[]string{"--label", "x", "true"}, "write KEY=VALUE"},
		"bad queue":       {[]string{"-Q", "a b", "true"}, `queue "a b"`},
		"bad priority":    {[]string{"-p", "high", "true"}, `--priority "high"`},
		"bad on-lost":     {[]string{"--on-lost", "retyr", "true"}, "did you mean retry?"},
		"bad env":         {[]string{"--env", "dirty", "true"}, "write inherit, clean"},
		"rota env":        {[]string{"-e", "ROTA_X=1", "true"}, "Rota's own"},
		"no shebang":      {[]string{"-f", "noshebang.sh"}, "does not begin with #!"},
		"no file":         {[]string{"-f", "missing.sh"}, "missing.sh"},
		"not utf-8":       {[]string{"echo", "\xff"}, "is not UTF-8"},
		"flag typo":       {[]string{"--quue", "x", "true"}, "did you mean --queue?"},
		"letter":          {[]string{"-z", "true"}, "there is no flag -z"},
		"no value":        {[]string{"-n"}, "flag needs an argument"},
		"wait and follow": {[]string{"--wait", "--follow", "true"}, "choose one"},
		"no list":         {[]string{"--each-line", "missing.txt", "true"}, "missing.txt"},
		"low limit":       {[]string{"-a", "1-2", "--limit", "0", "true"}, "at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			code := 2
			if name == "wait and follow" {
				code = 125
			}
			r := w.fails(code, c.says, append([]string{"submit"}, c.args...)...)
			if r.out != "" || !strings.HasPrefix(r.err, "rota submit: ") {
				t.Errorf("stdout %q, stderr %q", r.out, r.err)
			}
		})
	}
	if out := w.run("ls", "-q"); out.out != "" {
		t.Errorf("something was stored: %q", out.out)
	}
}

func TestScriptLines(t *testing.T) {
	w := newWorld(t)
	w.write("job.sh", `#!/bin/sh
# a comment
#ROTA -n 'from script' -Q gpu
#ROTA --label a=script -t 5m   # and why
#ROTARY is no flag

#ROTA -e "X=a b" --retries 1
echo hi
#ROTA -n late
`)
	got := composed(t, w, "-n", "mine", "--label", "b=line", "-f", "job.sh", "arg")
	want := rota.Spec{Name: "mine", Queue: "gpu", Labels: map[string]string{"a": "script", "b": "line"}, Timeout: rota.Duration(5 * time.Minute),
		Env: []string{"X=a b"}, Retry: &rota.Retry{Count: ptr(1)}, Executor: "script", Argv: []string{"arg"}, Dir: w.work, Grace: rota.DefaultGrace}
	got.Script = ""
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if s := composed(t, w, "-f", "job.sh"); s.Name != "from script" {
		t.Errorf("name %q", s.Name)
	}
	w.write("bad.sh", "#!/bin/sh\n#ROTA --quue x\n")
	w.fails(2, "line 2 of the script: there is no flag --quue\n  did you mean --queue?", "submit", "-f", "bad.sh")
	w.write("open.sh", "#!/bin/sh\n#ROTA -n 'x\n")
	w.fails(2, "a quote is not closed", "submit", "-f", "open.sh")
	w.write("word.sh", "#!/bin/sh\n#ROTA now\n")
	w.fails(2, `"now" is no flag`, "submit", "-f", "word.sh")
	w.write("fine.sh", "#!/bin/sh\n")
	if s := composed(t, w, "-f", "fine.sh"); s.Name != "fine.sh" {
		t.Errorf("a script's job is called %q", s.Name)
	}
}

func TestScriptOnStandardInput(t *testing.T) {
	w := newUp(t)
	for _, args := range [][]string{{"submit", "--wait"}, {"submit", "--wait", "-"}, {"submit", "--wait", "-f", "-"}} {
		r := w.with("#!/bin/sh\n#ROTA -n piped\necho here > here.txt\n", args...)
		if r.code != 0 {
			t.Errorf("%q: %d %q", args, r.code, r.err)
		}
		if text, _ := os.ReadFile("here.txt"); string(text) != "here\n" {
			t.Errorf("%q did not run: %q", args, r.err)
		}
		os.Remove("here.txt")
	}
	if out := w.ok("ls", "-q", "--name", "piped"); strings.Count(out, "\n") != 3 {
		t.Errorf("jobs %q", out)
	}
}

func TestSplitWords(t *testing.T) {
	for text, want := range map[string][]string{
		``: nil, ` a  b `: {"a", "b"}, `'a b'`: {"a b"}, `"a \"b" c`: {`a "b`, "c"}, `a'b'"c"`: {"abc"}, `a\ b`: {"a b"},
		`''`: {""}, `a # b`: {"a"}, `a#b`: {"a#b"}, `"\n"`: {`\n`}, `'\'`: {`\`},
	} {
		if got, err := splitWords(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q = %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`'a`, `"a`, `a\`} {
		if got, err := splitWords(text); err == nil {
			t.Errorf("%q = %q, want an error", text, got)
		}
	}
}

func TestRemoteJobsAreClean(t *testing.T) {
	w := newWorld(t)
	t.Setenv("MINE", "secret")
	out := w.ok("submit", "--dry-run", "--server", "http://127.0.0.1:1", "true")
	if strings.Contains(out, "dir") || strings.Contains(out, "env") {
		t.Errorf("the caller's folder or environment goes to another machine: %s", out)
	}
	out = w.ok("submit", "--dry-run", "--server", "http://127.0.0.1:1", "--env", "inherit", "true")
	if !strings.Contains(out, "MINE=secret") {
		t.Errorf("--env inherit: %s", out)
	}
	w.fails(2, "must be absolute", "submit", "--dry-run", "--server", "http://127.0.0.1:1", "-w", "sub", "true")
}

// TestOverlay: whatever flags a command line has, they reach another flag set as they are.
func TestOverlay(t *testing.T) {
	from := newSpecFlags(pflag.NewFlagSet("a", pflag.ContinueOnError), true)
	args := []string{"-n", "x", "-e", "A=1,2", "-e", "B=3", "-t", "90m", "--backoff", "1s,2m", "--retries", "0", "--hold", "--after", "ok:1,any:2"}
	if err := from.fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	to := newSpecFlags(pflag.NewFlagSet("b", pflag.ContinueOnError), true)
	if err := from.overlay(to); err != nil {
		t.Fatal(err)
	}
	var a, b rota.Spec
	who := caller{now: time.Now(), dir: "/"}
	if err := from.apply(&a, who); err != nil {
		t.Fatal(err)
	}
	if err := to.apply(&b, who); err != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("%+v became %+v, %v", a, b, err)
	}
}
