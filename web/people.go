package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// Tabs are the pages below the settings. All but the first are for admins.
func (r *request) Tabs() (out []pill) {
	for _, t := range []struct{ path, label string }{{"settings", "This browser"}, {"users", "Users"}, {"tokens", "Tokens"}, {"secrets", "Secrets"}, {"audit", "Audit"}} {
		if t.path == "settings" || r.May("admin") {
			out = append(out, pill{Label: t.label, Query: t.path, On: t.path == r.Page})
		}
	}
	return out
}

type usersPage struct {
	Users []rota.User
	Roles []rota.Role
}

func (p *Pages) users(r *request) error {
	all, err := p.svc.Users(r.Context())
	if err != nil {
		return err
	}
	r.show("users", "Users", usersPage{all, rota.Roles})
	return nil
}

// addUser makes a user, and changes none that is there.
func (p *Pages) addUser(r *request) error {
	name := strings.TrimSpace(r.PostFormValue("name"))
	all, err := p.svc.Users(r.Context())
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Name == name {
			return rota.Errorf(rota.ErrConflict, "user %q: is there already", name).WithFix("change that one")
		}
	}
	if _, err := p.svc.PutUser(r.Context(), name, userChange(r)); err != nil {
		return err
	}
	r.done("users", "user %s: made", name)
	return nil
}

// userChange is what a form says of a user. A password that is not given stays.
func userChange(r *request) rota.UserChange {
	role, queues := rota.Role(r.PostFormValue("role")), strings.ReplaceAll(r.PostFormValue("queues"), " ", "")
	c := rota.UserChange{Role: &role, Queues: &queues}
	if password := r.PostFormValue("password"); password != "" || r.PostFormValue("nopassword") == "1" {
		c.Password = &password
	}
	t := toldOfForm(r)
	c.MailTo, c.MailOn, c.Notify = t.to, t.on, t.notify
	return c
}

func (p *Pages) actUser(r *request) (err error) {
	name, said := r.PathValue("user"), "saved"
	switch act := r.PostFormValue("act"); act {
	case "change":
		_, err = p.svc.PutUser(r.Context(), name, userChange(r))
	case "remove":
		said, err = "removed", p.svc.DropUser(r.Context(), name)
	default:
		err = rota.Invalid("act %q: there is none", act)
	}
	if err == nil {
		r.done("users", "user %s: %s", name, said)
	}
	return err
}

type tokensPage struct {
	Tokens []rota.Token
	Made   *rota.Token // its secret is shown this once
	Roles  []rota.Role
	Users  []rota.User
}

func (p *Pages) tokens(r *request) error { return p.showTokens(r, nil) }

func (p *Pages) showTokens(r *request, made *rota.Token) (err error) {
	d := tokensPage{Made: made, Roles: rota.Roles}
	if d.Tokens, err = p.svc.Tokens(r.Context()); err != nil {
		return err
	}
	if d.Users, err = p.svc.Users(r.Context()); err != nil {
		return err
	}
	r.show("tokens", "Tokens", d)
	return nil
}

func (p *Pages) createToken(r *request) error {
	t := rota.Token{Name: strings.TrimSpace(r.PostFormValue("name")), Role: rota.Role(r.PostFormValue("role")), User: r.PostFormValue("user"),
		Queues: strings.ReplaceAll(r.PostFormValue("queues"), " ", "")}
	if text := strings.TrimSpace(r.PostFormValue("days")); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 || days > 36500 {
			return rota.Invalid("days %q: a number from 1 on, or nothing", text)
		}
		t.Expires = r.Now.Add(time.Duration(days) * 24 * time.Hour)
	}
	made, err := p.svc.CreateToken(r.Context(), t)
	if err != nil {
		return err
	}
	return p.showTokens(r, &made)
}

func (p *Pages) dropToken(r *request) error {
	id, err := strconv.ParseInt(r.PathValue("token"), 10, 64)
	if err != nil {
		return rota.Invalid("token %q: not a number", r.PathValue("token"))
	}
	if err := p.svc.DropToken(r.Context(), id); err != nil {
		return err
	}
	r.done("tokens", "token withdrawn")
	return nil
}

type secretsPage struct{ Secrets []rota.Secret }

func (p *Pages) secrets(r *request) error {
	all, err := p.svc.Secrets(r.Context())
	if err != nil {
		return err
	}
	r.show("secrets", "Secrets", secretsPage{all})
	return nil
}

// putSecret keeps a secret. What it holds is on no page from then on.
func (p *Pages) putSecret(r *request) error {
	name, value := strings.TrimSpace(r.PostFormValue("name")), strings.ReplaceAll(r.PostFormValue("value"), "\r\n", "\n")
	if err := p.svc.PutSecret(r.Context(), name, value); err != nil {
		return err
	}
	r.done("secrets", "secret %s: kept", name)
	return nil
}

func (p *Pages) dropSecret(r *request) error {
	if err := p.svc.DropSecret(r.Context(), r.PathValue("secret")); err != nil {
		return err
	}
	r.done("secrets", "secret %s: removed", r.PathValue("secret"))
	return nil
}
