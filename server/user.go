package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// linkPrefix begins the secrets of links, which are good once.
const linkPrefix = "rtl_"

// by makes a write of the store one that is added to the audit.
func by(ctx context.Context, p rota.Principal, what, on, detail string) context.Context {
	return rota.WithDeed(ctx, rota.Deed{By: p.Name, From: p.From, What: what, On: on, Detail: detail})
}

// Audit is what was changed by whom, newest first.
func (s *Server) Audit(ctx context.Context, q rota.DeedQuery) ([]rota.Deed, error) {
	if _, err := s.allow(ctx, "audit"); err != nil {
		return nil, err
	}
	if q.Max < 0 || q.Before < 0 {
		return nil, rota.Invalid("audit: %d lines before %d: not numbers of lines", q.Max, q.Before)
	}
	if q.Max == 0 {
		q.Max = defaultAnswer
	}
	q.Max = min(q.Max, maxAnswer)
	all, err := s.store.Deeds(ctx, q)
	return all, s.outward(err)
}

// Users are all users; to all but admins, who asks. Who only bears a user's name, at the socket or by a token, is not that user.
func (s *Server) Users(ctx context.Context) ([]rota.User, error) {
	p, err := s.allow(ctx, "users")
	if err != nil {
		return nil, err
	}
	all, err := s.store.Users(ctx, "")
	if p.Role != rota.RoleAdmin {
		all = slices.DeleteFunc(all, func(u rota.User) bool { return u.Name != p.User })
	}
	for i := range all {
		all[i].Hash = ""
	}
	return all, s.outward(err)
}

// PutUser creates a user, or changes one. Everybody may change the own password, and who is told of the own jobs' ends, and
// nothing else.
func (s *Server) PutUser(ctx context.Context, name string, c rota.UserChange) (rota.User, error) {
	p, err := s.allow(ctx, "put user")
	switch {
	case err != nil || p.Role == rota.RoleAdmin:
	case p.User == "" && p.Name == name:
		err = rota.Errorf(rota.ErrDenied, "user %q: you are known by the socket, or by a token alone, and are no user, whatever your name", name).
			WithFix("rota login %s, if there is such a user", name)
	case p.User != name || c.Role != nil || c.Queues != nil || c.Password == nil && !c.Tells():
		err = rota.Errorf(rota.ErrDenied, "user %q: %s has the role %s, and may change the own password, and who is told of the own jobs' ends, only", name, p.Name, p.Role).
			WithFix("ask an admin")
	}
	if err != nil {
		return rota.User{}, err
	}
	found, err := s.store.Users(ctx, name)
	if err != nil {
		return rota.User{}, s.outward(err)
	}
	u := rota.User{Name: name}
	if len(found) == 1 {
		u = found[0]
	} else if c.Role == nil { // it would be one by mistake
		return rota.User{}, rota.Errorf(rota.ErrNotFound, "user %q: there is none", name).WithFix("rota user ls; rota user add %s --role ROLE makes one", name)
	}
	if err := s.changeUser(ctx, &u, c); err != nil {
		return rota.User{}, err
	}
	detail := string(u.Role)
	if c.Password != nil {
		detail += ", another password"
	}
	if c.Tells() { // not who: addresses may hold what is nobody's to see
		detail += ", who is told of ends"
	}
	if u, err = s.store.PutUser(by(ctx, p, "put user", "user "+name, detail), u); err != nil {
		return rota.User{}, s.outward(err)
	}
	if c.Password != nil {
		if err := s.store.DropLogins(ctx, name); err != nil {
			return rota.User{}, s.outward(err)
		}
	}
	u.Hash = ""
	return u, nil
}

func (s *Server) changeUser(ctx context.Context, u *rota.User, c rota.UserChange) (err error) {
	if c.Role != nil {
		u.Role = *c.Role
	}
	if c.Queues != nil {
		u.Queues = *c.Queues
	}
	switch {
	case rota.CheckQueueName(u.Name) != nil || u.Name[0] == '@':
		return rota.Invalid("user %q: a name has up to %d letters, digits, '.', '_' and '-'", u.Name, rota.MaxQueueName)
	case u.Role.Rank() < 0:
		return rota.Invalid("role %q: the roles are %q", u.Role, rota.Roles)
	}
	if err := checkScope(u.Role, u.Queues); err != nil {
		return err
	}
	u.Tell = u.Telling(c)
	if err := u.Tell.Check(); err != nil || c.Password == nil {
		return err
	}
	switch n := len(*c.Password); {
	case n == 0:
		u.Hash = ""
	case n < rota.MinPassword:
		return rota.Invalid("password: has at least %d bytes", rota.MinPassword)
	case n > rota.MaxPassword:
		return rota.Errorf(rota.ErrTooLarge, "password: %d bytes, and %d is the limit", n, rota.MaxPassword)
	default:
		u.Hash, err = s.passwords.hash(ctx, *c.Password)
	}
	return err
}

// checkScope refuses queues for a role that is beyond queues.
func checkScope(role rota.Role, queues string) error {
	if queues != "" && (role == rota.RoleAdmin || role == rota.RoleNode) {
		return rota.Invalid("queues %q: the role %s cannot be limited to queues", queues, role).WithFix("use the role operator")
	}
	return rota.CheckQueues(queues)
}

