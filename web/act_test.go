package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rotaqueue/rota"
)

// job is a job as it stands now.
func (w *world) job(id rota.JobID) rota.Job {
	w.Helper()
	j, err := w.svc.Job(w.ctx, id)
	w.ok(err)
	return j
}

// made waits until so many tasks of a job are made.
func (w *world) made(id rota.JobID, n int) {
	w.Helper()
	for p := (rota.Progress{}); p.Made < n; {
		var err error
		p, err = w.svc.Watch(w.ctx, id, p, patience)
		w.ok(err)
	}
}

// TestD12JobsAreChangedFromTheirList: ticked, and by the dialog that asks what else is needed: another queue, another node, another
// priority, another executor.
func TestD12JobsAreChangedFromTheirList(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	one, two, three := w.shell("one", "true"), w.shell("two", "true"), w.shell("three", "true")
	_, err := w.svc.ChangeQueue(w.ctx, "gpu", rota.QueueChange{New: true})
	w.ok(err)
	b := w.browse(rota.RoleOperator)
	change := func(name string, fill ...action) {
		t.Helper()
		b.open("/jobs")
		b.do(click(`#j`+one.String()+` input`), click(`#j`+two.String()+` input`), click(`#changes summary`),
			click(`#changes button[value=`+name+`]`), seen(`#dialog[open] form`))
		if text := eval[string](b, `document.querySelector("#dialog").innerText`); !strings.Contains(text, "2 jobs?") || !strings.Contains(text, "one") {
			t.Errorf("%s asks %q", name, text)
		}
		b.do(fill...)
		b.do(click(`#dialog .buttons button`))
		b.shows(`.flash`)
		b.until(`location.pathname == "/jobs" && document.querySelector(".flash").innerText.startsWith("2 jobs ")`)
	}
	change("move", chromedp.SendKeys(`#dialog input[name=to-queue]`, "gpu"))
	change("relocate", chromedp.SendKeys(`#dialog input[name=to-on]`, "alpha"))
	change("priority", chromedp.SendKeys(`#dialog input[name=to-priority]`, "+7"))
	change("rerole", chromedp.SetValue(`#dialog select[name=to-executor]`, rota.ExecutorExec))
	for _, id := range []rota.JobID{one, two} {
		if j := w.job(id); j.Spec.Queue != "gpu" || j.Spec.On != "alpha" || j.Spec.Priority != 7 || j.Spec.Executor != rota.ExecutorExec || j.Queue != "gpu" {
			t.Errorf("job %v is now %+v", id, j.Spec)
		}
	}
	if j := w.job(three); j.Spec.Queue != rota.DefaultQueue || j.Spec.Priority != 0 {
		t.Errorf("the one that was not ticked is now %+v", j.Spec)
	}
	b.open("/jobs/" + three.String())
	b.do(click(`#changes summary`), click(`#changes button[value=priority]`), seen(`#dialog[open] form`),
		chromedp.SendKeys(`#dialog input[name=to-priority]`, "3"), click(`#dialog .buttons button`))
	b.shows(`.flash`)
	if j := w.job(three); j.Spec.Priority != 3 {
		t.Errorf("from its page it is now %+v", j.Spec)
	}
}

