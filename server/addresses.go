package server

import (
	"context"

	"github.com/rotaqueue/rota"
)

// addresses are those at which a node that came over the network can ask as well, this server's included (P29).
// Nodes in this process need none, and nothing is refused for want of them.
func (s *Server) addresses(ctx context.Context, p rota.Principal) []string {
	if p.Role != rota.RoleNode {
		return nil
	}
	nodes, err := s.store.Nodes(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Warn("a node is not told of other servers", "node", p.Node, "err", err)
	}
	var all []string
	for _, n := range nodes {
		if n.API != "" && n.State != rota.NodeDown && n.State != rota.NodeLost {
			all = append(all, n.API)
		}
	}
	return all
}
