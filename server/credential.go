package server

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// A node that came over the network is the one that its token names, whatever it says of itself (P29). What it may touch
// is asked of the store each time: its own sessions, attempts that run in them, and what those read. Nodes in this process
// are admins, and are asked nothing.

// ownName makes an opening that of the token's node.
func ownName(p rota.Principal, o *rota.Opening) error {
	o.Token, o.Node.Joined = 0, p.Role == rota.RoleNode
	if p.Role != rota.RoleNode {
		return nil
	}
	if p.Node != "" && p.Node != o.Node.Name {
		return rota.Errorf(rota.ErrDenied, "node %q: the token is that of node %s", o.Node.Name, p.Node).
			WithFix("rota up --name %s, or ask an admin for another token: rota node token %s", p.Node, o.Node.Name)
	}
	o.Token = p.Token
	o.Force = o.Force && p.Node != "" // a token of no node yet takes nobody's name
	o.Node.Transient = false          // it has no store that others could leave jobs in,
	o.Node.API = ""                   // and no server: others would go there with their tokens
	return nil
}

// sessionName is what a session can be called: nodes take 32 hex digits.
var sessionName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$`)

// ownSession refuses to a node the sessions of others.
func (s *Server) ownSession(ctx context.Context, p rota.Principal, id rota.SessionID) error {
	if !sessionName.MatchString(string(id)) {
		return rota.Invalid("session %q: not a session's name", id)
	}
	if p.Role != rota.RoleNode {
		return nil
	}
	owner, err := s.store.Owner(ctx, id)
	switch {
	case errors.Is(err, rota.ErrNotFound):
		return rota.Errorf(rota.ErrLeaseLost, "session %s is lost or closed", id)
	case err != nil:
		return s.outward(err)
	case p.Node == "" || owner != p.Node:
		return notOwn(p, "session "+string(id))
	}
	return nil
}

// ownAttempt refuses to a node the attempts of others.
func (s *Server) ownAttempt(ctx context.Context, p rota.Principal, try rota.Try) error {
	if p.Role != rota.RoleNode {
		return nil
	}
	task, _, err := s.store.Task(ctx, try.Task)
	switch {
	case errors.Is(err, rota.ErrNotFound), err == nil && (task.State != rota.Running || task.Number != try.Attempt):
		return rota.Errorf(rota.ErrLeaseLost, "attempt %v is not running", try)
	case err != nil:
		return s.outward(err)
	case p.Node == "" || task.Node != p.Node:
		return notOwn(p, "attempt "+try.String())
	}
	return nil
}

// hasEnded reports whether an attempt has ended, as far as the store can be asked. Then it never runs again.
func (s *Server) hasEnded(ctx context.Context, try rota.Try) bool {
	task, _, err := s.store.Task(ctx, try.Task)
	return err == nil && (task.Number > try.Attempt || task.Number == try.Attempt && task.State != rota.Running)
}

// ownInput refuses to a node the input of jobs of which it runs nothing.
func (s *Server) ownInput(ctx context.Context, p rota.Principal, job rota.JobID) error {
	if p.Role != rota.RoleNode {
		return nil
	}
	runs, err := s.store.Runs(ctx, p.Node, job)
	if err != nil || runs {
		return s.outward(err)
	}
	if _, err := s.store.Job(ctx, job); err != nil {
		return s.outward(err)
	}
	return notOwn(p, "input of job "+job.String())
}

func notOwn(p rota.Principal, what string) error {
	return rota.Errorf(rota.ErrDenied, "%s: it is not that of %s, whose token this is", what, p.Name)
}

// ownQueues leaves out the queues that are other nodes' own.
func ownQueues(node string, patterns []string) []string {
	kept := slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return strings.HasPrefix(p, "@") && p != "@"+node })
	if len(patterns) > 0 && len(kept) == 0 {
		return []string{"@" + node} // none at all would be every queue
	}
	return kept
}