// TestD12WhatIsNotRightIsAskedForAgain, with what was said; what some jobs refuse is told; and a role changes what it may.
func TestD12WhatIsNotRightIsAskedForAgain(t *testing.T) {
	w := newWorld(t)
	job := w.shell("mine", "true")
	script, err := w.svc.Submit(w.ctx, rota.Submission{Spec: rota.Spec{Script: "#!/bin/sh\ntrue\n"}})
	w.ok(err)
	v := w.visit(rota.RoleOperator)
	form := func(act string, more ...string) url.Values {
		f := url.Values{"act": {act}, "id": {job.String()}, "rows": {"jobs"}, "back": {"jobs"}, "reason": {"because"}}
		for i := 0; i < len(more); i += 2 {
			f.Set(more[i], more[i+1])
		}
		return f
	}
	for _, x := range []struct {
		form url.Values
		want string
	}{{form("move", "to-queue", "x y"), `value="x y"`}, {form("priority", "to-priority", "much"), "or -5"},
		{form("rerole"), "neither a queue nor an executor"}, {form("relocate", "to-on", ""), "no node is named"}} {
		if code, body := v.post("/act/do", x.form); code != 400 || !strings.Contains(body, x.want) || !strings.Contains(body, `value="because"`) {
			t.Errorf("%v: %d %.1500s", x.form, code, body)
		}
	}
	both := form("rerole", "to-executor", rota.ExecutorExec)
	both["id"] = []string{job.String(), script.Job.String()}
	if code, body := v.post("/act/do", both); code != 200 || !strings.Contains(body, "1 job changed, 1 refused") || !strings.Contains(body, "executor exec: cannot take") {
		t.Errorf("one of two: %d %s", code, body[strings.Index(body, "<main"):])
	}
	if code, _ := w.visit(rota.RoleViewer).post("/act/do", form("move", "to-queue", "gpu")); code != 403 {
		t.Errorf("a viewer moves: %d", code)
	}
	w.visit(rota.RoleSubmitter).post("/act/do", form("move", "to-queue", "gpu"))
	if j := w.job(job); j.Spec.Queue != rota.DefaultQueue || j.Spec.Executor != rota.ExecutorExec {
		t.Errorf("it is now %+v", j.Spec)
	}
	_, body := w.visit(rota.RoleViewer).get("/jobs/" + job.String())
	if strings.Contains(body, "Change…") || strings.Contains(body, `value="move"`) {
		t.Error("a viewer is offered changes")
	}
}

// TestD11AllThatMatchHasAllOfTheNewestJob: of an array that is the newest job, all elements, and nothing of what comes after it.
func TestD11AllThatMatchHasAllOfTheNewestJob(t *testing.T) {
	w := newWorld(t)
	id := w.shell("many", "true", func(s *rota.Spec) { s.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: 3}}} })
	w.made(id, 3)
	v := w.visit(rota.RoleOperator)
	form := url.Values{"act": {"hold"}, "all": {"1"}, "q": {"many"}, "upper": {id.String()}, "rows": {"jobs"}, "back": {"jobs"}}
	if _, body := v.post("/act", form); !strings.Contains(body, "Hold 3 tasks?") {
		t.Errorf("it asks %.1000s", body)
	}
	form.Set("act", "move")
	form.Set("to-queue", "gpu")
	if code, body := v.post("/act/do", form); code != 200 || !strings.Contains(body, "1 job moved") {
		t.Errorf("move: %d %.1000s", code, body)
	}
	if j := w.job(id); j.Spec.Queue != "gpu" {
		t.Errorf("it is in %s", j.Spec.Queue)
	}
}

// TestD12APageSaysWhyAndWhen: what keeps a task waiting, the command that would change it, what stands before it, and when it starts; and
// the overview has the oldest that waits.
func TestD12APageSaysWhyAndWhen(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.shell("known", "true")
		w.node.runs(0, "", "")
	}
	w.node.claim(0)
	running := []rota.JobID{w.shell("known", "true"), w.shell("known", "true"), w.shell("known", "true"), w.shell("known", "true")}
	w.node.claim(len(running))
	first, second := w.shell("known", "true"), w.shell("known", "true")
	array := w.shell("many", "true", func(s *rota.Spec) { s.Array, s.Hold = &rota.Array{Ranges: []rota.Range{{First: 1, Last: 3}}}, true })
	w.made(array, 3)
	v := w.visit(rota.RoleViewer)
	for path, wants := range map[string][]string{
		"/jobs/" + second.String():        {"all 4 slots of node alpha are taken", "before it in the queue default: 1 task", "Expected to start <b>"},
		"/jobs/" + array.String():         {"Why task", "it is held", "rota release"},
		"/tasks/" + array.String() + ".2": {"Why it waits", "it is held"},
		"/":                               {"Oldest wait", "<small>job " + first.String() + "</small>"},
	} {
		_, body := v.get(path)
		for _, want := range wants {
			for began := time.Now(); !strings.Contains(body, want) && time.Since(began) < patience; _, body = v.get(path) {
				<-time.After(10 * time.Millisecond) // which has waited longest is known a moment later
			}
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q: %.3000s", path, want, body[strings.Index(body, "<main"):])
			}
		}
	}
	if _, body := v.get("/jobs/" + running[0].String()); strings.Contains(body, "Why it waits") {
		t.Error("what runs is said to wait")
	}
}

