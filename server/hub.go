package server

import (
	"sync"
	"sync/atomic"

	"github.com/rotaqueue/rota"
)

// hub is how one call wakes another within this server. A wake only hastens: who waits also looks again by itself,
// for what other servers of the same store have done.
type hub struct {
	claimable signal // something may have become claimable
	endings   signal // a running attempt may have been asked to end
	looks     signal // somebody would see what a running attempt writes
	asked     signal // a node was asked to drain, to pause or to go on

	watched atomic.Int64 // how many watch a job; a cheap no for the common case
	mu      sync.Mutex
	jobs    map[rota.JobID]*watch
}

type watch struct {
	signal
	watchers int
}

// watch is the signal of changes to a job. The watcher leaves when it has seen enough.
func (h *hub) watch(id rota.JobID) (changes *signal, leave func()) {
	h.watched.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.jobs == nil {
		h.jobs = map[rota.JobID]*watch{}
	}
	w := h.jobs[id]
	if w == nil {
		w = &watch{}
		h.jobs[id] = w
	}
	w.watchers++
	return &w.signal, func() {
		h.watched.Add(-1)
		h.mu.Lock()
		defer h.mu.Unlock()
		if w.watchers--; w.watchers == 0 {
			delete(h.jobs, id)
		}
	}
}

// changed wakes those who watch the job.
func (h *hub) changed(id rota.JobID) {
	if h.watched.Load() == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if w := h.jobs[id]; w != nil {
		w.raise()
	}
}

// changedAny wakes everybody who watches a job, when it is not known which have changed.
func (h *hub) changedAny() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.jobs {
		w.raise()
	}
}
