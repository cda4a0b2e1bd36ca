package web_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/rotaqueue/rota"
)

// TestScreenshots makes pictures of the pages for the docs: make screenshots. ROTA_SCREENSHOTS is where they go.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("ROTA_SCREENSHOTS")
	if dir == "" {
		t.Skip("make screenshots makes them")
	}
	needBrowser(t)
	w := newWorld(t)
	scene := w.scene()
	role := rota.RoleOperator
	_, err := w.svc.PutUser(w.ctx, "kim", rota.UserChange{Role: &role})
	w.ok(err)
	w.ok(w.svc.PutSecret(w.ctx, "db.password", "value"))
	b := w.browse(rota.RoleAdmin)
	shot := func(name string) {
		png := run(b, chromedp.CaptureScreenshot())
		w.ok(os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
	}
	pages := map[string]string{"overview": "/", "jobs": "/jobs", "job": "/jobs/" + scene.failed.String(), "array": "/jobs/" + scene.array.String(), "element": "/tasks/" + scene.array.String() + ".1",
		"log": "/tasks/" + scene.live.String() + "/log", "live": "/jobs/" + scene.live.String(), "failed": "/failed", "queues": "/queues", "queue": "/queues/gpu", "workflows": "/workflows", "evaluate": "/jobs/" + scene.evaluate.String(), "cron": "/cron", "schedule": "/cron/report",
		"nodes": "/nodes", "node": "/nodes/alpha", "new": "/new?from=" + scene.live.String(), "stats": "/stats", "settings": "/settings", "api": "/api", "waits": "/jobs/" + scene.held.String(), "users": "/users", "tokens": "/tokens", "secrets": "/secrets"}
	only := os.Getenv("ROTA_SCREENSHOTS_ONLY")
	for _, look := range []struct {
		name          string
		dark          bool
		width, height int64
	}{{"", false, 1360, 900}, {"-dark", true, 1360, 900}, {"-narrow", false, 400, 860}} {
		b.size(look.width, look.height)
		b.dark(look.dark)
		for name, path := range pages {
			if only != "" && !strings.Contains(","+only+",", ","+name+look.name+",") {
				continue
			}
			b.open(path)
			shot(name + look.name)
		}
	}
	if only == "" || strings.Contains(only, "confirm") {
		b.size(1360, 900)
		b.dark(false)
		b.open("/jobs")
		b.do(click(`input[name=all]`), click(`#actbar button[value=cancel]`))
		b.until(`document.querySelector("dialog[open]") != null`)
		shot("confirm")
		b.open("/jobs")
		b.do(click(`input[name=all]`), click(`#changes summary`))
		shot("changes")
		b.do(click(`#changes button[value=rerole]`))
		b.until(`document.querySelector("dialog[open]") != null`)
		shot("rerole")
	}
}

// scene is a server in the middle of a day.
type scene struct {
	live, failed, array, held, evaluate rota.JobID
	bad                                 []string // pages of what is hostile
}

func (w *world) scene() (s scene) {
	w.Helper()
	for i := range 12 {
		w.shell("resize-image", fmt.Sprintf("convert img-%d.png -resize 800 out.webp", 100+i), func(s *rota.Spec) { s.Labels = map[string]string{"team": "web"} })
		code, stderr := 0, ""
		if i%3 == 2 {
			code, stderr = 2, fmt.Sprintf("convert: cannot open /data/img-%d.png: no space left on device\n", 100+i)
		}
		w.node.runs(code, "resized\n", stderr)
	}
	s.failed = w.shell("nightly-etl", "python etl.py --day yesterday", func(s *rota.Spec) {
		two := 2
		s.Retry = &rota.Retry{Count: &two, First: 1}
		s.Limits.Memory = 512 << 20
	})
	for range 3 {
		w.node.runs(1, "\x1b[32m✓\x1b[0m connected\n\x1b[32m✓\x1b[0m 18 204 rows read\n", "Traceback (most recent call last):\n  File \"etl.py\", line 42, in load\nKeyError: 'customer_8123'\n")
	}
	s.array = w.shell("simulate", "./sim --seed $ROTA_TASK_INDEX", func(s *rota.Spec) {
		s.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: 400}}}
		s.Limit, s.Artifacts = 50, []string{"out/*"}
	})
	for made := (rota.Progress{}); made.Made < 400; {
		now, err := w.svc.Watch(w.ctx, s.array, made, patience)
		w.ok(err)
		made = now
	}
	for i := range 6 {
		as := w.node.claim(40)
		var ends []rota.Finish
		for k, a := range as {
			code, stderr := 0, ""
			if k%13 == 12 {
				code, stderr = 1, fmt.Sprintf("diverged at step %d\n", 100*i+k)
			}
			if k%20 == 0 {
				w.node.leaves(a.Try, fmt.Sprintf("out/run <%d>.csv", a.Task.Index()), "step,energy\n1,-1.04\n")
			}
			ends = append(ends, end(a.Try, code, "energy -1.04\n", stderr))
		}
		w.node.claim(0, ends...)
	}
	s.live = w.shell("train-model", "python train.py --epochs 400", func(s *rota.Spec) {
		s.Queue, s.Priority, s.Labels = "gpu", 5, map[string]string{"team": "vision"}
	})
	after := func(when rota.When, jobs ...rota.JobID) func(*rota.Spec) {
		return func(sp *rota.Spec) {
			for _, id := range jobs {
				sp.After = append(sp.After, rota.Dependency{Job: id, When: when})
			}
		}
	}
	s.evaluate = w.shell("evaluate", "python eval.py", after(rota.AfterOK, s.live))
	figures := w.shell("draw-figures", "python figures.py", after(rota.AfterOK, s.evaluate))
	export := w.shell("export-the-model-for-mobile-phones", "python export.py --quantize", after(rota.AfterOK, s.live))
	w.shell("publish", "./publish.sh", after(rota.AfterOK, figures, export))
	w.shell("alert", "./alert.sh", after(rota.AfterFail, s.evaluate))
	s.held = w.shell("deploy", "./deploy.sh production", func(s *rota.Spec) { s.Hold = true })
	as := w.node.claim(4)
	for _, a := range as {
		if a.Task.Job() == s.live {
			var b strings.Builder
			for i := range 60 {
				fmt.Fprintf(&b, "\x1b[36mepoch %03d\x1b[0m  loss \x1b[33m%.4f\x1b[0m  accuracy \x1b[32m%.1f %%\x1b[0m\n", i+1, 2.3/float64(i+2), 40+float64(i)*0.9)
			}
			b.WriteString("\x1b[1mepoch 061\x1b[0m  batch 12/80\r\x1b[1mepoch 061\x1b[0m  batch 31/80")
			w.node.writes(a.Try, rota.Stdout, 0, b.String())
		}
	}
	for _, x := range []rota.Schedule{{Name: "report", Expr: "0 6 * * mon-fri", Zone: "Europe/Berlin", Spec: rota.Spec{Shell: "./report.sh --mail team"}},
		{Name: "backup", Expr: "@every 30m", Zone: "UTC", Spec: rota.Spec{Argv: []string{"pg_dump", "-Fc", "shop"}}},
		{Name: "cleanup", Expr: "15 3 * * *", Zone: "America/New_York", Spec: rota.Spec{Shell: "find /tmp/scratch -mtime +7 -delete"}}} {
		_, err := w.svc.PutSchedule(w.ctx, x)
		w.ok(err)
	}
	return s
}
