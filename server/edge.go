package server

import (
	"context"
	"maps"
	"slices"

	"github.com/rotaqueue/rota"
)

// Edges are which jobs run after which.
func (s *Server) Edges(ctx context.Context, q rota.EdgeQuery) ([]rota.Edge, error) {
	p, err := s.allow(ctx, "edges")
	if err == nil && len(q.Of) > rota.MaxEdgesOf {
		err = rota.Errorf(rota.ErrTooLarge, "edges of %d jobs", len(q.Of)).WithFix("ask for those of %d at most", rota.MaxEdgesOf)
	}
	if err == nil {
		err = prepare(p, &rota.Filter{}, &q.Max)
	}
	if err != nil {
		return nil, err
	}
	edges, err := s.store.Edges(ctx, q)
	if err != nil {
		return nil, s.outward(err)
	}
	if p.Queues == "" {
		return edges, nil
	}
	return s.edgesSeen(ctx, p, edges)
}

// edgesSeen are the edges between jobs that the principal may see.
func (s *Server) edgesSeen(ctx context.Context, p rota.Principal, edges []rota.Edge) ([]rota.Edge, error) {
	var f rota.Filter
	if err := s.scope(ctx, p, &f); err != nil {
		return nil, err
	}
	seen := map[rota.JobID]bool{}
	for _, e := range edges {
		seen[e.Job], seen[e.On] = false, false
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(seen)), rota.MaxEdgesOf) {
		f.Tasks = rota.SpansOf(part)
		jobs, err := s.store.Jobs(ctx, rota.JobQuery{Filter: f, Max: len(part)})
		if err != nil {
			return nil, s.outward(err)
		}
		for i := range jobs {
			seen[jobs[i].ID] = true
		}
	}
	return slices.DeleteFunc(edges, func(e rota.Edge) bool { return !seen[e.Job] || !seen[e.On] }), nil
}
