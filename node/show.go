package node

import (
	"context"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

// shows are what somebody looks at through another server.
type shows struct {
	mu  sync.Mutex
	all map[rota.Look]*show // by what they look at; numbers do not count
}

// show is one place in an output, and the latest wish to see what is there.
type show struct {
	number int64
	until  rota.Elapsed
}

// A file that is looked at grows: it is looked at again after showFirst, and ever less often up to showLast.
const (
	showFirst = 50 * time.Millisecond
	showLast  = 200 * time.Millisecond
)

// show answers looks beside everything else.
func (n *Node) show(ctx context.Context, looks []rota.Look) {
	n.shows.mu.Lock()
	defer n.shows.mu.Unlock()
	if n.shows.all == nil {
		n.shows.all = map[rota.Look]*show{}
	}
	for _, l := range looks {
		wish := show{l.Number, n.elapsed() + rota.Elapsed(rota.LookFor)}
		l.Number = 0
		if before := n.shows.all[l]; before != nil {
			*before = wish
			continue
		}
		if len(n.shows.all) < rota.MaxLooks {
			n.shows.all[l] = &wish
			n.calls.Go(func() { n.showUntil(ctx, l) })
		}
	}
}

// showUntil tells each wish at once what there is, and again as soon as there is something, or nobody waits any more. What
// cannot be told is not: who waits asks again.
func (n *Node) showUntil(ctx context.Context, l rota.Look) {
	told := int64(0)
	again := pauses{first: showFirst, cap: showLast}
	for {
		wish := n.wish(l)
		out, here, err := n.Output(ctx, rota.OutputQuery{Task: l.Task, Attempt: l.Attempt, Stream: l.Stream, Offset: l.Offset, Max: l.Max})
		if err != nil || !here {
			n.log.Debug("what is looked at cannot be shown", "task", l.Task, "attempt", l.Attempt, "err", err)
		}
		over := n.elapsed() >= wish.until || err != nil || !here
		if !over && (len(out.Data) > 0 || wish.number != told) {
			l := l
			l.Number = wish.number
			if n.svc.ShowOutput(ctx, l, out) == nil {
				told, over = wish.number, len(out.Data) > 0
			}
		}
		if over && n.endShow(l, wish.number) || !sleep(ctx, again.more()) {
			return
		}
	}
}

// wish is the latest one.
func (n *Node) wish(l rota.Look) show {
	n.shows.mu.Lock()
	defer n.shows.mu.Unlock()
	return *n.shows.all[l]
}

// endShow reports whether nobody wishes it again since that wish; then it is over.
func (n *Node) endShow(l rota.Look, number int64) bool {
	n.shows.mu.Lock()
	defer n.shows.mu.Unlock()
	over := n.shows.all[l].number == number
	if over {
		delete(n.shows.all, l)
	}
	return over
}
