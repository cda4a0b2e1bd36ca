package discipline

// sfq: start-time fair queueing between flows (Goyal, Vin and Cheng, 1996). A task's rank is the virtual time at which
// its turn comes: S = max(V, F), where V is the queue's virtual time and F what its flow has used; then F = S + cost/weight.
// Whatever the flows bring, the starts of two that both wait, each divided by its weight, differ by one task of each at
// most, over any stretch of time. Of one flow the tasks go in the order in which they came.
var sfq = Discipline{Flows: true, ranks: func(a Arrival, n int) (first, step int64) {
	first, step = max(a.Turn.Virtual, a.Flow.Tag), a.Flow.Step()
	a.Flow.Tag = first + int64(n)*step
	a.Turn.Most = max(a.Turn.Most, a.Flow.Tag)
	return first, step
}}

// unit is the virtual time that a task of a flow with weight 1 takes.
const unit = 1 << 20

// The weights that a flow may have.
const (
	MinWeight = 0.001
	MaxWeight = 1000
)

// Turn is how far a queue has come in virtual time.
type Turn struct {
	Virtual int64 // the greatest rank that was claimed
	Most    int64 // the greatest tag that a flow was given
}

// Claimed tells the rank of a task that was claimed.
func (t *Turn) Claimed(rank int64) { t.Virtual = max(t.Virtual, rank) }

// Idle tells that nothing waits in the queue: what flows have used before is of no account any more, all begin alike.
func (t *Turn) Idle() { t.Virtual = max(t.Virtual, t.Most) }

// Flow is one of those that share a queue: a user, or all that have one value of a label.
type Flow struct {
	Weight float64 // its share, beside the others'; 0: 1
	Tag    int64   // virtual time that it has used
}

// Step is the virtual time that a task of the flow takes.
func (f *Flow) Step() int64 {
	w := f.Weight
	if w == 0 {
		w = 1
	}
	return max(1, int64(unit/min(max(w, MinWeight), MaxWeight)))
}

// Close gives ranks anew to the n tasks of the flow that wait behind the place from, in their order, when others of it
// left from there without having been claimed: none of the flow's turns stays empty, and what comes now goes after them.
// What was claimed before keeps its rank: it has had its turn.
func (f *Flow) Close(from int64, n int) (first, step int64) {
	step = f.Step()
	f.Tag = from + int64(n)*step
	return from, step
}
