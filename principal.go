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
	// Token is the number of the token by which a node asks, and Node the node that it is by that token, whatever it says
	// of itself; empty: it has not opened a session yet.
	Token int64  `json:"token,omitempty"`
	Node  string `json:"node,omitempty"`
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
	Hash    string    `json:"-"` // SHA-256 of the secret, hex
}
