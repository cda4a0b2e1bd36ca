package api

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rotaqueue/rota"
)

// whoAsks says in whose name a request is made: the bearer's of its token, else, on the unix socket, the user's at
// the other end. A token goes first also there: that is how a job asks in its own name (S1).
func whoAsks(authenticate func(context.Context, string) (rota.Principal, error), submitters []string) func(*http.Request) (rota.Principal, error) {
	return func(r *http.Request) (rota.Principal, error) {
		peer := peerOf(r.Context())
		secret, given := bearer(r)
		switch {
		case given && authenticate == nil:
			return rota.Principal{}, rota.Errorf(rota.ErrUnauthenticated, "this server knows no tokens")
		case given:
			p, err := authenticate(r.Context(), secret)
			p.Remote, p.From = peer == nil, from(r)
			return p, err
		case peer != nil:
			p, err := peer.principal(os.Getuid(), submitters)
			p.From = from(r)
			return p, err
		}
		return rota.Principal{}, rota.Errorf(rota.ErrUnauthenticated, "nobody was named: this address needs a token").
			WithFix("rota token create --role submitter NAME makes one; send it as: Authorization: Bearer TOKEN")
	}
}

// from is where a request came from, as the server can tell: an address, or who is at the socket. Behind a proxy it is the
// proxy's.
func from(r *http.Request) string {
	if peer := peerOf(r.Context()); peer != nil {
		return "socket, uid " + strconv.Itoa(peer.uid)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// bearer is the secret of the Authorization header.
func bearer(r *http.Request) (secret string, given bool) {
	h := r.Header.Get("Authorization")
	if h == "" {
		return "", false
	}
	scheme, secret, _ := strings.Cut(h, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", true // another scheme is a wrong token, never nobody
	}
	return strings.TrimSpace(secret), true
}

// nobody is the uid that stands for no user, or for many: it is never one (P28).
const nobody = 65534

// principal is the user at the other end of the socket: root and the node's own user are admins, those of some groups
// submitters, and others are refused (P28).
func (p *peer) principal(own int, submitters []string) (rota.Principal, error) {
	switch {
	case p.err != nil:
		return rota.Principal{}, rota.Errorf(rota.ErrDenied, "cannot tell who is at the other end of the socket: %v", p.err)
	case p.uid != nobody && (p.uid == 0 || p.uid == own):
		return rota.Principal{Name: userName(p.uid), Role: admin, Login: userName(p.uid)}, nil
	case p.uid != nobody && isOneOf(p.uid, submitters):
		return rota.Principal{Name: userName(p.uid), Role: submitter, Login: userName(p.uid)}, nil
	}
	return rota.Principal{}, notYours(own)
}

// notYours is what a user is told who asks another user's node.
func notYours(owner int) *rota.Error {
	name := userName(owner)
	return rota.Errorf(rota.ErrDenied, "this node belongs to the user %s, and you are another", name).
		WithFix("run your own node (rota up), or ask %s for a token (rota token create --role submitter NAME) and use it with --server, or for a line in the node's settings: local.submit = [\"GROUP\"]", name)
}

// isOneOf reports whether a user is in one of some groups, as the machine has it now.
func isOneOf(uid int, groups []string) bool {
	if len(groups) == 0 {
		return false
	}
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return false
	}
	ids, err := u.GroupIds()
	return err == nil && slices.ContainsFunc(ids, func(id string) bool {
		g, err := user.LookupGroupId(id)
		return err == nil && slices.Contains(groups, g.Name)
	})
}

var userNames sync.Map // int to string: who asks is asked for with every request

// userName is a user's name, or the number where it has none.
func userName(uid int) string {
	if name, ok := userNames.Load(uid); ok {
		return name.(string)
	}
	name := strconv.Itoa(uid)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	userNames.Store(uid, name)
	return name
}
