package web

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cli"
)

// kinds are jobs that say all there is to say, one of each way to run something.
func kinds() []rota.Spec {
	two, nice := 2, 5
	all := rota.Spec{Name: "a b", Queue: "gpu", Labels: map[string]string{"team": "x"}, Priority: 3, Path: "/opt/bin", User: "ann", Group: "staff",
		Dir: "/srv", Stdin: "/in", Out: "/out", Err: "/err", Artifacts: []string{"out/*.txt", "**"}, Timeout: rota.Duration(time.Minute), Grace: rota.Duration(time.Second),
		Retry:  &rota.Retry{Count: &two, First: rota.Duration(time.Second), Cap: rota.Duration(time.Hour), OnLost: rota.LostFail},
		Limits: rota.Limits{Memory: 1 << 30, CPUs: 1.5, PIDs: 200, Nice: nice}, OnStoreLoss: "10m", On: "n1", Needs: rota.Resources{"gpu": 2}, LimitKey: "c:7", KeyLimit: 4,
		Unique: "name", Tell: rota.Tell{MailTo: []string{"a@example.org"}, MailOn: rota.MailOnEnd, Notify: []string{"https://example.org/x"}},
		Secrets: []rota.SecretUse{{Name: "plain"}, {Name: "db", Var: "PASSWORD"}, {Name: "key", File: true}},
		Hold:    true, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), After: []rota.Dependency{{Job: 41, When: rota.AfterEach}},
		Array: &rota.Array{Ranges: []rota.Range{{First: 1, Last: 9}}}, Limit: 3}
	with := func(change func(*rota.Spec)) rota.Spec {
		s := all
		change(&s)
		return s
	}
	return []rota.Spec{
		with(func(s *rota.Spec) { s.Argv = []string{"echo", "it's"} }),
		with(func(s *rota.Spec) { s.Shell, s.Argv = "echo $1", []string{"x"} }),
		with(func(s *rota.Spec) { s.Pipe = [][]string{{"sort", ":"}, {"uniq"}} }),
		with(func(s *rota.Spec) { s.Script, s.Interpreter = "#!/bin/sh\n", []string{"python3", "-u"} }),
		with(func(s *rota.Spec) { s.Blob = "ab" }),
		with(func(s *rota.Spec) { s.Array, s.Limit, s.Lines, s.Argv = nil, 0, true, []string{"{line}"} }),
		with(func(s *rota.Spec) {
			s.Array, s.Lines, s.LimitKey, s.KeyLimit, s.Argv = nil, true, "", 0, []string{"{line}"}
		}),
		with(func(s *rota.Spec) { s.Unique, s.Argv = rota.UniqueWork, []string{"true"} }),
	}
}

// TestAsCLISaysAllThatTheJobSays: what a page shows to be copied makes the same job. A field that is not in it is one of these.
func TestAsCLISaysAllThatTheJobSays(t *testing.T) {
	unsaid := map[string]string{"Executor": "follows from the rest", "Caller": "the server sets it", "Env": "is the environment that it is submitted in"}
	const want = `rota submit --name 'a b' --queue gpu --priority 3 --label team=x --workdir /srv --user ann --group staff --path /opt/bin --secret plain --secret db=PASSWORD ` +
		`--secret key=file --stdin /in --out /out --err /err --artifact 'out/*.txt' --artifact '**' --timeout 1m --grace 1s --mem 1GiB --cpus 1.5 --pids 200 --nice 5 --on-store-loss 10m ` +
		`--need gpu=2 --retries 2 --backoff 1s,1h --on-lost fail --mail-to a@example.org --mail-on end --notify https://example.org/x --hold --at 2026-01-02T03:04:05Z --after each:41 --on n1 ` +
		`--limit-key c:7 --limit 4 --unique=name --array 1-9%3 -- echo 'it'\''s'`
	said := map[string]bool{}
	for i, s := range kinds() {
		text := cliText(&s)
		if i == 0 && text != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}
		v := reflect.ValueOf(&s).Elem()
		for f := range v.NumField() {
			was := reflect.New(v.Field(f).Type()).Elem()
			was.Set(v.Field(f))
			v.Field(f).SetZero()
			if cliText(&s) != text {
				said[v.Type().Field(f).Name] = true
			}
			v.Field(f).Set(was)
		}
	}
	for f := range reflect.TypeFor[rota.Spec]().Fields() {
		if said[f.Name] == (unsaid[f.Name] != "") {
			t.Errorf("%s is said: %v", f.Name, said[f.Name])
		}
	}
	manual, err := os.ReadFile("../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range kinds() {
		for _, flag := range regexp.MustCompile(`--[a-z][a-z-]*`).FindAllString(cliText(&s), -1) {
			if !regexp.MustCompile("`(-., )?" + flag + "[` =]").Match(manual) {
				t.Errorf("the manual knows no %s", flag)
			}
		}
	}
}

// TestAsCLIMakesTheSameJob: a shell and the command make of what the page shows the job that it was made of.
func TestAsCLIMakesTheSameJob(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("FILE", []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", t.TempDir())
	for _, want := range kinds() {
		if want.Blob != "" {
			continue // its file is nowhere
		}
		text := cliText(&want)
		words, err := exec.Command("sh", "-c", `printf '%s\0' `+text).Output()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		args := strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00")
		args = slices.Insert(args[1:], 1, "--dry-run", "--env", "clean", "--data", t.TempDir())
		var out, said bytes.Buffer
		if code := cli.Main(t.Context(), cli.Deps{}, args, strings.NewReader(""), &out, &said); code != 0 {
			t.Fatalf("%s: code %d, %s", text, code, said.String())
		}
		var got rota.Spec
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		want.Executor = got.Executor // follows from the rest
		if a, b := indented(got), indented(want); a != b {
			t.Errorf("%s\ngot  %s\nwant %s", text, a, b)
		}
	}
}
