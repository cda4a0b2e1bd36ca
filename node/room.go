package node

import (
	"context"

	"github.com/rotaqueue/rota"
)

// Room is how many slots are free when these jobs come, of one task each, those among them that the node does not hold
// yet. There is none while it claims nothing. The node's loop answers, which alone knows what it holds at that moment:
// its figures come later than the store's word that a task runs.
func (n *Node) Room(ctx context.Context, coming []rota.JobID) int {
	room := make(chan int, 1)
	answer := func(r *reactor, _ rota.Elapsed) { room <- r.roomBeside(coming) }
	select {
	case n.events <- answer:
	case <-n.gone:
		return 0
	case <-ctx.Done():
		return 0
	}
	select {
	case free := <-room:
		return free
	case <-n.gone:
		return 0
	case <-ctx.Done():
		return 0
	}
}

func (r *reactor) roomBeside(coming []rota.JobID) int {
	if r.state() != rota.NodeUp {
		return 0
	}
	held := make(map[rota.JobID]bool, len(r.held))
	for try := range r.held {
		held[try.Task.Job()] = true
	}
	free := r.opts.Slots - len(r.held)
	if r.opts.Taken != nil {
		free -= r.opts.Taken()
	}
	for _, job := range coming {
		if !held[job] {
			free--
		}
	}
	return max(free, 0)
}
