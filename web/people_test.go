package web_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/rotaqueue/rota"
)

// adminPages are for admins alone.
var adminPages = []string{"/users", "/tokens", "/secrets", "/audit"}

// TestC2UsersTokensAndSecretsHavePages: an admin adds, changes and takes away; what a secret holds, and a token but once, is on no page; and
// others are refused.
func TestC2UsersTokensAndSecretsHavePages(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	b := w.browse(rota.RoleAdmin)
	done := func(text string) {
		t.Helper()
		b.until(`document.querySelector(".flash")?.innerText == "` + text + `"`)
	}
	b.open("/users")
	b.do(chromedp.SendKeys(`form[action$=users] input[name=name]`, "kim"), chromedp.SendKeys(`form[action$=users] input[name=password]`, "correct horse"),
		chromedp.SetValue(`form[action$=users] select`, "operator"), click(`form[action$=users] .go`))
	done("user kim: made")
	b.do(click(`#edit-kim summary`), chromedp.SetValue(`#edit-kim select`, "submitter"), chromedp.SendKeys(`#edit-kim input[name=queues]`, "gpu, fast-*"), click(`#edit-kim .go`))
	done("user kim: saved")
	users, err := w.svc.Users(w.ctx)
	w.ok(err)
	if len(users) != 1 || users[0].Role != rota.RoleSubmitter || users[0].Queues != "gpu,fast-*" || !users[0].Password {
		t.Errorf("the users are %+v", users)
	}
	b.open("/tokens")
	b.do(chromedp.SendKeys(`form[action$=tokens] input[name=name]`, "ci"), chromedp.SetValue(`form[action$=tokens] select[name=user]`, "kim"), click(`form[action$=tokens] .go`))
	b.shows(`#secret`)
	secret := eval[string](b, `document.querySelector("#secret").innerText`)
	if who, err := w.svc.Authenticate(w.ctx, secret); err != nil || who.Queues != "gpu,fast-*" {
		t.Errorf("the token lets in %+v, %v", who, err)
	}
	b.open("/tokens")
	if strings.Contains(eval[string](b, `document.documentElement.outerHTML`), secret) {
		t.Error("the token is shown again")
	}
	row := eval[string](b, `[...document.querySelectorAll("tr[id^=tok]")].find(r => r.innerText.includes("of kim")).id`)
	b.do(click(`#` + row + ` button`))
	done("token withdrawn")
	if _, err := w.svc.Authenticate(w.ctx, secret); err == nil {
		t.Error("a token that was withdrawn lets in")
	}
	b.open("/secrets")
	b.do(chromedp.SendKeys(`form[action$=secrets] input`, "db.password"), chromedp.SendKeys(`form[action$=secrets] textarea`, "hunter-2"), click(`form[action$=secrets] .go`))
	done("secret db.password: kept")
	b.do(seen(`#secret-db\.password`))
	for _, path := range append([]string{"/settings", "/"}, adminPages...) {
		b.open(path)
		if strings.Contains(eval[string](b, `document.documentElement.outerHTML`), "hunter-2") {
			t.Errorf("%s shows what the secret holds", path)
		}
	}
	b.open("/secrets")
	b.do(click(`#secret-db\.password button`))
	done("secret db.password: removed")
	b.open("/users")
	b.do(click(`#edit-kim summary`), click(`#edit-kim .hard`))
	done("user kim: removed")
	v := w.visit(rota.RoleOperator)
	for _, path := range adminPages {
		if code, _ := v.get(path); code != 403 {
			t.Errorf("%s for an operator: %d", path, code)
		}
	}
	if _, body := v.get("/settings"); strings.Contains(body, `href="./users"`) {
		t.Error("an operator is led to the users")
	}
}

