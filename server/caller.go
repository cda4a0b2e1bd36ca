package server

import (
	"github.com/rotaqueue/rota"
)

// stamp writes into a spec who brought it, in the place of whatever it says of that, where a node may look at it (P28).
// What this node would refuse when it runs is refused now, unless others may run it.
func (s *Server) stamp(p rota.Principal, spec *rota.Spec) error {
	spec.Caller = nil
	if s.opts.RunAs == nil && !s.opts.Callers && spec.User == "" && len(spec.Secrets) == 0 {
		return nil
	}
	c := rota.Caller{User: p.Login, Admin: p.Role == rota.RoleAdmin, Fixed: p.Within != 0}
	if p.Remote && p.Within == 0 {
		c.User = ""
	}
	spec.Caller = &c
	if s.opts.Callers || s.opts.RunAs == nil {
		return nil
	}
	_, err := s.opts.RunAs.Of(spec, p.Name)
	return err
}
