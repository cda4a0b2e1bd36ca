package server

import (
	"cmp"
	"context"

	"github.com/rotaqueue/rota"
)

// permit says who may use a method of the Service.
type permit struct {
	least  rota.Role // the least role
	within bool      // also a job with its own token, for its own children (S1)
}

// permits are all methods of the Service. What a role may do with whose jobs is said below.
var permits = map[string]permit{
	"submit":    {rota.RoleSubmitter, true},
	"upload":    {rota.RoleSubmitter, true},
	"job":       {rota.RoleViewer, true},
	"jobs":      {rota.RoleViewer, true},
	"task":      {rota.RoleViewer, true},
	"tasks":     {rota.RoleViewer, true},
	"samples":   {rota.RoleViewer, true},
	"watch":     {rota.RoleViewer, true},
	"output":    {rota.RoleViewer, true},
	"artifacts": {rota.RoleViewer, true},
	"why":       {rota.RoleViewer, true},
	"edges":     {rota.RoleViewer, false},
	"failures":  {rota.RoleViewer, false},
	"usage":     {rota.RoleViewer, false},
	"operate":   {rota.RoleSubmitter, false},
	"operation": {rota.RoleViewer, false},

	"read artifact": {rota.RoleViewer, true},

	"put blob":  {rota.RoleSubmitter, true},
	"blob":      {rota.RoleViewer, true},
	"read blob": {rota.RoleViewer, false},
	"blobs":     {rota.RoleViewer, false},
	"drop blob": {rota.RoleSubmitter, false},

	"status":        {rota.RoleViewer, false},
	"queues":        {rota.RoleViewer, false},
	"change queue":  {rota.RoleOperator, false},
	"rename queue":  {rota.RoleOperator, false},
	"drop queue":    {rota.RoleOperator, false},
	"nodes":         {rota.RoleViewer, false},
	"drain node":    {rota.RoleOperator, false},
	"change node":   {rota.RoleOperator, false},
	"pause node":    {rota.RoleOperator, false},
	"remove node":   {rota.RoleOperator, false},
	"node samples":  {rota.RoleViewer, false},
	"store samples": {rota.RoleViewer, false},
	"put schedule":  {rota.RoleSubmitter, false},
	"schedules":     {rota.RoleViewer, false},
	"schedule":      {rota.RoleViewer, false},
	"fire schedule": {rota.RoleSubmitter, false},
	"drop schedule": {rota.RoleSubmitter, false},
	"put secret":    {rota.RoleSubmitter, false},
	"secrets":       {rota.RoleSubmitter, false},
	"drop secret":   {rota.RoleSubmitter, false},
	"create token":  {rota.RoleAdmin, false},
	"tokens":        {rota.RoleAdmin, false},
	"drop token":    {rota.RoleAdmin, false},
	"users":         {rota.RoleViewer, false}, // oneself; all others admins
	"put user":      {rota.RoleViewer, false}, // the own password and who is told; all else admins
	"drop user":     {rota.RoleAdmin, false},
	"create link":   {rota.RoleViewer, false},
	"audit":         {rota.RoleAdmin, false},

	"open session":  {rota.RoleNode, false},
	"await":         {rota.RoleNode, false},
	"renew":         {rota.RoleNode, false},
	"exchange":      {rota.RoleNode, false},
	"keep output":   {rota.RoleNode, false},
	"keep artifact": {rota.RoleNode, false},
	"show output":   {rota.RoleNode, false},
	"input":         {rota.RoleNode, false},
	"program":       {rota.RoleNode, false},
	"close session": {rota.RoleNode, false},
}

// allow says in whose name a call is made, or refuses it.
func (s *Server) allow(ctx context.Context, method string) (rota.Principal, error) {
	p, ok := rota.PrincipalOf(ctx)
	if !ok || p.Name == "" {
		return p, rota.Errorf(rota.ErrUnauthenticated, "%s: nobody is named as who asks", method).
			WithFix("ask through the node's own socket, or give a token")
	}
	need := permits[method]
	if p.Within != 0 && !need.within {
		return p, rota.Errorf(rota.ErrDenied, "%s: a running job may only submit, and look at what it submitted", method)
	}
	if !p.Role.May(need.least) {
		return p, rota.Errorf(rota.ErrDenied, "%s: %s has the role %s, and this takes the role %s", method, p.Name, p.Role, need.least).
			WithFix("use a token with the role %s: an admin makes it", need.least)
	}
	return p, nil
}

