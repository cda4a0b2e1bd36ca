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

// StoreSamples are what all queues together held since a time.
func (s *Server) StoreSamples(ctx context.Context, since time.Time) ([]rota.StoreSample, error) {
	p, err := s.allow(ctx, "store samples")
	if err == nil && p.Queues != "" {
		err = rota.Errorf(rota.ErrDenied, "what all queues together hold is not for a token for some of them").WithFix("rota queue ls")
	}
	if err != nil {
		return nil, err
	}
	all, err := s.store.StoreSamples(ctx, since)
	return all, s.outward(err)
}

// measure takes a sample of the queues.
func (s *Server) measure(ctx context.Context) (time.Duration, error) {
	now, err := s.now(ctx)
	if err != nil {
		return 0, err
	}
	queues, err := s.queues(ctx)
	if err != nil {
		return 0, err
	}
	return rota.StoreSampleEvery, s.store.KeepStoreSample(ctx, rota.StoreSampleOf(queues, now))
}
