package web_test

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/rotaqueue/rota"
)

// TestD13APageKeepsItsPlaceWhileItIsLive: ticked boxes, typed text, focus, scroll and open parts survive; what is new
// waits while something is ticked.
func TestD13APageKeepsItsPlaceWhileItIsLive(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	for i := range 40 {
		w.shell(fmt.Sprintf("job-%d", i), "true")
	}
	b := w.browse(rota.RoleAdmin)
	b.open("/jobs")
	b.until(`document.querySelector("#live").classList.contains("live")`)
	b.do(click(`#j38 input`), chromedp.SendKeys(`#q`, "typed"))
	eval[bool](b, `document.querySelector("#who").open = true, window.scrollTo(0, 300), true`)
	w.shell("late", "true")
	b.until(`document.querySelector("#fresh")?.textContent.includes("1 new")`)
	w.node.runs(0, "", "") // the oldest, which is shown, succeeds
	b.until(`document.querySelector("#j1 .state")?.textContent == "succeeded"`)
	if got := eval[string](b, `[document.querySelector("#j38 input").checked, document.querySelector("#j41") == null, document.querySelector("#q").value,
		document.activeElement.id, scrollY, document.querySelector("#who").open].join()`); got != "true,true,typed,q,300,true" {
		t.Errorf("it kept %s", got)
	}
	eval[bool](b, `window.scrollTo(0, 0), true`) // the header covers it
	b.do(click(`#j38 input`))
	w.node.runs(0, "", "")
	b.until(`document.querySelector("#j41") != null`)

	b.do(click(`#live`)) // paused: nothing moves
	before := eval[int](b, `document.querySelectorAll("[data-row]").length`)
	w.shell("later", "true")
	other := b.beside("/jobs/40")
	other.do(click(`#live`)) // paused in all tabs that open later, until somebody resumes
	w.node.runs(0, "", "")
	other.until(`document.querySelector("#live").classList.contains("live")`)
	if now := eval[int](b, `document.querySelectorAll("[data-row]").length`); now != before {
		t.Errorf("%d rows, then %d while it was paused", before, now)
	}
	b.do(click(`#live`))
	b.until(`document.querySelector("#j42") != null`)
}

// TestD13NineTabsShareOneStream: browsers open six connections to a server.
func TestD13NineTabsShareOneStream(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	w.shell("first", "true")
	b := w.browse(rota.RoleViewer)
	tabs := []*tab{b}
	b.open("/jobs")
	for range 8 {
		tabs = append(tabs, b.beside("/jobs"))
	}
	b.until(`document.querySelector("#live").classList.contains("live")`)
	w.shell("second", "true")
	for _, other := range tabs {
		other.until(`document.querySelector("#j2") != null`)
	}
}

// TestD11ActsThroughTheDialogAndByKeys: what it asks, and what comes of it.
func TestD11ActsThroughTheDialogAndByKeys(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	for i := range 120 {
		w.shell(fmt.Sprintf("job-%d", i), "true")
	}
	b := w.browse(rota.RoleOperator)
	b.open("/jobs?q=job-")
	b.press("j", "j", "x", "c")
	b.shows(`#dialog[open] form`)
	if text := eval[string](b, `document.querySelector("#dialog").innerText`); !strings.Contains(text, "Cancel 1 task?") || !strings.Contains(text, "job-118") {
		t.Errorf("it asks %q", text)
	}
	b.do(click(`#dialog .buttons button`))
	b.shows(`.flash`)
	b.until(`document.querySelector("#j119 .state")?.textContent == "cancelled" && location.search.startsWith("?q=job-")`)
	b.do(b.ready(), click(`input[name=all]`), click(`#actbar button[value=hold]`))
	b.shows(`#dialog[open] input[name=typed]`)
	b.do(chromedp.SendKeys(`#dialog input[name=typed]`, "119"), click(`#dialog .buttons button`))
	b.shows(`.flash`)
	b.until(`document.querySelector("#j120 .state")?.textContent == "held"`)
	b.do(b.ready())
	b.press("g", "f")
	b.until(`location.pathname == "/failed"`)
	b.do(b.ready())
	b.press("?")
	b.shows(`#help[open]`)
	b.open("/jobs")
	b.press("/")
	b.until(`document.activeElement.id == "q"`)
	b.do(chromedp.SendKeys(`#q`, "state:hel"), seen(`#completions li`))
	b.press("Tab", "Enter", "Enter")
	b.until(`location.search.includes("held") && document.querySelectorAll("[data-row]").length == 50`)

	// What is offered for a word is not taken for the longer one that was typed meanwhile.
	eval[bool](b, `document.querySelector("#q").value = "", true`)
	b.do(chromedp.SendKeys(`#q`, "stat"), seen(`#completions li`))
	eval[bool](b, `window.ask = fetch, window.fetch = (...a) => new Promise(r => { window.answer = r; }).then(() => ask(...a)), true`)
	b.do(chromedp.SendKeys(`#q`, "e:succ"))
	b.press("Tab", "Enter", "Enter")
	b.do(soon(`!!window.answer && (answer(), true)`))
	b.until(`new URLSearchParams(location.search).get("q").trim() == "state:succeeded"`)
}

