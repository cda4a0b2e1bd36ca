package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
)

func TestNodeDrain(t *testing.T) {
	w := newUp(t)
	w.fails(3, `node "nobody": there is none`, "node", "drain", "nobody")
	w.ok("submit", "--retries", "0", "-c", "until test -e go; do sleep 0.01; done; exit 7")
	for !strings.Contains(w.ok("node", "ls"), "1/4") { // it runs
	}
	for _, args := range [][]string{{"node", "drain"}, {"node", "drain", "n1"}} { // again is as good
		hint := strings.Join(append([]string{"rota"}, args...), " ") + " --wait waits"
		if r := w.run(args...); r.code != 0 || r.out != "" || r.err != "rota: node n1 drains: 1 task still runs; "+hint+"\n" {
			t.Errorf("rota %v: %+v", args, r)
		}
	}
	waits := w.start(nil, "node", "drain", "--wait")
	waits.err.until(t, "rota: node n1 drains: 1 task still runs\n")
	if out := w.ok("submit", "true"); out != "2\n" {
		t.Errorf("submit: %q", out)
	}
	if err := os.WriteFile(filepath.Join(w.work, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := waits.end(t); r.code != 0 || !strings.HasSuffix(r.err, "\nrota: node n1 is down\n") {
		t.Errorf("--wait: %+v", r)
	}
	w.down()
	if out := w.ok("ls", "--all", "-o", "csv"); !strings.Contains(out, "exit 7") || !strings.Contains(out, "ready") {
		t.Errorf("the jobs: %s", out)
	}
	w.fails(1, "no node runs on "+w.dir, "node", "drain")
	w.fails(1, "node n1 does not run", "node", "drain", "n1")
	w.fails(3, `node "nobody": there is none`, "node", "drain", "nobody")
	w.fails(2, "one too many", "node", "drain", "n1", "n2")
}

// TestNodeDrainOfAnotherNode waits for one that another daemon is.
func TestNodeDrainOfAnotherNode(t *testing.T) {
	w := newUp(t)
	c := api.Dial(w.socket())
	defer c.Close()
	open := func(session rota.SessionID) {
		t.Helper()
		o := rota.Opening{Session: session, Key: "another folder's", Sole: true, Node: rota.Node{Name: "n2", Slots: 1, Queues: []string{"none"}}}
		if _, err := c.OpenSession(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	open("first")
	waits := w.start(nil, "node", "drain", "n2", "--wait")
	waits.err.until(t, "rota: node n2 drains: nothing runs any more\n")
	open("second")
	if r := waits.end(t); r.code != 1 || !strings.Contains(r.err, "node n2 is up again: it was started anew\n  rota node drain n2\n") {
		t.Errorf("started anew: %+v", r)
	}
	waits = w.start(nil, "node", "drain", "n2", "--wait")
	waits.err.until(t, "drains")
	if got, err := c.Renew(t.Context(), rota.Renewal{Session: "second", State: rota.NodeDraining}); err != nil || !got.Drain {
		t.Errorf("its renewal: %+v, %v", got, err)
	}
	if err := c.CloseSession(t.Context(), "second"); err != nil {
		t.Fatal(err)
	}
	if r := waits.end(t); r.code != 0 || !strings.HasSuffix(r.err, "\nrota: node n2 is down\n") {
		t.Errorf("down: %+v", r)
	}
	w.fails(1, "node n2 does not run", "node", "drain", "n2")
	w.ok("run", "true") // the node that answers goes on
}
