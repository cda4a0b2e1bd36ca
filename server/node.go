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
	p, err := s.allow(ctx, "drain node")
	if err == nil {
		err = everywhere(p, "drain node")
	}
	if err != nil {
		return err
	}
	open, err := s.store.DrainNode(by(ctx, p, "drain node", "node "+name, ""), name)
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

// ChangeNode changes settings of a node.
func (s *Server) ChangeNode(ctx context.Context, name string, c rota.NodeChange) (rota.Node, error) {
	_, err := s.allow(ctx, "change node")
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		return rota.Node{}, err
	}
	n, err := s.store.ChangeNode(ctx, name, c)
	if err != nil {
		return n, s.outward(err)
	}
	s.ready() // it may claim what it could not
	s.log.Info("settings of a node have changed", "node", name)
	return n, nil
}

// PauseNode asks a node to claim nothing, or to go on.
func (s *Server) PauseNode(ctx context.Context, name string, paused bool) error {
	p, err := s.allow(ctx, "pause node")
	if err == nil {
		err = everywhere(p, "pause node")
	}
	if err != nil {
		return err
	}
	open, err := s.store.PauseNode(by(ctx, p, map[bool]string{true: "pause node", false: "resume node"}[paused], "node "+name, ""), name, paused)
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
	p, err := s.allow(ctx, "remove node")
	if err == nil {
		err = everywhere(p, "remove node")
	}
	if err != nil {
		return err
	}
	if err := s.store.RemoveNode(by(ctx, p, "remove node", "node "+name, map[bool]string{true: "never to come back"}[lost]), name, lost); err != nil {
		return s.outward(err)
	}
	s.loops.rescuing.wake()
	s.log.Info("a node is removed", "node", name, "lost", lost)
	return nil
}