// TestD14WhatFailedAlikeIsActedOnAsAGroup: by the search that its group has on the page; and who removes a job comes to the list.
func TestD14WhatFailedAlikeIsActedOnAsAGroup(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		w.shell("fails", "false")
		w.node.runs(1, "", "out of luck\n")
	}
	groups, err := w.svc.Failures(w.ctx, rota.FailureQuery{By: rota.ByError})
	w.ok(err)
	if len(groups) != 1 || groups[0].Count != 2 {
		t.Fatalf("groups: %+v", groups)
	}
	v := w.visit(rota.RoleOperator)
	q := `error:"` + groups[0].Key + `" state:failed`
	form := url.Values{"act": {"retry"}, "all": {"1"}, "q": {q}, "upper": {"2"}, "rows": {"tasks"}, "back": {"failed"}}
	if code, body := v.post("/act", form); code != 200 || !strings.Contains(body, "Retry 2 tasks?") {
		t.Errorf("it asks %d %.1500s", code, body)
	}
	if code, body := v.post("/act/do", url.Values{"act": {"remove"}, "id": {"1"}, "rows": {"jobs"}, "back": {"jobs/1"}}); code != 200 || !strings.Contains(body, "1 job removed") {
		t.Errorf("a job that is removed on its page: %d %.1500s", code, body)
	}
}

// TestD10EveryActIsDoneInABrowser: on jobs, on what failed alike, on queues, nodes and schedules, by the buttons that are there,
// through the dialogs that they open.
func TestD10EveryActIsDoneInABrowser(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	b := w.browse(rota.RoleOperator)
	dialog := func(path, button string) {
		t.Helper()
		b.open(path)
		b.do(click(button), seen(`#dialog[open] form`), click(`#dialog .buttons button`))
		b.shows(`.flash`)
	}
	state := func(of, want string) {
		t.Helper()
		b.until(`document.querySelector("` + of + `")?.textContent == "` + want + `"`)
	}
	const own = `h1 ~ .state`
	act := func(name string) string { return `.head button[value=` + name + `]` }

	waits := "/jobs/" + w.shell("waits", "true").String()
	dialog(waits, act("hold"))
	state(own, "held")
	dialog(waits, act("release"))
	state(own, "ready")
	try := w.node.claim(1)[0].Try
	dialog(waits, act("kill"))
	b.until(`document.querySelector(".standing").textContent.includes("was asked to end")`)
	f := end(try, 0, "", "")
	f.Outcome, f.Exit = rota.OutcomeEnded, nil
	w.node.claim(0, f)
	b.open(waits)
	state(own, "cancelled")
	dialog(waits, act("retry"))
	state(own, "ready")
	dialog(waits, act("cancel"))
	state(own, "cancelled")
	dialog(waits, act("remove"))
	b.until(`location.pathname == "/jobs" && !document.querySelector("#j1")`)

	for range 2 {
		w.shell("fails", "false")
		w.node.runs(1, "", "out of luck\n")
	}
	dialog("/failed", `.groups button[value=retry]`)
	b.until(`!document.querySelector(".groups")`)
	w.node.runs(1, "", "out of luck\n")
	w.node.runs(1, "", "out of luck\n")
	dialog("/failed", `.groups button[value=dismiss]`)
	b.until(`!document.querySelector(".groups")`)

	w.shell("fails", "false")
	w.node.runs(1, "", "out of luck\n")
	dialog("/failed", `.groups button[value=remove]`)
	b.until(`!document.querySelector(".groups")`)

	w.ok(w.svc.CloseSession(w.ctx, w.machine("beta", 1).id))
	b.open("/nodes/beta")
	b.do(click(act("remove")))
	b.until(`location.pathname == "/nodes" && !document.querySelector("main").textContent.includes("beta.example.org")`)

	_, err := w.svc.PutSchedule(w.ctx, rota.Schedule{Name: "nightly", Expr: "@daily", Spec: rota.Spec{Shell: "true"}})
	w.ok(err)
	for _, x := range []struct{ path, button, shows string }{
		{"/queues/default", act("pause"), `.s-held`}, {"/queues/default", act("resume"), act("pause")},
		{"/queues/default", act("drain"), act("refill")}, {"/queues/default", act("refill"), act("drain")},
		{"/nodes/alpha", act("pause"), act("resume")}, {"/nodes/alpha", act("resume"), act("pause")}, {"/nodes/alpha", act("drain"), `.flash`},
		{"/cron/nightly", act("pause"), act("resume")}, {"/cron/nightly", act("resume"), act("pause")}, {"/cron/nightly", act("run"), own},
		{"/cron/nightly", act("remove"), `.flash`},
	} {
		b.open(x.path)
		b.do(click(x.button))
		b.shows(x.shows)
	}
	if all, err := w.svc.Schedules(w.ctx); err != nil || len(all) != 0 {
		t.Errorf("schedules that are left: %+v, %v", all, err)
	}
}

