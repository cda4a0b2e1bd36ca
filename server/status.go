package server

import (
	"context"

	"github.com/rotaqueue/rota"
)

// Status is what the server says of itself and of who asks.
func (s *Server) Status(ctx context.Context) (rota.Status, error) {
	p, err := s.allow(ctx, "status")
	if err != nil {
		return rota.Status{}, err
	}
	id, err := s.store.Identity(ctx)
	if err != nil {
		return rota.Status{}, s.outward(err)
	}
	id.Secret = nil
	st := rota.Status{Version: rota.Version, Principal: p, Store: id, Node: s.opts.Node, API: s.opts.API, Transient: s.opts.Transient}
	if s.opts.Home != "" {
		if err := s.home.first(ctx, s.store); err != nil {
			return rota.Status{}, s.outward(err)
		}
	}
	queues, err := s.store.Queues(ctx)
	if err != nil {
		return rota.Status{}, s.outward(err)
	}
	for _, q := range queues {
		for state, n := range q.Counts {
			switch {
			case state == rota.Running:
				st.Running += n
			case !state.Ended():
				st.Waiting += n
			}
		}
	}
	if s.opts.Home != "" {
		if st.Others, err = s.home.others(ctx, s.store, st.Waiting); err != nil {
			return rota.Status{}, s.outward(err)
		}
	}
	return st, nil
}

// Queues are all queues with their counts.
func (s *Server) Queues(ctx context.Context) ([]rota.Queue, error) {
	if _, err := s.allow(ctx, "queues"); err != nil {
		return nil, err
	}
	all, err := s.store.Queues(ctx)
	return all, s.outward(err)
}

// ChangeQueue changes settings of a queue, which is made if it is not there yet. They hold for what waits in it too.
func (s *Server) ChangeQueue(ctx context.Context, name string, c rota.QueueChange) (rota.Queue, error) {
	_, err := s.allow(ctx, "change queue")
	if err == nil {
		err = rota.CheckQueueName(name)
	}
	if err != nil {
		return rota.Queue{}, err
	}
	q, err := s.store.ChangeQueue(ctx, name, c)
	return q, s.outward(err)
}
