package server

import (
	"context"

	"github.com/rotaqueue/rota"
)

// Nodes are all nodes that the store remembers.
func (s *Server) Nodes(ctx context.Context) ([]rota.Node, error) {
	if _, err := s.allow(ctx, "nodes"); err != nil {
		return nil, err
	}
	all, err := s.store.Nodes(ctx)
	return all, s.outward(err)
}

// DrainNode asks a node to claim nothing more, to let what runs end, and then to end itself.
func (s *Server) DrainNode(ctx context.Context, name string) error {
	if _, err := s.allow(ctx, "drain node"); err != nil {
		return err
	}
	open, err := s.store.DrainNode(ctx, name)
	if err != nil {
		return s.outward(err)
	}
	for _, id := range open {
		s.sessions.drain(id)
	}
	s.hub.asked.raise()
	s.log.Info("a node is asked to drain", "node", name)
	return nil
}

// PauseNode asks a node to claim nothing, or to go on.
func (s *Server) PauseNode(ctx context.Context, name string, paused bool) error {
	if _, err := s.allow(ctx, "pause node"); err != nil {
		return err
	}
	open, err := s.store.PauseNode(ctx, name, paused)
	if err != nil {
		return s.outward(err)
	}
	for _, id := range open {
		s.sessions.pause(id, paused)
	}
	s.hub.asked.raise()
	s.log.Info(map[bool]string{true: "a node is asked to pause", false: "a node is let go on"}[paused], "node", name)
	return nil
}

// RemoveNode takes a node that is down or lost off the list.
func (s *Server) RemoveNode(ctx context.Context, name string, lost bool) error {
	if _, err := s.allow(ctx, "remove node"); err != nil {
		return err
	}
	if err := s.store.RemoveNode(ctx, name, lost); err != nil {
		return s.outward(err)
	}
	s.loops.rescuing.wake()
	s.log.Info("a node is removed", "node", name, "lost", lost)
	return nil
}
