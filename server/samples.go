package server

import (
	"context"
	"time"

	"github.com/rotaqueue/rota"
)

// Samples are what an attempt of a task used over time (D6).
func (s *Server) Samples(ctx context.Context, task rota.TaskID, attempt int) (rota.Series, error) {
	p, err := s.allow(ctx, "samples")
	switch {
	case err == nil && attempt < 0:
		err = rota.Invalid("attempt %d: attempts are numbered from 1", attempt)
	case err == nil && (p.Within != 0 || p.Queues != ""):
		_, err = s.readable(ctx, p, task.Job())
	}
	if err != nil {
		return rota.Series{}, err
	}
	series, err := s.store.Samples(ctx, task, attempt)
	return series, s.outward(err)
}

// NodeSamples are what a node and its machine did since a time (D6).
func (s *Server) NodeSamples(ctx context.Context, node string, since time.Time) ([]rota.NodeSample, error) {
	if _, err := s.allow(ctx, "node samples"); err != nil {
		return nil, err
	}
	all, err := s.store.NodeSamples(ctx, node, since)
	return all, s.outward(err)
}
