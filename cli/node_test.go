package cli

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// nodes leaves a store behind that knows of a node that was lost while it ran something that goes on without the store, of
// one whose clock is wrong, and of one that left.
func (w *world) nodes() {
	w.Helper()
	now := time.Now().Add(-30 * time.Minute)
	store := must(sqlstore.Open(w.Context(), filepath.Join(w.dir, "rota.db"), sqlstore.Options{Now: func() time.Time { return now }}))
	job := rota.NewJob{Submission: rota.Submission{Spec: rota.Spec{Argv: []string{"true"}, OnStoreLoss: rota.StoreLossRun}}, Submitter: "me", Retry: rota.DefaultRetry()}
	if err := job.Resolve(); err != nil {
		w.Fatal(err)
	}
	must(store.Submit(w.Context(), []rota.NewJob{job}))
	for _, name := range []string{"lost", "fast", "gone"} {
		must(store.OpenSession(w.Context(), rota.Opening{Session: rota.SessionID(name), Key: name, TTL: rota.Duration(time.Second),
			Node: rota.Node{Name: name, Slots: 4, Queues: []string{"gpu", "*"}, Host: "lab-" + name, Folder: "/srv/" + name, Executors: map[string]string{"exec": "1"}}}))
	}
	must(store.Exchange(w.Context(), rota.Exchange{Session: "lost", Seq: 1, Claim: rota.Claim{Max: 1}}))
	now = now.Add(10 * time.Minute)
	must(store.LoseSession(w.Context(), "lost", 0, 0))
	must(store.Renew(w.Context(), []rota.Renewal{{Session: "fast", State: rota.NodeUp, Skew: 3_240_000}}))
	if err := store.CloseSession(w.Context(), "gone"); err != nil {
		w.Fatal(err)
	}
	if err := store.Close(); err != nil {
		w.Fatal(err)
	}
}

func TestNodesAreShownWithWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	w.nodes()
	out := w.ok("node", "ls")
	for _, want := range []string{" SEEN ", " LOST ", " CLOCK ", "3.2s ahead of the store's", "lost  ", "down  "} {
		if !strings.Contains(out, want) {
			t.Errorf("node ls lacks %q:\n%s", want, out)
		}
	}
	if out := w.ok("node", "ls", "-o", "wide"); !strings.Contains(out, " HOST ") || !strings.Contains(out, "lab-fast") {
		t.Errorf("wide:\n%s", out)
	}
	out = w.ok("node", "show", "lost")
	for _, want := range []string{"state:     lost since 20", "(20m ago)", "place:     lab-lost, /srv/lost\n", "executors: exec 1\n", "running:   1 of 4 slots\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("node show lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "serves:") {
		t.Errorf("a lost node serves nothing:\n%s", out)
	}
	out = w.ok("node", "show", "fast")
	for _, want := range []string{"clock:     3.2s ahead of the store's\n", "serves:    gpu: running 0, idle 4 of 4 slots\n           *: running 0, idle 4 of 4 slots\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("node show lacks %q:\n%s", want, out)
		}
	}
	w.fails(1, "rota node rm --lost lost", "node", "rm", "lost")
	w.fails(1, "rota node drain fast", "node", "rm", "fast")
	w.ok("node", "rm", "--lost", "lost")
	w.ok("node", "rm", "gone")
	if out := w.ok("node", "ls", "-q"); out != "fast\n" {
		t.Errorf("left: %q", out)
	}
}

func TestSkewIsToldFromASecondOn(t *testing.T) {
	for us, want := range map[int64]string{0: "", 999_999: "", -999_999: "", 1_000_000: "1s ahead of the store's", -90_040_000: "1m30s behind the store's"} {
		if got := skewText(us); got != want {
			t.Errorf("%d us: %q, want %q", us, got, want)
		}
	}
}
