package cli

import (
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// used leaves a store behind in which job 1 has a long second attempt and a short first one, as the node "there" told
// of them up to now.
func (w *world) used() {
	w.Helper()
	now := time.Now().Add(-30 * time.Minute)
	store := must(sqlstore.Open(w.Context(), filepath.Join(w.dir, "rota.db"), sqlstore.Options{Now: func() time.Time { return now }}))
	retry := rota.DefaultRetry()
	job := rota.NewJob{Submission: rota.Submission{Spec: rota.Spec{Argv: []string{"true"}}}, Submitter: "me", Retry: retry}
	if err := job.Resolve(); err != nil {
		w.Fatal(err)
	}
	must(store.Submit(w.Context(), []rota.NewJob{job}))
	must(store.OpenSession(w.Context(), rota.Opening{Session: "s", Key: "k", Node: rota.Node{Name: "there", Slots: 4, Queues: []string{"*"}}}))
	claim := func(seq int64, ended ...rota.Finish) rota.Try {
		x := must(store.Exchange(w.Context(), rota.Exchange{Session: "s", Seq: seq, Finished: ended, Claim: rota.Claim{Max: 1}}))
		if len(x.Claimed) != 1 {
			w.Fatalf("claimed %+v", x)
		}
		return x.Claimed[0].Try
	}
	first := claim(1)
	now = now.Add(5 * time.Second)
	try := claim(2, rota.Finish{Try: first, Outcome: rota.OutcomeReturned, Reason: "not started"})
	for i := range 120 {
		now = now.Add(10 * time.Second)
		cpu := time.Duration(i) * 5 * time.Second
		r := must(store.Renew(w.Context(), []rota.Renewal{{Session: "s", State: rota.NodeUp, Samples: []rota.TrySample{{Try: try,
			Sample: rota.Sample{Memory: int64(i+1) << 20, CPU: rota.Duration(cpu), Processes: 1}}}, Machine: &rota.NodeSample{Load1: float64(i) / 100,
			CPUs: 2, MemoryUsed: 1 << 30, MemoryTotal: 4 << 30, DiskFree: 1 << 30, DiskTotal: 8 << 30, Slots: 4, Running: i % 5}}}))
		if r[0].Err != nil {
			w.Fatal(r[0].Err)
		}
	}
	if err := store.Close(); err != nil {
		w.Fatal(err)
	}
}

func TestD6_ShowDrawsWhatAnAttemptUsed(t *testing.T) {
	w := newWorld(t)
	w.used()
	t.Setenv("LC_ALL", "C.UTF-8")
	out := w.ok("show", "1")
	for _, want := range []string{"\nattempt 2, over 19m50s:\n", "  memory: ▁▁▁▁", "██  1.0 MiB to 120.0 MiB\n", "  CPUs:   ████", "  0.50 to 0.50\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("show lacks %q:\n%s", want, out)
		}
	}
	t.Setenv("LC_ALL", "C")
	if out := w.ok("show", "1"); !strings.Contains(out, "  memory: ____") || !strings.Contains(out, "**####") {
		t.Errorf("in ASCII:\n%s", out)
	}
	var s shown
	if err := json.Unmarshal([]byte(w.ok("show", "1", "-o", "json")), &s); err != nil || s.Samples != nil {
		t.Errorf("not asked for: %+v, %v", s.Samples, err)
	}
	text := w.ok("show", "1", "-o", "json", "--samples")
	if err := json.Unmarshal([]byte(text), &s); err != nil || len(s.Samples) != 1 || s.Samples[0].Attempt != 2 || len(s.Samples[0].Points) != 120 ||
		s.Samples[0].Points[119].Memory != 120<<20 {
		t.Errorf("asked for: %v, %.300s", err, text)
	}
}

func TestD6_NodeShow(t *testing.T) {
	w := newWorld(t)
	w.used()
	t.Setenv("LC_ALL", "C")
	out := w.ok("node", "show", "there")
	for _, want := range []string{"node:     there\n", "state:    up\n", "running:  1 of 4 slots\n", "load:     1.19 on 2 CPUs\n",
		"memory:   1.0 GiB of 4.0 GiB used\n", "disk:     1.0 GiB of 8.0 GiB free\n", "\nlast 1h:\n", "  load:     ", "  0.00 to 1.19\n",
		"  memory:   ", "::::", "  1.0 GiB to 1.0 GiB\n", "  running:  ", "####", "  0 to 4\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("node show lacks %q:\n%s", want, out)
		}
	}
	var s shownNode
	if err := json.Unmarshal([]byte(w.ok("node", "show", "there", "-o", "json", "--last", "25m")), &s); err != nil || s.Node.Sample == nil ||
		len(s.Samples) < 80 || len(s.Samples) > 91 {
		t.Errorf("%d samples, %v, %v", len(s.Samples), s.Node.Sample, err)
	}
	if out := w.ok("node", "show", "there", "-o", "json", "--last", "1m"); !strings.Contains(out, `"samples": []`) {
		t.Errorf("of the last minute: %s", out)
	}
	w.fails(3, `node "here": there is none`, "node", "show", "here")
	w.fails(2, "not a duration from 1m to 7d", "node", "show", "there", "--last", "8d")
	w.fails(2, "missing argument NODE", "node", "show")
}

func TestD6_GraphsAreDrawnByTime(t *testing.T) {
	g := graph{columns: 6, heights: []rune("01234567")}
	begin := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	// A little ahead of us, and behind us.
	all, values := []rota.NodeSample{}, []float64{3, 5, 1, 7}
	for _, at := range []time.Duration{-time.Second, 21 * time.Minute, 29*time.Minute + 30*time.Second, 61 * time.Minute} {
		all = append(all, rota.NodeSample{At: begin.Add(at)})
	}
	got := g.over(all, values, begin, time.Hour)
	if line := g.line(got, 8); line != "3 51 7" {
		t.Errorf("drawn as %q", line)
	}
	if line := g.line([]float64{0, 4, 8, math.NaN(), 99, -1}, 8); line != "047 70" {
		t.Errorf("drawn as %q", line)
	}
	if line := g.line(g.squeeze([]float64{1, 2, 3, 4, 5, 6, 7, 0, 0}), 8); len(line) != 6 || line[5] != '0' || line[4] != '7' {
		t.Errorf("squeezed to %q", line)
	}
	if line := g.line(g.squeeze([]float64{0, 0}), 0); line != "00" {
		t.Errorf("of nothing: %q", line)
	}
	if got := rates([]rota.Point{{At: begin}, {At: begin.Add(time.Second), Sample: rota.Sample{CPU: rota.Duration(2 * time.Second)}}, {At: begin.Add(2 * time.Second)}}); len(got) != 2 || got[0] != 2 || got[1] != 0 {
		t.Errorf("rates %v", got)
	}
}

func TestSpeaksUTF8(t *testing.T) {
	for _, c := range []struct {
		all, ctype, lang string
		want             bool
	}{{"", "", "", false}, {"", "", "en_GB.UTF-8", true}, {"", "", "de_DE.utf8", true}, {"C", "", "en_GB.UTF-8", false}, {"", "C.UTF-8", "C", true}, {"", "", "POSIX", false}} {
		env := map[string]string{"LC_ALL": c.all, "LC_CTYPE": c.ctype, "LANG": c.lang}
		if got := speaksUTF8(func(name string) string { return env[name] }); got != c.want {
			t.Errorf("%v: %v", env, got)
		}
	}
}
