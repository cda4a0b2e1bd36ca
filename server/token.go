package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// tokenPrefix begins the tokens that an admin makes: rt_ and 160 random bits in hex.
const (
	tokenPrefix = "rt_"
	tokenBytes  = 20
)

// Authenticate says whose a bearer token is. One that is not known, has expired, or belongs to an attempt that does
// not run any more is ErrUnauthenticated.
func (s *Server) Authenticate(ctx context.Context, secret string) (rota.Principal, error) {
	if strings.HasPrefix(secret, jobTokenPrefix) {
		return s.authenticateJob(ctx, secret)
	}
	if !strings.HasPrefix(secret, tokenPrefix) {
		return rota.Principal{}, errBadToken
	}
	found, err := s.store.Tokens(ctx, tokenHash(secret))
	if err != nil {
		return rota.Principal{}, s.outward(err)
	}
	if len(found) != 1 {
		return rota.Principal{}, errBadToken
	}
	token := found[0]
	if !token.Expires.IsZero() {
		now, err := s.now(ctx)
		if err != nil {
			return rota.Principal{}, s.outward(err)
		}
		if !now.Before(token.Expires) {
			return rota.Principal{}, rota.Errorf(rota.ErrUnauthenticated, "token of %s: it expired at %s", token.Name, token.Expires.UTC().Format("2006-01-02 15:04 MST")).
				WithFix("ask an admin for a new one")
		}
	}
	if token.Once {
		return rota.Principal{}, errBadToken
	}
	p := rota.Principal{Name: token.Name, Role: token.Role, Queues: token.Queues}
	if err := s.ofUser(ctx, &p, &token); err != nil {
		return rota.Principal{}, err
	}
	if token.Role == rota.RoleNode {
		p.Token, p.Node = token.ID, token.Node
	}
	return p, nil
}

// CreateToken makes a token; the answer alone has the secret.
func (s *Server) CreateToken(ctx context.Context, t rota.Token) (rota.Token, error) {
	p, err := s.allow(ctx, "create token")
	if err != nil {
		return rota.Token{}, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return rota.Token{}, s.outward(err)
	}
	switch {
	case rota.CheckQueueName(t.Name) != nil:
		return rota.Token{}, rota.Invalid("token %q: a name has up to %d letters, digits, '.', '_' and '-'", t.Name, rota.MaxQueueName)
	case t.Role.Rank() < 0 && t.Role != rota.RoleNode:
		return rota.Token{}, rota.Invalid("role %q: the roles are %q and %q", t.Role, rota.Roles, rota.RoleNode)
	case t.Node != "" && t.Role != rota.RoleNode:
		return rota.Token{}, rota.Invalid("token %q: only one with the role %s is a node's", t.Name, rota.RoleNode)
	case t.Node != "" && rota.CheckQueueName("@"+t.Node) != nil:
		return rota.Token{}, rota.Invalid("node %q: a name has up to %d letters, digits, '.', '_' and '-'", t.Node, rota.MaxQueueName-1)
	case t.User != "" && (t.Role == rota.RoleNode || t.Queues != ""):
		return rota.Token{}, rota.Invalid("token %q: a user's token has the user's queues, and is no node's", t.Name)
	case !t.Expires.IsZero() && !t.Expires.After(now):
		return rota.Token{}, rota.Invalid("token %q: would have expired already, at %v", t.Name, t.Expires)
	}
	if err := checkScope(t.Role, t.Queues); err != nil {
		return rota.Token{}, err
	}
	kept := rota.Token{Name: t.Name, Role: t.Role, Node: t.Node, User: t.User, Queues: t.Queues, Expires: t.Expires}
	return s.putToken(by(ctx, p, "create token", "token "+t.Name, string(t.Role)), kept, tokenPrefix)
}

// Tokens are all tokens, without their secrets.
func (s *Server) Tokens(ctx context.Context) ([]rota.Token, error) {
	if _, err := s.allow(ctx, "tokens"); err != nil {
		return nil, err
	}
	all, err := s.store.Tokens(ctx, "")
	for i := range all {
		all[i].Secret, all[i].Hash = "", ""
	}
	return all, s.outward(err)
}

// DropToken makes a token worthless.
func (s *Server) DropToken(ctx context.Context, id int64) error {
	p, err := s.allow(ctx, "drop token")
	if err != nil {
		return err
	}
	return s.outward(s.store.DropToken(by(ctx, p, "drop token", "token "+strconv.FormatInt(id, 10), ""), id))
}

func tokenHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