// TestAJobsOutputIsFollowedLive: new lines, bars, and the end.
func TestAJobsOutputIsFollowedLive(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	job := w.shell("talks", "true")
	try := w.node.claim(1)[0].Try
	b := w.browse(rota.RoleViewer)
	b.open("/jobs/" + job.String())
	say := func(at int, text string) int {
		w.node.writes(try, rota.Stdout, at, text)
		return at + len(text)
	}
	at := say(0, "one\n")
	b.until(`document.querySelector(".lines").textContent.includes("one")`)
	at = say(at, "10%\r")
	at = say(at, "100%\n\x1b[31mred\x1b[0m\n")
	b.until(`document.querySelector(".term-fg31")?.textContent == "red"`)
	if got := eval[string](b, `[...document.querySelectorAll(".ln")].map(l => l.innerText.replace(/\s+/g, " ").trim()).join("|")`); got != "1 one|2 100%|3 red" {
		t.Errorf("the lines are %q", got)
	}
	long := strings.Repeat("0123456789\n", 5000)
	for at < len(long) { // pieces as a job writes them
		at = say(at, long[at:min(at+8000, len(long))])
	}
	b.until(`document.querySelector(".ln:last-child .tx").textContent == "0123456789"`)
	f := end(try, 0, "", "")
	w.node.claim(0, f)
	b.until(`document.querySelector("h1 ~ .state").textContent == "succeeded" && document.querySelector("[data-log]").dataset.ended == "true"`)
	if n := eval[int](b, `document.querySelectorAll(".ln").length`); n > 2100 {
		t.Errorf("%d lines are kept", n)
	}
	b.do(click(`[data-earlier]`))
	b.until(`document.querySelectorAll(".ln").length > 2100`)
	b.do(chromedp.SendKeys(`[data-find]`, "789"))
	b.until(`document.querySelector("[data-found]").textContent.includes(" of ")`)
}

//go:embed testdata/axe.min.js
var axe string

// TestPagesAreForEverybody: axe finds nothing serious, light, dark and narrow; and nothing runs that somebody wrote into a
// name, a label, a line or an output.
func TestPagesAreForEverybody(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	s := w.scene()
	s.hostile(w)
	role := rota.RoleOperator
	_, err := w.svc.PutUser(w.ctx, "kim", rota.UserChange{Role: &role})
	w.ok(err)
	w.ok(w.svc.PutSecret(w.ctx, "key", "value"))
	b := w.browse(rota.RoleAdmin)
	eachLook := []struct {
		dark  bool
		width int64
	}{{false, 1360}, {true, 1360}, {false, 400}}
	for i, path := range slices.Concat(s.everyPage(), adminPages, s.bad) {
		look := eachLook[i%len(eachLook)]
		b.size(look.width, 900)
		b.dark(look.dark)
		b.open(path)
		if ran := eval[int](b, `window.ran || 0`); ran != 0 {
			t.Errorf("%s: %d scripts of somebody's ran", path, ran)
		}
		if wide := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
			t.Errorf("%s is %d pixels wider than %d", path, wide, look.width)
		}
		found := eval[[]string](b, axe+`; axe.run(document, {runOnly: ["wcag2a", "wcag2aa"]}).then(r => r.violations.filter(v => v.impact == "serious" || v.impact == "critical")
			.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + n.failureSummary.slice(0, 200)).join(" | ")))`)
		for _, f := range found {
			t.Errorf("%s (%+v): %s", path, look, f)
		}
	}
}