// TestC2AUserSettlesTheOwnThingsInABrowser: signed in by name and password, who is told, and another password.
func TestC2AUserSettlesTheOwnThingsInABrowser(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	role, password := rota.RoleSubmitter, "correct horse"
	_, err := w.svc.PutUser(w.ctx, "kim", rota.UserChange{Role: &role, Password: &password})
	w.ok(err)
	b := w.browse(rota.RoleViewer)
	enter := func(password string) {
		t.Helper()
		b.until(`location.pathname == "/login"`)
		b.do(chromedp.SetValue(`[name=user]`, "kim"), chromedp.SetValue(`.login [name=token]`, password), click(`.login form:has([name=user]) .go`))
		b.until(`location.pathname != "/login" && document.querySelector("nav")`)
	}
	b.open("/settings")
	b.do(click(`[aria-label=You] button`))
	enter(password)
	b.open("/settings")
	b.do(chromedp.SetValue(`[name=mail-to]`, "kim@example.org"), click(`[aria-label="Told of your jobs"] .go`))
	b.shows(`.flash`)
	b.do(chromedp.SetValue(`[name=now]`, password), chromedp.SetValue(`[name=new]`, "battery staple"), chromedp.SetValue(`[name=again]`, "battery staple"),
		click(`[aria-label=Password] .go`))
	enter("battery staple")
	all, err := w.svc.Users(w.ctx)
	w.ok(err)
	if i := slices.IndexFunc(all, func(u rota.User) bool { return u.Name == "kim" }); i < 0 || !slices.Equal(all[i].Tell.MailTo, []string{"kim@example.org"}) {
		t.Errorf("users: %+v", all)
	}
}

// TestC2UsersChangeTheOwnPasswordAndWhoIsTold on the settings' page, and nobody else's; admins and operators do it for users
// and queues.
func TestC2UsersChangeTheOwnPasswordAndWhoIsTold(t *testing.T) {
	w := newWorld(t)
	role, password := rota.RoleSubmitter, "correct horse"
	_, err := w.svc.PutUser(w.ctx, "kim", rota.UserChange{Role: &role, Password: &password})
	w.ok(err)
	in := func(password string) *visitor {
		v := w.visitAt(w.url, "")
		v.post("/login", url.Values{"user": {"kim"}, "token": {password}})
		return v
	}
	kim := func() rota.User {
		all, err := w.svc.Users(w.ctx)
		w.ok(err)
		return all[slices.IndexFunc(all, func(u rota.User) bool { return u.Name == "kim" })]
	}
	v := in(password)
	if _, body := v.get("/settings"); !strings.Contains(body, "Told of your jobs") || !strings.Contains(body, "Change it") {
		t.Error("a user is offered nothing")
	}
	if _, body := w.visit(rota.RoleAdmin).get("/settings"); strings.Contains(body, "Told of your jobs") || strings.Contains(body, "Change it") {
		t.Error("a token is offered what users have")
	}
	if code, body := v.post("/settings", url.Values{"act": {"told"}, "mail-to": {"kim@example.org, b@example.org"}, "mail-on": {"end"}, "notify": {"none"}}); code != 200 || !strings.Contains(body, "kim@example.org, b@example.org") {
		t.Errorf("told: %d", code)
	}
	if got := kim().Tell; !slices.Equal(got.MailTo, []string{"kim@example.org", "b@example.org"}) || got.MailOn != rota.MailOnEnd || !slices.Equal(got.Notify, []string{"none"}) {
		t.Errorf("told: %+v", got)
	}
	for _, x := range []struct {
		now, next, again string
		code             int
	}{{"wrong horse", "battery staple", "battery staple", 403}, {password, "battery staple", "battery", 400}, {password, "", "", 400}, {password, "short", "short", 400}} {
		if code, _ := v.post("/settings", url.Values{"act": {"password"}, "now": {x.now}, "new": {x.next}, "again": {x.again}}); code != x.code {
			t.Errorf("%+v: %d", x, code)
		}
	}
	other := in(password)
	if _, body := v.post("/settings", url.Values{"act": {"password"}, "now": {password}, "new": {"battery staple"}, "again": {"battery staple"}}); !strings.Contains(body, "Sign in") {
		t.Errorf("after another password: %.300s", body)
	}
	if _, body := other.get("/"); !strings.Contains(body, "Sign in") {
		t.Error("who was signed in by the password before still is")
	}
	if _, body := in(password).get("/"); !strings.Contains(body, "Sign in") {
		t.Error("the password before lets in")
	}
	if _, body := in("battery staple").get("/"); !strings.Contains(body, "Overview") {
		t.Error("the new password does not let in")
	}
	if code, _ := w.visit(rota.RoleSubmitter).post("/settings", url.Values{"act": {"password"}, "new": {"battery staple"}, "again": {"battery staple"}}); code != 403 {
		t.Errorf("a token changes a password: %d", code)
	}
	admin := w.visit(rota.RoleAdmin)
	admin.post("/users/kim", url.Values{"act": {"change"}, "role": {"operator"}, "mail-to": {""}, "mail-on": {""}, "notify": {"https://example.org/x"}})
	if got := kim(); got.Role != rota.RoleOperator || len(got.MailTo) != 0 || got.MailOn != "" || !slices.Equal(got.Notify, []string{"https://example.org/x"}) {
		t.Errorf("changed by an admin: %+v", got)
	}
	admin.post("/users/kim", url.Values{"act": {"change"}, "role": {"operator"}})
	if got := kim(); !slices.Equal(got.Notify, []string{"https://example.org/x"}) {
		t.Errorf("changed by a form without these fields: %+v", got)
	}
	admin.post("/queues/new", url.Values{"act": {"new"}, "name": {"q"}})
	admin.post("/queues/q", url.Values{"act": {"settings"}, "mail-to": {"q@example.org"}, "mail-on": {"always"}, "notify": {""}})
	if _, body := w.visit(rota.RoleViewer).get("/queues/q"); !strings.Contains(body, `value="q@example.org"`) || !strings.Contains(body, `value="always" selected`) {
		t.Error("a queue's page does not say who is told")
	}
}

