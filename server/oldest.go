package server

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rotaqueue/rota"
)

// oldest remembers which jobs have waited longest. Finding out is the work of many claims where a queue has just been emptied,
// and queues are looked at again and again: it takes a fiftieth of the time at most, and one asks for all.
type oldest struct {
	asking sync.Mutex
	seen   atomic.Pointer[oldestSeen]
}

type oldestSeen struct {
	all   map[string]rota.Oldest
	until rota.Elapsed
}

const (
	oldestFor   = 200 * time.Millisecond // it may be old by that, at the least
	oldestShare = 50
)

func (o *oldest) of(ctx context.Context, store rota.Store, elapsed func() rota.Elapsed) (map[string]rota.Oldest, error) {
	begun := elapsed()
	if seen := o.seen.Load(); seen != nil && (begun < seen.until || !o.asking.TryLock()) {
		return seen.all, nil
	} else if seen == nil {
		o.asking.Lock()
	}
	defer o.asking.Unlock()
	if seen := o.seen.Load(); seen != nil && begun < seen.until { // somebody did meanwhile
		return seen.all, nil
	}
	all, err := store.Oldest(ctx)
	if err == nil {
		ended := elapsed()
		o.seen.Store(&oldestSeen{all, ended + rota.Elapsed(max(oldestFor, oldestShare*ended.Sub(begun)))})
	}
	return all, err
}

// queues are all queues, with which job of each has waited longest.
func (s *Server) queues(ctx context.Context) ([]rota.Queue, error) {
	queues, err := s.store.Queues(ctx)
	if err != nil {
		return nil, err
	}
	ready := 0
	for i := range queues {
		ready += queues[i].Counts[rota.Ready]
	}
	if ready == 0 {
		return queues, nil
	}
	all, err := s.oldest.of(ctx, s.store, s.elapsed)
	for i := range queues {
		if o, waits := all[queues[i].Name]; waits && queues[i].Counts[rota.Ready] > 0 {
			queues[i].Oldest = &o
		}
	}
	return queues, err
}
