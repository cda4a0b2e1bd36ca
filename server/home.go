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
	mu   sync.Mutex
	jobs map[rota.JobID]bool
}

func (h *home) add(id rota.JobID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.jobs == nil {
		h.jobs = map[rota.JobID]bool{}
	}
	h.jobs[id] = true
}

// waiting counts the tasks of these jobs that have neither ended nor run, and forgets the jobs that have ended.
func (h *home) waiting(ctx context.Context, store rota.Store) (int, error) {
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
	return n, nil
}
