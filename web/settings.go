package web

import (
	"errors"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

type settingsPage struct {
	Status      rota.Status
	Zones       []string
	User        *rota.User // who is signed in, if that is a user
	MinPassword int
}

// zones are offered; others can be written.
var zones = []string{"UTC", "Europe/London", "Europe/Berlin", "Europe/Athens", "America/New_York", "America/Chicago", "America/Denver",
	"America/Los_Angeles", "America/Sao_Paulo", "Asia/Dubai", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney"}

func (p *Pages) settings(r *request) error {
	status, err := p.svc.Status(r.Context())
	if err != nil {
		return err
	}
	d := settingsPage{Status: status, Zones: zones, MinPassword: rota.MinPassword}
	if d.User, err = p.me(r); err != nil {
		return err
	}
	r.show("settings", "Settings", d)
	return nil
}

// me is the user who is signed in; nil: it is none.
func (p *Pages) me(r *request) (*rota.User, error) {
	if r.Who.User == "" {
		return nil, nil
	}
	all, err := p.svc.Users(r.Context())
	for i := range all {
		if all[i].Name == r.Who.User {
			return &all[i], nil
		}
	}
	return nil, err
}

const yearInSeconds = 365 * 24 * 3600

// changeSettings changes how the page looks in this browser, or what the user who is signed in may change.
func (p *Pages) changeSettings(r *request) error {
	switch act := r.PostFormValue("act"); act {
	case "":
		return p.changeLooks(r)
	case "told":
		t := toldOfForm(r)
		if _, err := p.svc.PutUser(r.Context(), r.Who.User, rota.UserChange{MailTo: t.to, MailOn: t.on, Notify: t.notify}); err != nil {
			return err
		}
		r.done("settings", "saved")
		return nil
	case "password":
		return p.changePassword(r)
	default:
		return rota.Invalid("act %q: there is none", act)
	}
}

// changePassword is for who knows the password that there is: that a browser was left open is not enough.
func (p *Pages) changePassword(r *request) error {
	me, err := p.me(r)
	switch {
	case err != nil:
		return err
	case me == nil:
		return rota.Errorf(rota.ErrDenied, "you are no user, and have no password").WithFix("sign in as one")
	case r.PostFormValue("new") != r.PostFormValue("again"):
		return rota.Invalid("password: the two are not the same")
	case r.PostFormValue("new") == "":
		return rota.Invalid("password: none is given")
	}
	if me.Password {
		ctx := rota.WithPrincipal(r.Context(), rota.Principal{Remote: true, From: r.from()})
		_, err := p.svc.Login(ctx, me.Name, r.PostFormValue("now"))
		if errors.Is(err, rota.ErrUnauthenticated) {
			err = rota.Errorf(rota.ErrDenied, "password: that is not the one that you have now")
		}
		if err != nil {
			return err
		}
	}
	password := r.PostFormValue("new")
	if _, err := p.svc.PutUser(r.Context(), me.Name, rota.UserChange{Password: &password}); err != nil {
		return err
	}
	r.done("settings", "the password is changed")
	return nil
}

func (p *Pages) changeLooks(r *request) error {
	if theme := r.PostFormValue("theme"); theme == "light" || theme == "dark" {
		r.setCookie(themeCookie, theme, yearInSeconds)
	} else {
		r.forget(themeCookie)
	}
	zone := strings.TrimSpace(r.PostFormValue("zone"))
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return rota.Invalid("zone %q is not known; write for example Europe/Berlin or UTC", zone)
	}
	r.setCookie(zoneCookie, zone, yearInSeconds)
	r.done("settings", "saved")
	return nil
}
