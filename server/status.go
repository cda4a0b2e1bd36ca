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
