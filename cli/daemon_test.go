package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

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

func TestBench(t *testing.T) {
	w := newWorld(t)
	w.run("bench", "--store", "postgres://me@db/postgres", "--quick", "waiting")
	if o := w.bench; o.Store != "postgres://me@db/postgres" || !o.Quick || len(o.Only) != 1 {
		t.Errorf("%+v", o)
	}
	w.fails(2, "a password on the command line", "bench", "--store", "postgres://me:secret@db/postgres")
}
