package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/config"
)

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
	w.fails(2, "did you mean --data?", "show", "--dta", "x")
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