// operates reports whether the principal may act on what belongs to others.
func operates(p rota.Principal) bool { return p.Role.Rank() >= rota.RoleOperator.Rank() }

// mayBring refuses new work that comes over the network from below operator: its jobs run as the node's own user, so
// that submitting would equal owning the node (P28). A job's own submissions come from work that is already here.
func (s *Server) mayBring(p rota.Principal, method string) error {
	if !p.Remote || p.Within != 0 || operates(p) || s.opts.TrustSubmitters {
		return nil
	}
	return rota.Errorf(rota.ErrDenied, "%s: jobs run here as the node's own user, so %s, who comes over the network with the role %s, would own the node",
		method, p.Name, p.Role).
		WithFix("use a token with the role operator, or start the node with --trust-submitters")
}

// inScope refuses what is of a queue that the principal has no part in.
func inScope(p rota.Principal, queue, what string) error {
	if rota.InQueues(p.Queues, queue) {
		return nil
	}
	return rota.Errorf(rota.ErrDenied, "%s: it is of the queue %s, and %s may only have to do with %s", what, queue, p.Name, p.Queues).
		WithFix("ask an admin for the queue")
}

// everywhere refuses what is of no queue to who is limited to some.
func everywhere(p rota.Principal, method string) error {
	if p.Queues == "" {
		return nil
	}
	return rota.Errorf(rota.ErrDenied, "%s: that is for all queues, and %s may only have to do with %s", method, p.Name, p.Queues).WithFix("ask an admin")
}

// maySee refuses to a running job all jobs but its children, and to who is limited to queues those of others. Everybody
// else may look at everything.
func maySee(p rota.Principal, job *rota.Job) error {
	if err := inScope(p, cmp.Or(job.Queue, job.Spec.Queue), "job "+job.ID.String()); err != nil {
		return err
	}
	if p.Within != 0 && job.Parent != p.Within {
		return rota.Errorf(rota.ErrDenied, "job %v: task %v did not submit it, and may look at its own jobs only", job.ID, p.Within)
	}
	return nil
}

// mayChange refuses changes to another's job to those who do not operate.
func mayChange(p rota.Principal, job *rota.Job) error {
	if err := maySee(p, job); err != nil || operates(p) || job.Submitter == p.Name {
		return err
	}
	return rota.Errorf(rota.ErrDenied, "job %v: it is %s's, and %s has the role %s", job.ID, job.Submitter, p.Name, p.Role).
		WithFix("use a token with the role %s: an admin makes it", rota.RoleOperator)
}

// narrow keeps a query to what the principal may see.
func narrow(p rota.Principal, f *rota.Filter) error {
	if p.Within == 0 {
		return nil
	}
	if f.Parent != 0 && f.Parent != p.Within {
		return rota.Errorf(rota.ErrDenied, "task %v: may look at its own jobs only, not at those of %v", p.Within, f.Parent)
	}
	f.Parent = p.Within
	return nil
}

// own keeps an operation to what the principal may act on.
func own(p rota.Principal, f *rota.Filter) error {
	if operates(p) {
		return nil
	}
	if f.Submitter != "" && f.Submitter != p.Name {
		return rota.Errorf(rota.ErrDenied, "the jobs are %s's, and %s has the role %s", f.Submitter, p.Name, p.Role).
			WithFix("use a token with the role %s: an admin makes it", rota.RoleOperator)
	}
	f.Submitter = p.Name
	return nil
}

// seesEnv reports whether the principal may see the environment of a submitter's jobs: secrets stand in it.
func seesEnv(p rota.Principal, submitter string) bool {
	return p.Name == submitter || p.Role == rota.RoleAdmin
}
