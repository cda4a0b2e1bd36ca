package keeper

import (
	"sync"

	"github.com/rotaqueue/rota/executor"
)

// reports are ends on their way out. Whoever adds one never waits: what is ready when the reader comes goes out as
// one batch.
type reports struct {
	out  chan []executor.Exit
	some chan struct{} // holds one token while ready is not empty
	done chan struct{}
	gone chan struct{} // closed when nothing goes out any more

	mu    sync.Mutex
	ready []executor.Exit
}

func newReports() *reports {
	return &reports{out: make(chan []executor.Exit), some: make(chan struct{}, 1),
		done: make(chan struct{}), gone: make(chan struct{})}
}

func (r *reports) add(e executor.Exit) {
	r.mu.Lock()
	r.ready = append(r.ready, e)
	r.mu.Unlock()
	select {
	case r.some <- struct{}{}:
	default:
	}
}

func (r *reports) deliver() {
	defer close(r.gone)
	defer close(r.out)
	var batch []executor.Exit
	for {
		out := r.out
		if len(batch) == 0 {
			out = nil
		}
		select {
		case <-r.some:
			r.mu.Lock()
			batch = append(batch, r.ready...)
			r.ready = r.ready[:0]
			r.mu.Unlock()
		case out <- batch:
			batch = nil
		case <-r.done:
			return
		}
	}
}

func (r *reports) close() {
	close(r.done)
	<-r.gone
}