// DropUser removes a user. Whoever removes the own name has no way back, so that is refused.
func (s *Server) DropUser(ctx context.Context, name string) error {
	p, err := s.allow(ctx, "drop user")
	if err != nil {
		return err
	}
	if name == "" {
		return rota.Invalid("user: no name is given")
	}
	return s.outward(s.store.DropUser(by(ctx, p, "remove user", "user "+name, ""), name))
}

// Login gives a token for a user's name and password. That there is no such user takes as long, and is told no differently.
func (s *Server) Login(ctx context.Context, name, password string) (rota.Token, error) {
	p, _ := rota.PrincipalOf(ctx)
	if p.Within != 0 {
		return rota.Token{}, rota.Errorf(rota.ErrDenied, "login: a running job may only submit, and look at what it submitted")
	}
	if len(password) > rota.MaxPassword || len(name) > rota.MaxQueueName || name == "" {
		return rota.Token{}, errBadLogin
	}
	found, err := s.store.Users(ctx, name)
	if err != nil {
		return rota.Token{}, s.outward(err)
	}
	var u rota.User
	if len(found) == 1 {
		u = found[0]
	}
	if err := s.passwords.check(ctx, name, password, u.Hash); err != nil {
		s.log.Warn("a login was refused", "user", name, "from", p.From, "err", err)
		return rota.Token{}, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return rota.Token{}, s.outward(err)
	}
	t := rota.Token{Name: u.Name, Role: u.Role, User: u.Name, Login: true, Expires: now.Add(rota.LoginFor)}
	return s.putToken(rota.WithDeed(ctx, rota.Deed{By: u.Name, From: p.From, What: "login", On: "user " + u.Name}), t, tokenPrefix)
}

// putToken stores a token with a new secret, which its answer alone has.
func (s *Server) putToken(ctx context.Context, t rota.Token, prefix string) (rota.Token, error) {
	secret := newSecret(prefix)
	t.Hash = tokenHash(secret)
	made, err := s.store.PutToken(ctx, t)
	if err != nil {
		return rota.Token{}, s.outward(err)
	}
	made.Secret, made.Hash = secret, ""
	return made, nil
}

// newSecret is a prefix and 160 random bits in hex.
func newSecret(prefix string) string {
	random := make([]byte, tokenBytes)
	rand.Read(random) // never fails
	return prefix + hex.EncodeToString(random)
}

// CreateLink makes a link that lets its bearer in once, in the name of who asks.
func (s *Server) CreateLink(ctx context.Context) (rota.Link, error) {
	p, err := s.allow(ctx, "create link")
	if err != nil {
		return rota.Link{}, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return rota.Link{}, s.outward(err)
	}
	t := rota.Token{Name: p.Name, Role: p.Role, User: p.User, Queues: p.Queues, Once: true, Expires: now.Add(rota.LinkFor)}
	t, err = s.putToken(by(ctx, p, "create link", "", ""), t, linkPrefix)
	return rota.Link{Secret: t.Secret, Expires: t.Expires}, err
}

// Redeem gives the token for a link, once.
func (s *Server) Redeem(ctx context.Context, secret string) (rota.Token, error) {
	p, _ := rota.PrincipalOf(ctx)
	if p.Within != 0 {
		return rota.Token{}, rota.Errorf(rota.ErrDenied, "redeem link: a running job may only submit, and look at what it submitted")
	}
	if !strings.HasPrefix(secret, linkPrefix) || len(secret) > 2*len(linkPrefix)+2*tokenBytes {
		return rota.Token{}, rota.Errorf(rota.ErrUnauthenticated, "link: not one of this server's").WithFix("make another one")
	}
	next := newSecret(tokenPrefix)
	t, err := s.store.RedeemToken(rota.WithDeed(ctx, rota.Deed{By: p.Name, From: p.From, What: "redeem link"}), tokenHash(secret), tokenHash(next), rota.Duration(rota.LoginFor))
	if err != nil {
		return rota.Token{}, s.outward(err)
	}
	t.Secret, t.Hash = next, ""
	return t, nil
}

// AsUser is the principal that a user is, for a door that knows its users otherwise than by tokens.
func (s *Server) AsUser(ctx context.Context, name string) (rota.Principal, error) {
	found, err := s.store.Users(ctx, name)
	if err == nil && (name == "" || len(found) != 1) {
		err = rota.Errorf(rota.ErrUnauthenticated, "user %q: there is none", name).WithFix("rota user add %s --role submitter", name)
	}
	if err != nil {
		return rota.Principal{}, s.outward(err)
	}
	return rota.Principal{Name: name, User: name, Role: found[0].Role, Queues: found[0].Queues}, nil
}

// ofUser makes a principal by a user's token no more than the user is now.
func (s *Server) ofUser(ctx context.Context, p *rota.Principal, token *rota.Token) error {
	if token.User == "" {
		return nil
	}
	found, err := s.store.Users(ctx, token.User)
	if err != nil {
		return s.outward(err)
	}
	if len(found) != 1 {
		return errBadToken
	}
	u := found[0]
	p.Name, p.User, p.Queues = u.Name, u.Name, u.Queues
	if u.Role.Rank() < p.Role.Rank() {
		p.Role = u.Role
	}
	return nil
}
