package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/rotaqueue/rota"
)

// TestD16ASchedulesTimingIsOnItsPage, all of it: overlap, missed times, jitter, spread, days off and alarms; what cannot be is refused, and fired by
// hand it has its place in the history.
func TestD16ASchedulesTimingIsOnItsPage(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	b := w.browse(rota.RoleOperator)
	b.open("/cron")
	fill := func(form string, fields map[string]string) {
		t.Helper()
		for name, value := range fields {
			b.do(chromedp.SetValue(form+` [name=`+name+`]`, value))
		}
	}
	const fresh, when = `form[action$=cron]`, `[aria-label=When] form`
	fill(fresh, map[string]string{"name": "nightly", "command": "true", "expr": "0 3 24-31 12 *", "zone": "UTC", "overlap": "queue", "missed": "all", "deadline": "3h", "jitter": "90s"})
	b.do(click(fresh + ` .go`))
	b.until(`location.pathname == "/cron/nightly"`)
	b.do(b.ready())
	fill(when, map[string]string{"spread": "10m", "calendar": "12-25\n2026-12-26..2026-12-30", "late": "5m", "long": "2h", "fails": "3", "on": "alpha", "overlap": "replace"})
	b.do(click(when + ` .go`))
	b.until(`document.querySelector(".flash")?.innerText == "schedule nightly: saved"`)
	s, err := w.svc.Schedule(w.ctx, "nightly")
	w.ok(err)
	if s.Overlap != rota.OverlapReplace || s.Missed != rota.MissedAll || s.Deadline.String() != "3h" || s.Jitter.String() != "1m30s" || s.Spread.String() != "10m" ||
		s.Calendar != "12-25\n2026-12-26..2026-12-30" || s.Alarm.Late.String() != "5m" || s.Alarm.Long.String() != "2h" || s.Alarm.Fails != 3 || s.On != "alpha" {
		t.Errorf("it is %+v", s.Schedule)
	}
	if text := eval[string](b, `document.querySelector("[aria-label='Next times']").innerText`); strings.Contains(text, "25 Dec") {
		t.Errorf("it would fire on a day off: %s", text)
	}
	b.do(click(`button[value=run]`))
	b.until(`location.pathname.startsWith("/jobs/")`)
	b.open("/cron/nightly")
	if n := eval[int](b, `document.querySelectorAll(".strip a").length`); n != 1 {
		t.Errorf("%d fires are in the history", n)
	}
	v := w.visit(rota.RoleOperator)
	if code, body := v.post("/cron/nightly", url.Values{"act": {"when"}, "expr": {"@daily"}, "zone": {"UTC"}, "jitter": {"soon"}}); code != 400 || !strings.Contains(body, "jitter") {
		t.Errorf("a jitter that is none: %d", code)
	}
}
