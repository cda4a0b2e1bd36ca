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
	stop sync.Once

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
	some := r.some
	for some != nil || len(batch) > 0 {
		out := r.out
		if len(batch) == 0 {
			out = nil
		}
		select {
		case _, more := <-some:
			if !more {
				some = nil
			}
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

// end says that nothing will be added any more: when what is ready has gone out, out is closed.
func (r *reports) end() { close(r.some) }

// close ends the delivery at once. It may be called again.
func (r *reports) close() {
	r.stop.Do(func() { close(r.done) })
	<-r.gone
}