// TestD10JobsAndQueuesAreMadeInABrowser: a job by its form, and once more with changes; a queue from its name to its end; and
// what a browser is told of itself.
func TestD10JobsAndQueuesAreMadeInABrowser(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	b := w.browse(rota.RoleOperator)
	b.open("/queues")
	b.do(chromedp.SendKeys(`[aria-label="New queue"] [name=name]`, "fast"), click(`[aria-label="New queue"] button`))
	b.until(`location.pathname == "/queues/fast"`)
	b.do(chromedp.SendKeys(`[aria-label=Settings] [name=description]`, "short ones"), click(`[aria-label=Settings] .go`))
	b.until(`document.querySelector(".standing")?.textContent == "short ones"`)
	b.do(chromedp.SendKeys(`[aria-label=Limits] [name=mem]`, "512M"), click(`[aria-label=Limits] .go`))
	b.until(`document.querySelector("[aria-label=Limits] [name=mem]").value == "512MiB"`)

	b.open("/new?queue=fast")
	b.do(chromedp.SendKeys(`[name=text]`, "echo one"), chromedp.SendKeys(`[name=name]`, "first"), click(`form.card .go`))
	b.until(`location.pathname == "/jobs/1"`)
	b.do(click(`a[href$="new?from=1"]`))
	b.until(`document.querySelector("h1")?.textContent == "Run job 1 again"`)
	b.do(chromedp.SendKeys(`[name=text]`, "echo two; "), click(`[name=hold]`), click(`form.card .go`))
	b.until(`location.pathname == "/jobs/2" && document.querySelector("h1 ~ .state").textContent == "held"`)
	if j := w.job(2); j.Spec.Shell != "echo two; echo one" || j.Spec.Name != "first" || j.Queue != "fast" {
		t.Errorf("the second is %+v", j)
	}

	b.open("/queues/fast")
	b.do(click(`[aria-label="Rename, purge, delete"] button[value=cancel]`), seen(`#dialog[open] form`), click(`#dialog .buttons button`))
	b.shows(`.flash`)
	for _, id := range []rota.JobID{1, 2} {
		if j := w.job(id); j.State() != rota.Cancelled {
			t.Errorf("job %v of the purged queue is %v", id, j.State())
		}
	}
	b.open("/queues/fast")
	b.do(chromedp.SendKeys(`[aria-label="Rename, purge, delete"] [name=name]`, "quick"), click(`button[value=rename]`))
	b.until(`location.pathname == "/queues/quick"`)
	b.do(click(`button[value=delete]`))
	b.until(`location.pathname == "/queues" && !document.querySelector("main").textContent.includes("quick ")`)
	if all, err := w.svc.Queues(w.ctx); err != nil || len(all) != 1 {
		t.Errorf("queues that are left: %+v, %v", all, err)
	}

	b.open("/settings")
	b.do(chromedp.SetValue(`[name=theme]`, "dark"), click(`[aria-label="This browser"] .go`))
	b.until(`document.documentElement.dataset.theme == "dark"`)
	b.do(click(`[aria-label=You] button`))
	b.until(`location.pathname == "/login"`)
}