// corpus are texts that would run something if they were markup anywhere.
var corpus = []string{`<script>window.ran=1</script>`, `<img src=x onerror="window.ran=1">`, `"><svg onload=window.ran=1>`, `' onmouseover='window.ran=1`,
	`</textarea><script>window.ran=1</script>`, `{{constructor.constructor('window.ran=1')()}}`, `javascript:window.ran=1`, `</title><script>window.ran=1</script>`,
	"\x1b]8;;javascript:window.ran=1\x07<b onclick=window.ran=1>x\x1b]8;;\x07", `<a hx-get="/x" hx-trigger="load" hx-on:load="window.ran=1">`, `<iframe srcdoc="<script>parent.ran=1</script>">`}

// hostile adds jobs of the corpus.
func (s *scene) hostile(w *world) {
	w.Helper()
	two := w.machine("beta", 50) // with free slots
	for i, text := range corpus {
		name := strings.Map(func(r rune) rune {
			if r < ' ' {
				return -1
			}
			return r
		}, text)
		id := w.shell(name[:min(len(name), rota.MaxName)], text, func(sp *rota.Spec) {
			sp.Queue, sp.Priority, sp.Labels, sp.Dir = "hostile", 100, map[string]string{"k": name}, "/"+name
			if i == 0 {
				sp.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: 2}}}
			}
		})
		if i < 3 {
			s.bad = append(s.bad, "/jobs/"+id.String(), "/new?from="+id.String())
		}
	}
	as := two.claim(len(corpus) + 1)
	var ends []rota.Finish
	for i, a := range as {
		if a.Queue != "hostile" {
			continue
		}
		text := corpus[i%len(corpus)]
		ends = append(ends, end(a.Try, 3, text+"\n", text+"\n"))
	}
	two.claim(0, ends...)
	s.bad = append(s.bad, "/jobs?q="+url.QueryEscape(corpus[2]), "/failed?by=name", "/failed?q="+url.QueryEscape(corpus[1]), "/jobs?q=queue:hostile")
}

// TestPagesWorkBelowAPath in a browser, behind a proxy that takes the path away; examples has that with nginx.
func TestPagesWorkBelowAPath(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	target, err := url.Parse(w.url)
	w.ok(err)
	proxy := httptest.NewServer(http.StripPrefix("/some/path", &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}))
	t.Cleanup(proxy.Close)
	job := w.shell("below", "true")
	b := w.browseAt(proxy.URL+"/some/path", rota.RoleOperator)
	for _, path := range []string{"/jobs/" + job.String(), "/jobs"} {
		b.open(path)
		b.until(`document.querySelector("#live").classList.contains("live")`)
	}
	w.shell("second", "true")
	b.until(`document.querySelector("#j2") != null`)
	b.do(click(`#j2 input`), click(`#actbar button[value=cancel]`), seen(`#dialog[open] form`), click(`#dialog .buttons button`))
	b.shows(`.flash`)
	b.until(`location.pathname == "/some/path/jobs" && document.querySelector("#j2 .state")?.textContent == "cancelled"`)
	b.open("/jobs/2")
	b.do(click(`form.acts button[value=retry]`), seen(`#dialog[open] form`), click(`#dialog .buttons button`))
	b.shows(`.flash`)
	b.until(`location.pathname == "/some/path/jobs/2"`)
	if beside := eval[string](b, `performance.getEntriesByType("resource").map(e => new URL(e.name).pathname).filter(p => !p.startsWith("/some/path/")).join()`); beside != "" {
		t.Errorf("it asked beside its path: %s", beside)
	}
}