// TestD10QueuesAreAttachedAndDetachedFromANode while it runs.
func TestD10QueuesAreAttachedAndDetachedFromANode(t *testing.T) {
	needBrowser(t)
	w := newWorld(t)
	served := func() []string {
		t.Helper()
		all, err := w.svc.Nodes(w.ctx)
		w.ok(err)
		return all[slices.IndexFunc(all, func(n rota.Node) bool { return n.Name == "alpha" })].Queues
	}
	b := w.browse(rota.RoleOperator)
	act := func(want string, actions ...action) {
		t.Helper()
		b.open("/nodes/alpha")
		b.do(actions...)
		b.until(`document.querySelector(".flash")?.innerText == "node alpha: another list of queues"`)
		if got := strings.Join(served(), ","); got != want {
			t.Errorf("it serves %s, want %s", got, want)
		}
	}
	act("@alpha,gpu,*,default", chromedp.SendKeys(`input[name=queue][required]`, "gpu"), click(`.go[value=attach]`))
	act("@alpha,*,default,!gpu", click(`[aria-label="Detach gpu"]`))
	job := w.shell("for-gpu", "true", func(s *rota.Spec) { s.Queue = "gpu" })
	if _, body := w.visit(rota.RoleViewer).get("/jobs/" + job.String()); !strings.Contains(body, "alpha does not serve") {
		t.Errorf("why it waits: %.600s", body[strings.Index(body, "whybox"):])
	}
	act("@alpha,*,default,gpu", click(`[aria-label="Attach gpu"]`))
	if got := w.node.claim(1)[0].Task.Job(); got != job {
		t.Errorf("it claims %v", got)
	}
	v := w.visit(rota.RoleOperator)
	for _, x := range []struct {
		form url.Values
		code int
		want string
	}{{url.Values{"act": {"serve"}, "list": {"fast, slow"}}, 200, "@alpha,fast,slow,default"}, {url.Values{"act": {"serve"}, "list": {"a/b"}}, 400, "@alpha,fast,slow,default"},
		{url.Values{"act": {"detach"}, "queue": {"default"}}, 200, "@alpha,fast,slow,!default,default"}, {url.Values{"act": {"serve"}, "own": {"1"}}, 200, "*"}} {
		code, _ := v.post("/nodes/alpha", x.form)
		if got := strings.Join(served(), ","); code != x.code || got != x.want {
			t.Errorf("%v: %d, it serves %s, want %s", x.form, code, got, x.want)
		}
	}
}
