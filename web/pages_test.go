package web_test

import (
	"bufio"
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// everyPage are the ways to one page of each kind.
func (s *scene) everyPage() []string {
	return []string{"/", "/jobs", "/jobs?q=state:failed", "/jobs?sort=name", "/jobs?sort=oldest", "/jobs/" + s.live.String(), "/jobs/" + s.failed.String(), "/jobs/" + s.array.String(),
		"/tasks/" + s.array.String() + ".13", "/tasks/" + s.live.String() + "/log", "/workflows", "/failed", "/failed?by=node", "/queues", "/queues/gpu", "/cron", "/cron/report",
		"/nodes", "/nodes/alpha", "/stats", "/settings", "/api"}
}

var (
	inline   = regexp.MustCompile(`(?i)\s(style|on[a-z]+)=|<style|<script(?: [^>]*)?>[^<]|javascript:`)
	outside  = regexp.MustCompile(`(?i)(?:src|href|action)="(?:https?:)?//`)
	absolute = regexp.MustCompile(`(?:src|href|action|hx-post|data-href)="/`)
	acting   = regexp.MustCompile(`<form[^>]*method="post"[^>]*action="([^"]*)"`)
)

// TestD13EveryPageIsWholeWithoutScripts: each says what it has to say, asks nobody else, has nothing that its policy would
// stop, and knows nothing of the path before it. One who may only look is offered nothing else.
func TestD13EveryPageIsWholeWithoutScripts(t *testing.T) {
	w := newWorld(t)
	s := w.scene()
	viewer, admin := w.visit(rota.RoleViewer), w.visit(rota.RoleAdmin)
	for _, path := range s.everyPage() {
		for _, v := range []*visitor{viewer, admin} {
			code, body := v.get(path)
			if code != 200 || !strings.Contains(body, "</html>") || !strings.Contains(body, "All times are") {
				t.Fatalf("%s: %d %.300s", path, code, body)
			}
			for what, re := range map[string]*regexp.Regexp{"something inline": inline, "something of another server": outside, "a way from the root": absolute} {
				if m := re.FindString(body); m != "" {
					t.Errorf("%s has %s: %q", path, what, m)
				}
			}
			if v == viewer {
				for _, m := range acting.FindAllStringSubmatch(body, -1) {
					if !strings.HasSuffix(m[1], "logout") && !strings.HasSuffix(m[1], "settings") {
						t.Errorf("%s offers a viewer %s", path, m[1])
					}
				}
				if strings.Contains(body, `name="id"`) || strings.Contains(body, "New job") {
					t.Errorf("%s offers a viewer to select or submit", path)
				}
			}
		}
	}
	for path, want := range map[string]string{"/": "Needs attention", "/jobs": "train-model", "/jobs/" + s.failed.String(): "KeyError", "/failed": "diverged at step",
		"/jobs/" + s.live.String(): "epoch 060", "/workflows": "runs after job", "/queues/gpu": "Who has its slots, by user", "/cron/report": "Europe/Berlin", "/nodes/alpha": "alpha.example.org", "/api": "Submit a job"} {
		if _, body := viewer.get(path); !strings.Contains(body, want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
	if code, body := viewer.get("/jobs/4711"); code != 404 || !strings.Contains(body, "4711") {
		t.Errorf("a job that is not there: %d", code)
	}
}

// TestC3FilesThatWereLeftAreListedAndSaved: on the pages of the job and of each of its tasks; no browser shows them.
func TestC3FilesThatWereLeftAreListedAndSaved(t *testing.T) {
	w := newWorld(t)
	w.shell("render", "make all", func(s *rota.Spec) {
		s.Array, s.Artifacts = &rota.Array{Ranges: []rota.Range{{First: 1, Last: 2}}}, []string{"**"}
	})
	large, name := strings.Repeat("0123456789", 300_000), `out/<b>&"é".html`
	as := w.node.claim(2)
	w.node.leaves(as[0].Try, name, large)
	w.node.leaves(as[1].Try, "second", "")
	w.node.claim(0, end(as[0].Try, 1, "", ""), end(as[1].Try, 0, "", ""))
	viewer := w.visit(rota.RoleViewer)
	list := regexp.MustCompile(`href="\./\.\.(/tasks/[^"]*/artifact[^"]*)" download>([^<]*)<`)
	for path, want := range map[string]int{"/jobs/" + as[0].Task.Job().String(): 2, "/tasks/" + as[0].Task.String(): 1, "/tasks/" + as[1].Task.String(): 1} {
		_, body := viewer.get(path)
		if got := list.FindAllStringSubmatch(body, -1); len(got) != want {
			t.Errorf("%s lists %q, want %d", path, got, want)
		}
	}
	_, body := viewer.get("/tasks/" + as[0].Task.String())
	link := list.FindStringSubmatch(body)
	if html.UnescapeString(link[2]) != name {
		t.Errorf("it is listed as %q", link[2])
	}
	path := html.UnescapeString(link[1])
	answer, err := viewer.Get(w.url + path)
	w.ok(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || string(text) != large {
		t.Errorf("%s: %d, %d bytes, %v", path, answer.StatusCode, len(text), err)
	}
	if h := answer.Header; h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a browser may show it: %v", h)
	}
	for path, want := range map[string]int{path + "x": 404, strings.Replace(path, "attempt=", "attempt=9", 1): 404, strings.Replace(path, "attempt=", "attempt=x", 1): 404} {
		if code, _ := viewer.get(path); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	if _, body := w.visitAt(w.url, "").get(path); strings.Contains(body, "0123456789") || !strings.Contains(body, "Sign in") {
		t.Error("nobody gets a file")
	}
}

// TestD10ViewersAreRefusedByTheServer: not by what a page leaves out.
func TestD10ViewersAreRefusedByTheServer(t *testing.T) {
	w := newWorld(t)
	job := w.shell("mine", "true")
	viewer := w.visit(rota.RoleViewer)
	for path, form := range map[string]url.Values{
		"/act":         {"act": {"cancel"}, "id": {job.String()}},
		"/act/do":      {"act": {"cancel"}, "id": {job.String()}},
		"/new":         {"kind": {"shell"}, "text": {"true"}},
		"/queues/new":  {"act": {"new"}, "name": {"x"}},
		"/cron":        {"name": {"x"}, "expr": {"@daily"}, "command": {"true"}},
		"/nodes/alpha": {"act": {"pause"}},
		"/nodes/beta":  {"act": {"detach"}, "queue": {"default"}},
		"/tokens":      {"name": {"x"}, "role": {"admin"}},
		"/users":       {"name": {"x"}, "role": {"admin"}},
		"/users/ann":   {"act": {"remove"}},
		"/secrets":     {"name": {"x"}, "value": {"y"}},
	} {
		if code, body := viewer.post(path, form); code != 403 || !strings.Contains(body, "role") {
			t.Errorf("POST %s as a viewer: %d", path, code)
		}
	}
	// One who may submit reaches own jobs only, whatever the form says.
	if _, body := w.visit(rota.RoleSubmitter).post("/act/do", url.Values{"act": {"cancel"}, "id": {job.String()}}); strings.Contains(body, "1 task cancelled") {
		t.Error("a submitter cancelled another's job")
	}
	if j, err := w.svc.Job(w.ctx, job); err != nil || j.Ready != 1 {
		t.Errorf("the job: %+v, %v", j.Progress, err)
	}
	nobody := w.visitAt(w.url, "")
	if code, body := nobody.get("/jobs"); code != 200 || !strings.Contains(body, "Sign in") || strings.Contains(body, "mine") {
		t.Errorf("nobody asks for jobs: %d", code)
	}
	if code, _ := nobody.post("/login", url.Values{"token": {"rt_wrong"}}); code != 401 {
		t.Errorf("a wrong token: %d", code)
	}
}

// TestD11AllThatMatchIsWhatWasThere: an act on all that match reaches what the page's search found, and nothing that came
// after the page (sidekiq#3243, #5997).
func TestD11AllThatMatchIsWhatWasThere(t *testing.T) {
	w := newWorld(t)
	for i := range 130 {
		w.shell(fmt.Sprintf("old-%d", i), "true")
	}
	other := w.shell("other", "true")
	v := w.visit(rota.RoleOperator)
	_, body := v.get("/jobs?q=old-")
	upper := regexp.MustCompile(`name="upper" value="(\d+)"`).FindStringSubmatch(body)
	if upper == nil {
		t.Fatalf("the page names no upper end: %.500s", body)
	}
	late := w.shell("old-but-late", "true")
	form := url.Values{"act": {"cancel"}, "all": {"1"}, "q": {"old-"}, "upper": {upper[1]}, "rows": {"jobs"}, "back": {"jobs?q=old-"}}
	_, body = v.post("/act", form)
	if !strings.Contains(body, "Cancel 130 tasks?") || !strings.Contains(body, `name="type" value="130"`) {
		t.Fatalf("the question: %.1500s", body)
	}
	form.Set("type", "130")
	form.Set("typed", "13")
	if code, _ := v.post("/act/do", form); code != 400 {
		t.Errorf("a wrong number: %d", code)
	}
	form.Set("typed", "130")
	code, body := v.post("/act/do", form)
	if code != 200 || !strings.Contains(body, "130 tasks cancelled") || !strings.Contains(body, `value="old-"`) {
		t.Errorf("after it: %d %.1200s", code, body)
	}
	for _, id := range []rota.JobID{other, late} {
		if j, err := w.svc.Job(w.ctx, id); err != nil || j.Ready != 1 {
			t.Errorf("job %v: %+v, %v", id, j.Progress, err)
		}
	}
}

var rowID = regexp.MustCompile(`<tr id="j(\d+)"`)

func (v *visitor) rows(path string) (ids []string, body string) {
	v.w.Helper()
	_, body = v.get(path)
	for _, m := range rowID.FindAllStringSubmatch(body, -1) {
		ids = append(ids, m[1])
	}
	return ids, body
}

func follow(body, rel string) string {
	m := regexp.MustCompile(`<a href="([^"]*)" rel="` + rel + `"`).FindStringSubmatch(body)
	if m == nil {
		return ""
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

// TestD11SearchOrderAndPagesGoTogether: all stand in the address, and pages meet without a gap.
func TestD11SearchOrderAndPagesGoTogether(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		w.shell(fmt.Sprintf("even-%d", i), "true")
		w.shell(fmt.Sprintf("odd-%d", i), "true", func(s *rota.Spec) { s.Queue = "q2"; s.Priority = i })
	}
	v := w.visit(rota.RoleViewer)
	first, body := v.rows("/jobs?q=even")
	next := follow(body, "next")
	if len(first) != 50 || first[0] != "119" || !strings.Contains(next, "q=even") {
		t.Fatalf("%d rows, the first %v, then %q", len(first), first[:1], next)
	}
	second, body := v.rows("/jobs" + next)
	if len(second) != 10 || second[0] != "19" || second[9] != "1" {
		t.Errorf("the second page: %v", second)
	}
	if back, _ := v.rows("/jobs" + follow(body, "prev")); strings.Join(back, ",") != strings.Join(first, ",") {
		t.Errorf("back: %v", back)
	}
	for q, want := range map[string]string{"?q=queue:q2+odd-5&sort=oldest": "12", "?q=queue:q2&sort=priority": "120", "?q=job:7-9": "9", "?q=42": "42",
		"?q=by:ann+name:odd-1?&sort=oldest": "22", "?q=state:held": "", "?q=even&upto=60": "59"} {
		ids, _ := v.rows("/jobs" + q)
		if got := strings.Join(ids[:min(1, len(ids))], ""); got != want {
			t.Errorf("%s: the first row is %q, want %q", q, got, want)
		}
	}
	if _, body := v.get("/jobs?q=even&upto=60"); !strings.Contains(body, "30 new") {
		t.Error("it does not say how many are new")
	}
	if _, body := v.get("/jobs?q=state:nonsense"); !strings.Contains(body, "not a state") {
		t.Error("a wrong search is not explained")
	}
}

// TestD13ChangesAreToldOnceToEachBrowser: what a stream tells are kinds of things, and one that was broken goes on where it
// was.
func TestD13ChangesAreToldOnceToEachBrowser(t *testing.T) {
	w := newWorld(t)
	v := w.visit(rota.RoleViewer)
	s := v.stream("")
	hello := s.next()
	if hello.kind != "hello" || hello.id == "" {
		t.Fatalf("it begins with %+v", hello)
	}
	told := make(chan struct{})
	go func() { // until the server has looked once, it knows no change
		for i := 0; ; i++ {
			select {
			case <-told:
				return
			case <-time.After(200 * time.Millisecond):
				_, _ = w.svc.Submit(w.ctx, rota.Submission{Spec: rota.Spec{Shell: "true"}})
			}
		}
	}()
	if e := s.next(); e.kind != "changed" || !strings.Contains(e.data, "tasks") {
		t.Errorf("a change is told as %+v", e)
	}
	close(told)
	s.close()
	again := v.stream(hello.id)
	again.next()
	if e := again.next(); e.kind != "changed" || !strings.Contains(e.data, "tasks") {
		t.Errorf("what was missed is told as %+v", e)
	}
	again.close()
	strange := v.stream("another-7")
	strange.next()
	if e := strange.next(); e.data != "tasks queues nodes schedules" {
		t.Errorf("an id of another process is answered with %+v", e)
	}
	strange.close()
}

type stream struct {
	w     *world
	lines *bufio.Scanner
	close func()
}

type streamEvent struct{ kind, id, data string }

func (v *visitor) stream(last string) *stream {
	v.w.Helper()
	ctx, cancel := context.WithTimeout(v.w.Context(), patience)
	r, err := http.NewRequestWithContext(ctx, "GET", v.base+"/live", nil)
	v.w.ok(err)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := (&http.Client{Jar: v.Jar}).Do(r)
	v.w.ok(err)
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" || answer.Header.Get("X-Accel-Buffering") != "no" {
		v.w.Fatalf("the stream is answered %s, %v", answer.Status, answer.Header)
	}
	return &stream{v.w, bufio.NewScanner(answer.Body), func() { cancel(); answer.Body.Close() }}
}

func (s *stream) next() (e streamEvent) {
	s.w.Helper()
	for s.lines.Scan() {
		key, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch {
		case key == "event":
			e.kind = value
		case key == "id":
			e.id = value
		case key == "data":
			e.data = value
		case s.lines.Text() == "" && e.kind != "":
			return e
		}
	}
	s.w.Fatalf("the stream ended: %v", s.lines.Err())
	return e
}

// TestD10AQueueIsManagedFromItsPage creates, edits, pauses, drains, renames and deletes one.
func TestD10AQueueIsManagedFromItsPage(t *testing.T) {
	w := newWorld(t)
	v := w.visit(rota.RoleOperator)
	queue := func(name string) *rota.Queue {
		all, err := w.svc.Queues(w.ctx)
		w.ok(err)
		for i := range all {
			if all[i].Name == name {
				return &all[i]
			}
		}
		return nil
	}
	act := func(path string, form url.Values) {
		t.Helper()
		if code, body := v.post(path, form); code != 200 {
			t.Fatalf("%s %v: %d %.1500s", path, form, code, body)
		}
	}
	act("/queues/new", url.Values{"act": {"new"}, "name": {"fast"}})
	act("/queues/fast", url.Values{"act": {"settings"}, "description": {"short ones"}, "running": {"7"}, "slots": {""}, "starts": {"2.5"}, "keep": {"2d"}, "pin": {"alpha, beta"}})
	act("/queues/fast", url.Values{"act": {"limits"}, "mem": {"512M"}, "max-cpus": {"2"}})
	q := queue("fast")
	if q == nil || q.Description != "short ones" || q.Running != 7 || q.Starts != 2.5 || len(q.Pin) != 2 || q.Limits.Default.Memory != 512<<20 || q.Limits.Max.CPUs != 2 {
		t.Errorf("saved as %+v", q)
	}
	act("/queues/fast", url.Values{"act": {"settings"}})
	act("/queues/fast", url.Values{"act": {"pause"}})
	act("/queues/fast", url.Values{"act": {"drain"}})
	if q = queue("fast"); !q.Paused || !q.Draining || q.Running != 0 || len(q.Pin) != 0 {
		t.Errorf("then %+v", q)
	}
	act("/queues/fast", url.Values{"act": {"resume"}})
	act("/queues/fast", url.Values{"act": {"rename"}, "name": {"quick"}})
	if q = queue("quick"); q == nil || q.Paused || queue("fast") != nil {
		t.Errorf("renamed: %+v", q)
	}
	act("/queues/quick", url.Values{"act": {"delete"}})
	if queue("quick") != nil {
		t.Error("it is still there")
	}
}

// TestAJobIsSubmittedOnceHoweverOftenTheFormIsSent, and again with changes (resque#548).
func TestAJobIsSubmittedOnceHoweverOftenTheFormIsSent(t *testing.T) {
	w := newWorld(t)
	v := w.visit(rota.RoleOperator)
	form := url.Values{"kind": {"shell"}, "text": {"echo one\r\necho two"}, "name": {"n"}, "labels": {"a=b"}, "timeout": {"5m"}, "memory": {"1G"}, "retries": {"1"}, "key": {"k1"}, "priority": {"3"}}
	for range 2 {
		if code, body := v.post("/new", form); code != 200 || !strings.Contains(body, "<h1>Job 1") {
			t.Fatalf("%d %.800s", code, body)
		}
	}
	j, err := w.svc.Job(w.ctx, 1)
	if err != nil || j.Spec.Shell != "echo one\necho two" || j.Spec.Labels["a"] != "b" || j.Spec.Memory != 1<<30 || *j.Spec.Retry.Count != 1 || j.Spec.Priority != 3 {
		t.Errorf("%+v, %v", j.Spec, err)
	}
	_, body := v.get("/new?from=1")
	if !strings.Contains(body, "echo one\necho two</textarea>") || !strings.Contains(body, `name="memory" value="1GiB"`) {
		t.Errorf("the form for it again: %.3000s", body)
	}
	if code, body := v.post("/new", url.Values{"kind": {"exec"}, "text": {"true"}, "array": {"9-1"}, "name": {"kept"}}); code != 400 || !strings.Contains(body, "kept") {
		t.Errorf("a wrong array: %d", code)
	}
	if jobs, err := w.svc.Jobs(w.ctx, rota.JobQuery{}); err != nil || len(jobs) != 1 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}

// TestALinkLetsInOnce, in the name of who made it, and so does a user's password as often as one likes.
func TestALinkLetsInOnce(t *testing.T) {
	w := newWorld(t)
	link, err := w.svc.CreateLink(w.ctx)
	w.ok(err)
	v := w.visitAt(w.url, "")
	if _, body := v.get("/login?link=" + link.Secret); !strings.Contains(body, "Go on by the link") {
		t.Errorf("the link shows %.300s", body)
	}
	if code, body := v.post("/login", url.Values{"link": {link.Secret}}); code != 200 || !strings.Contains(body, "Nodes up") || !strings.Contains(body, "<small>admin</small>") {
		t.Errorf("by the link: %d", code)
	}
	if code, _ := w.visitAt(w.url, "").post("/login", url.Values{"link": {link.Secret}}); code != 401 {
		t.Errorf("by the link again: %d", code)
	}
	role, password := rota.RoleOperator, "correct horse"
	_, err = w.svc.PutUser(w.ctx, "kim", rota.UserChange{Role: &role, Password: &password})
	w.ok(err)
	if code, _ := w.visitAt(w.url, "").post("/login", url.Values{"user": {"kim"}, "token": {"wrong horse"}}); code != 401 {
		t.Errorf("a wrong password: %d", code)
	}
	if code, body := v.post("/login", url.Values{"user": {"kim"}, "token": {password}}); code != 200 || !strings.Contains(body, "<small>operator</small>") {
		t.Errorf("by a password: %d", code)
	}
	if code, body := w.visit(rota.RoleAdmin).get("/audit"); code != 200 || !strings.Contains(body, "create link") {
		t.Errorf("the audit: %d", code)
	}
}

// TestD16AScheduleIsShownWithWhatIsWrong: with its alarms, its times as they are (by its name, and without days off), and
// whatever it does with overlaps, which saving its times keeps.
func TestD16AScheduleIsShownWithWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	m := w.machine("alpha", 1)
	_, err := w.svc.PutSchedule(w.ctx, rota.Schedule{Name: "nightly", Expr: "H 3 * * *", Zone: "UTC", Overlap: rota.OverlapQueue, Spec: rota.Spec{Shell: "false"},
		Alarm: rota.Alarm{Fails: 1}})
	w.ok(err)
	_, err = w.svc.FireSchedule(w.ctx, "nightly")
	w.ok(err)
	m.runs(1, "", "no space\n")
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for over := time.Now().Add(patience); ; <-tick.C {
		r, err := w.svc.Schedule(w.ctx, "nightly")
		w.ok(err)
		if len(r.Alarms) > 0 {
			break
		}
		if time.Now().After(over) {
			t.Fatal("no alarm went off")
		}
	}
	v := w.visit(rota.RoleAdmin)
	if _, body := v.get("/cron"); !strings.Contains(body, `title="it has failed 1 times in a row, the last time as job 1">alarm</span>`) {
		t.Errorf("the list does not tell of the alarm: %s", body)
	}
	_, body := v.get("/cron/nightly")
	for _, want := range []string{"it has failed 1 times in a row, the last time as job 1", `<option value="queue" selected>`, " 03:"} {
		if !strings.Contains(body, want) {
			t.Errorf("its page does not have %q: %s", want, body)
		}
	}
	if code, body := v.post("/cron/nightly", url.Values{"act": {"when"}, "expr": {"H 4 * * *"}, "zone": {"UTC"}, "overlap": {"queue"}}); code != 200 {
		t.Fatalf("saved: %d %.300s", code, body)
	}
	s, err := w.svc.Schedule(w.ctx, "nightly")
	if w.ok(err); s.Expr != "H 4 * * *" || s.Overlap != rota.OverlapQueue || s.Alarm.Fails != 1 {
		t.Errorf("saved: %+v", s.Schedule)
	}
}
