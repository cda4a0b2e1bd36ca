package serve

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/rotaqueue/rota"
)

// Slots are the node's, as all its jars share them. Room is how many are free when these jobs come, those of them that the
// node does not have yet; a job that is 0 is not submitted yet.
type Slots struct {
	Room func(ctx context.Context, coming []rota.JobID) int

	mu     sync.Mutex
	coming map[*hold]rota.JobID // all that are not over
}

// take keeps a slot for a job to be, if there is one free. With force there need not be: the job is the node's already.
func (s *Slots) take(ctx context.Context, h *hold, force bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !force && s.Room(ctx, slices.Collect(maps.Values(s.coming))) <= 0 {
		return false
	}
	if s.coming == nil {
		s.coming = map[*hold]rota.JobID{}
	}
	s.coming[h] = h.job
	return true
}

// named says which job it is that the slot is kept for.
func (s *Slots) named(h *hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.coming[h] = h.job
}

func (s *Slots) free(h *hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.coming, h)
}
