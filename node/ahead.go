package node

import (
	"time"

	"github.com/rotaqueue/rota"
)

// Claiming ahead is for short tasks in a backlog only: so many are claimed that the slots have some 20 ms of work
// waiting in the keeper, more where an exchange or a task takes long, and what ended lingers until several ends fill one
// commit.
// With long tasks, or without a backlog, a freed slot asks at once.
const (
	shortTask   = 50 * time.Millisecond
	maxAhead    = 1024
	leastLinger = 10 * time.Millisecond
	mostLinger  = 40 * time.Millisecond
	leastAhead  = 20 * time.Millisecond
	mostAhead   = 120 * time.Millisecond
	leastRun    = 100 * time.Microsecond // no task counts as shorter
)

// pace is how fast things go, as measured: means that weigh the younger more.
type pace struct {
	mean time.Duration // of a task's run; 0: none measured yet
	trip time.Duration // of an exchange
}

// ran counts one run.
func (p *pace) ran(d time.Duration) { p.mean = weigh(p.mean, max(d, leastRun)) }

// exchanged counts one exchange.
func (p *pace) exchanged(d time.Duration) { p.trip = weigh(p.trip, max(d, 1)) }

func weigh(mean, d time.Duration) time.Duration {
	if mean == 0 {
		return d
	}
	return mean + (d-mean)/8
}

// ahead is how many tasks beyond the slots the keeper should have waiting: what the slots do while an end lingers, and
// then until the answer comes.
func (p *pace) ahead(slots int, backlog bool) int {
	if !backlog || p.mean == 0 || p.mean >= shortTask || slots == 0 {
		return 0
	}
	work := max(leastAhead+2*p.trip, p.linger()+2*p.trip+p.mean)
	return min(perSlots(min(work, mostAhead), slots, p.mean), maxAhead)
}

// low is how many must wait in the keeper for an exchange to be put off: fewer could be gone before its answer
// comes, even if all slots came free at once.
func (p *pace) low(slots int) int { return slots + perSlots(2*p.trip, slots, p.mean) }

// linger is how long an end waits for others to go with it: where exchanges take long, because the machine is slow or
// busy, they are to be few, and where tasks do, few would go along in less.
func (p *pace) linger() time.Duration { return min(max(leastLinger, 4*p.trip, 4*p.mean), mostLinger) }

// perSlots is how many runs the slots do in a time, rounded up.
func perSlots(d time.Duration, slots int, run time.Duration) int {
	return int((int64(d)*int64(slots) + int64(run) - 1) / int64(run))
}

// room is how many tasks the next claim may bring.
func (r *reactor) room(now rota.Elapsed) int {
	if r.mode != up || r.isPaused() || r.unable.is || r.at[apart] > 0 || r.lone != nil || r.at[keeping] > r.opts.Slots+maxKeeping {
		return 0
	}
	slots := r.slots(now)
	target := slots + r.pace.ahead(slots, r.backlog)
	return min(max(0, target-r.at[fetching]-r.at[inKeeper]-r.at[reading]), maxClaim)
}

// slots is how many slots are this node's at the moment. While others take some it looks again and again.
func (r *reactor) slots(now rota.Elapsed) int {
	if r.opts.Taken == nil {
		return r.opts.Slots
	}
	taken := r.opts.Taken()
	if taken > 0 {
		r.wake = min(r.wake, now+rota.Elapsed(takenLook))
	}
	return max(r.opts.Slots-taken, 0)
}

// takenLook is how often a node looks whether slots that others took have come free.
const takenLook = 100 * time.Millisecond

// lingers reports whether an exchange that could be sent is put off, so that more goes with it.
func (r *reactor) lingers(now rota.Elapsed) bool {
	if r.mode != up || r.pace.ahead(r.opts.Slots, r.backlog) == 0 {
		return false
	}
	if waiting := r.at[inKeeper] - r.opts.Slots; waiting <= r.pace.low(r.opts.Slots) {
		return false
	}
	if len(r.ready) == 0 {
		return true // the slots have work: an end will come and take the claim along
	}
	return !r.due(r.oldest+rota.Elapsed(r.pace.linger()), now)
}
