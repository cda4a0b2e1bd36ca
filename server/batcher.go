package server

import (
	"context"
	"sync"
)

// batcher gathers what arrives while a call is in flight into the next call. It uses no timers: a lone item goes at
// once, and the batches grow as fast as the calls are slow.
type batcher[I, O any] struct {
	do    func([]I) []O // one answer for each item, in order
	weigh func(I) int   // what an item counts towards the limit
	limit int           // the weight of one call; an item that is heavier goes alone

	mu      sync.Mutex
	waiting []*pending[I, O]
	running bool
}

type pending[I, O any] struct {
	item   I
	answer O
	done   chan struct{}
}

// Do answers for one item. When ctx ends first its error is returned; the item is then done all the same, for
// others share the call that it is in (P6).
func (b *batcher[I, O]) Do(ctx context.Context, item I) (O, error) {
	p := &pending[I, O]{item: item, done: make(chan struct{})}
	if err := ctx.Err(); err != nil {
		return p.answer, err
	}
	b.mu.Lock()
	b.waiting = append(b.waiting, p)
	if !b.running {
		b.running = true
		go b.run()
	}
	b.mu.Unlock()

	select {
	case <-p.done:
		return p.answer, nil
	case <-ctx.Done():
		var none O
		return none, ctx.Err()
	}
}

func (b *batcher[I, O]) run() {
	for {
		batch := b.take()
		if batch == nil {
			return
		}
		items := make([]I, len(batch))
		for i, p := range batch {
			items[i] = p.item
		}
		for i, answer := range b.do(items) {
			batch[i].answer = answer
			close(batch[i].done)
		}
	}
}

// take takes what fits into one call, or says that nothing is left to do.
func (b *batcher[I, O]) take() []*pending[I, O] {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, weight := 0, 0
	for ; n < len(b.waiting); n++ {
		weight += b.weigh(b.waiting[n].item)
		if n > 0 && weight > b.limit {
			break
		}
	}
	if n == 0 {
		b.running, b.waiting = false, nil
		return nil
	}
	batch := b.waiting[:n:n]
	b.waiting = b.waiting[n:]
	return batch
}
