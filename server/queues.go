package server

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/rotaqueue/rota"
)

// Queues are all queues with their counts.
func (s *Server) Queues(ctx context.Context) ([]rota.Queue, error) {
	p, err := s.allow(ctx, "queues")
	if err != nil {
		return nil, err
	}
	all, err := s.queues(ctx)
	all = slices.DeleteFunc(all, func(q rota.Queue) bool { return !rota.InQueues(p.Queues, q.Name) })
	return all, s.outward(err)
}

// ChangeQueue changes settings of a queue, which is made if it is not there yet. They hold for what waits in it too.
func (s *Server) ChangeQueue(ctx context.Context, name string, c rota.QueueChange) (rota.Queue, error) {
	p, err := s.allow(ctx, "change queue")
	if err == nil {
		err = rota.CheckQueueName(name)
	}
	if err == nil {
		err = inScope(p, name, "change queue")
	}
	if err != nil {
		return rota.Queue{}, err
	}
	q, err := s.store.ChangeQueue(by(ctx, p, "change queue", "queue "+name, changes(c)), name, c)
	if err != nil {
		return q, s.outward(err)
	}
	s.resettled()
	return q, nil
}

// resettled wakes whom settings of queues concern: what could not be claimed before may be, and jobs may have to be changed.
func (s *Server) resettled() {
	s.loops.operating.wake()
	s.ready()
}

// RenameQueue gives a queue another name.
func (s *Server) RenameQueue(ctx context.Context, name, to string) (rota.Queue, error) {
	p, err := s.allow(ctx, "rename queue")
	if err == nil {
		err = everywhere(p, "rename queue")
	}
	if err == nil {
		err = mayLose(name, "rename")
	}
	if err == nil {
		err = rota.CheckQueueName(to)
	}
	if err == nil && to[0] == '@' {
		err = rota.Invalid("rename queue %s: %s would be the own queue of a node", name, to)
	}
	if err != nil {
		return rota.Queue{}, err
	}
	q, err := s.store.RenameQueue(by(ctx, p, "rename queue", "queue "+name, "to "+to), name, to)
	if err != nil {
		return q, s.outward(err)
	}
	s.resettled()
	s.hub.changedAny()
	return q, nil
}

// DropQueue removes a queue in which nothing waits or runs.
func (s *Server) DropQueue(ctx context.Context, name string) error {
	p, err := s.allow(ctx, "drop queue")
	if err == nil {
		err = everywhere(p, "drop queue")
	}
	if err == nil {
		err = mayLose(name, "remove")
	}
	if err != nil {
		return err
	}
	return s.outward(s.store.DropQueue(by(ctx, p, "drop queue", "queue "+name, ""), name))
}

// mayLose refuses to take away the queues that Rota itself names.
func mayLose(name, what string) error {
	if err := rota.CheckQueueName(name); err != nil {
		return err
	}
	if name == rota.DefaultQueue || name[0] == '@' {
		return rota.Invalid("%s queue %s: jobs that name no queue go to %s, and each node has the queue of its own name", what, name, rota.DefaultQueue)
	}
	return nil
}

// changes are what is asked to be different, for the audit.
func changes(c any) string {
	text, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
