package rota

import (
	"context"
	"time"
)

// Role is what a principal may do. Each role may do all that the ones before it may.
type Role string

const (
	RoleViewer    Role = "viewer"    // look
	RoleSubmitter Role = "submitter" // submit, and act on own jobs
	RoleOperator  Role = "operator"  // act on all jobs, queues and schedules
	RoleAdmin     Role = "admin"     // everything, tokens and nodes included
)

// RoleNode is a node's that came over the network: it may do what nodes do, with its own sessions and what they run, and
// nothing else. It stands beside the other roles, not among them.
const RoleNode Role = "node"

// Roles are the roles of people and programs, the least first.
var Roles = []Role{RoleViewer, RoleSubmitter, RoleOperator, RoleAdmin}

// May reports whether a role suffices where one is needed. Admins may also what nodes may.
func (r Role) May(need Role) bool {
	if need == RoleNode {
		return r == RoleNode || r == RoleAdmin
	}
	return need.Rank() >= 0 && r.Rank() >= need.Rank()
}

// Rank orders roles; an unknown role is below all, and so is a node's.
func (r Role) Rank() int {
	for i, o := range Roles {
		if o == r {
			return i
		}
	}
	return -1
}

// Principal is who asks.
type Principal struct {
	Name   string `json:"name"`
	Role   Role   `json:"role"`
	Remote bool   `json:"remote,omitempty" doc:"came over the network rather than the local socket"`
	// Within is set for a job that asks with its own token (S1): it may submit and read its own children, and what
	// it submits has this task as its parent.
	Within TaskID `json:"within,omitzero"`
	// Login is the user of the machine at the local socket, or, of a job, the one that it runs as; empty: not known.
	Login string `json:"login,omitempty"`
	// Token is the number of the token by which a node asks, and Node the node that it is by that token, whatever it says
	// of itself; empty: it has not opened a session yet.
	Token int64  `json:"token,omitempty"`
	Node  string `json:"node,omitempty"`
	// User is the user that the principal is; empty: it is known by a token of its own, or by the socket.
	User string `json:"user,omitempty"`
	// Queues limits the role to queues ([InQueues]); empty: all.
	Queues string `json:"queues,omitempty"`
	// From is where the request came from, for the audit: an address, or who is at the socket.
	From string `json:"from,omitempty"`
}

type principalKey struct{}

// WithPrincipal says in whose name the calls of ctx are made.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf is in whose name a call is made; without one there is nobody, who may nothing.
func PrincipalOf(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// Token lets its bearer in. The secret itself is shown once and stored only as a hash.
type Token struct {
	ID      int64     `json:"id"`
	Name    string    `json:"name"`
	Role    Role      `json:"role"`
	Node    string    `json:"node,omitempty" doc:"role node: the only node that may use it; none: the first that does"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	Secret  string    `json:"secret,omitempty" doc:"only in the answer to its creation"`
	User    string    `json:"user,omitempty" doc:"whose it is: it has no more rights than the user, and goes with the user"`
	Queues  string    `json:"queues,omitempty" doc:"the role holds for these queues only: patterns with commas, ! excludes; empty: all"`
	Login   bool      `json:"login,omitempty" doc:"of a login or a link: it goes when it has expired"`
	Once    bool      `json:"once,omitempty" doc:"a link: it lets nobody in, but can be redeemed for a token once"`
	Hash    string    `json:"-"` // SHA-256 of the secret, hex
}
