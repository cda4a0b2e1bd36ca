package server

import (
	"context"
	"errors"
	"sync"

	"github.com/rotaqueue/rota"
)

// home remembers the jobs that were submitted through a transient node's server, to tell them from the others that
// wait for the next whole node (P27).
type home struct {
	mu     sync.Mutex
	jobs   map[rota.JobID]bool
	asked  bool
	before int // tasks that waited before the first of these jobs came: there can be no more others than that
}

// first counts, once, what waits before anything is submitted through this server.
func (h *home) first(ctx context.Context, store rota.Store) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked {
		return nil
	}
	queues, err := store.Queues(ctx)
	if err != nil {
		return err
	}
	for _, q := range queues {
		for state, n := range q.Counts {
			if !state.Ended() && state != rota.Running {
				h.before += n
			}
		}
	}
	h.asked = true
	return nil
}

func (h *home) add(id rota.JobID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.jobs == nil {
		h.jobs = map[rota.JobID]bool{}
	}
	h.jobs[id] = true
}

// others counts, of so many tasks that wait, those that are not of these jobs. It forgets the jobs that have ended.
func (h *home) others(ctx context.Context, store rota.Store, waiting int) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for id := range h.jobs {
		job, err := store.Job(ctx, id)
		switch {
		case err != nil && !errors.Is(err, rota.ErrNotFound):
			return 0, err
		case err != nil || job.Progress.Ended():
			delete(h.jobs, id)
		default:
			n += job.Left() - job.Running
		}
	}
	return min(max(waiting-n, 0), h.before), nil
}
