package api

import (
	"context"
	"net/http"
	"os"
	"os/user"
	"strconv"
	"strings"
	"sync"

	"github.com/rotaqueue/rota"
)

// whoAsks says in whose name a request is made: the bearer's of its token, else, on the unix socket, the user's at
// the other end. A token goes first also there: that is how a job asks in its own name (S1).
func whoAsks(authenticate func(context.Context, string) (rota.Principal, error)) func(*http.Request) (rota.Principal, error) {
	return func(r *http.Request) (rota.Principal, error) {
		peer := peerOf(r.Context())
		secret, given := bearer(r)
		switch {
		case given && authenticate == nil:
			return rota.Principal{}, rota.Errorf(rota.ErrUnauthenticated, "this server knows no tokens")
		case given:
			p, err := authenticate(r.Context(), secret)
			p.Remote = peer == nil
			return p, err
		case peer != nil:
			return peer.principal(os.Getuid())
		}
		return rota.Principal{}, rota.Errorf(rota.ErrUnauthenticated, "nobody was named: this address needs a token").
			WithFix("rota token create --role submitter NAME makes one; send it as: Authorization: Bearer TOKEN")
	}
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

// principal is the user at the other end of the socket: root and the node's own user are admins, others are
// refused (P28).
func (p *peer) principal(own int) (rota.Principal, error) {
	switch {
	case p.err != nil:
		return rota.Principal{}, rota.Errorf(rota.ErrDenied, "cannot tell who is at the other end of the socket: %v", p.err)
	case p.uid != nobody && (p.uid == 0 || p.uid == own):
		return rota.Principal{Name: userName(p.uid), Role: admin}, nil
	}
	return rota.Principal{}, notYours(own)
}

// notYours is what a user is told who asks another user's node.
func notYours(owner int) *rota.Error {
	name := userName(owner)
	return rota.Errorf(rota.ErrDenied, "this node belongs to the user %s, and you are another", name).
		WithFix("run your own node (rota up), or ask %s for a token (rota token create --role submitter NAME) and use it with --server", name)
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
