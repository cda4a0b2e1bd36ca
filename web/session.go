package web

import (
	"cmp"
	"net"
	"net/http"
	"strings"

	"github.com/rotaqueue/rota"
)

// Cookies. The one with the session is not for scripts; none has a path, so that browsers keep each to the path under
// which the pages are.
const (
	sessionCookie = "rota_session" // a token
	themeCookie   = "rota_theme"
	zoneCookie    = "rota_zone"
)

const sessionAge = 30 * 24 * 3600 // seconds: a token may end before

func (r *request) secret() string { return r.cookie(sessionCookie) }

func (r *request) cookie(name string) string {
	if c, err := r.Cookie(name); err == nil {
		return c.Value
	}
	return ""
}

func (r *request) setCookie(name, value string, age int) {
	http.SetCookie(r.w, &http.Cookie{Name: name, Value: value, MaxAge: age, HttpOnly: name == sessionCookie,
		Secure: r.encrypted(), SameSite: http.SameSiteLaxMode})
}

func (r *request) forget(name string) { r.setCookie(name, "", -1) }

// encrypted reports whether the browser speaks TLS to us, or to a proxy that says so.
func (r *request) encrypted() bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// loginPage asks who it is: Link is one that lets in once, if the browser came by it.
type loginPage struct{ Next, Link, Problem, Fix string }

func (p *Pages) loginForm(r *request) error {
	r.show("login", "Sign in", loginPage{Next: local(r.URL.Query().Get("next")), Link: r.URL.Query().Get("link")})
	return nil
}

// login takes a link, a user's name and password, or a token, and keeps the token in a cookie that scripts cannot read.
func (p *Pages) login(r *request) error {
	next := local(r.PostFormValue("next"))
	secret, err := p.secretOf(r)
	var who rota.Principal
	if err == nil {
		who, err = p.opts.Authenticate(r.Context(), secret)
	}
	if err == nil && (who.Role == rota.RoleNode || who.Within != 0) {
		err = rota.Errorf(rota.ErrDenied, "this is the token of a node or a job, and not of somebody who looks")
	}
	if err != nil {
		r.status = rota.KindOf(err).Status
		r.show("login", "Sign in", loginPage{Next: next, Problem: err.Error(), Fix: rota.FixOf(err)})
		return nil
	}
	r.setCookie(sessionCookie, secret, sessionAge)
	r.redirect(cmp.Or(next, "./"))
	return nil
}

// secretOf is the token of what a login form says.
func (p *Pages) secretOf(r *request) (string, error) {
	if p.opts.Authenticate == nil {
		return "", rota.Errorf(rota.ErrUnauthenticated, "this server knows no tokens")
	}
	ctx := rota.WithPrincipal(r.Context(), rota.Principal{Remote: true, From: r.from()})
	var t rota.Token
	var err error
	switch user := strings.TrimSpace(r.PostFormValue("user")); {
	case r.PostFormValue("link") != "":
		t, err = p.svc.Redeem(ctx, r.PostFormValue("link"))
	case user != "":
		t, err = p.svc.Login(ctx, user, r.PostFormValue("token"))
	default:
		return strings.TrimSpace(r.PostFormValue("token")), nil
	}
	return t.Secret, err
}

// from is where the request came from, as the server can tell.
func (r *request) from() string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (p *Pages) logout(r *request) error {
	r.forget(sessionCookie)
	r.redirect("login")
	return nil
}
