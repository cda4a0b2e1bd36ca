// Package eta says when a task that waits will start, as a span into which nine starts of ten fall: from its place in the
// queue, the slots that serve it, how long what runs has been running, and how long tasks like it took. It touches values
// only, and has no randomness of its own: the same question has the same answer.
package eta

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Question is what is known of a task that waits.
type Question struct {
	Ahead   int             // tasks that start before it
	Slots   int             // that serve its queue
	Running []time.Duration // for how long what occupies slots has been running
	Took    []time.Duration // how long tasks took, the more the better

	longest []time.Duration // Running, the longest first
}

// Answer is a span from now.
type Answer struct{ From, To time.Duration }

const (
	// Least is how many durations have to be known for anything to be told.
	Least = 3

	lives   = 200   // futures that are played through
	played  = 2_000 // tasks ahead that are played one by one: of more, the sum is reckoned
	outside = 0.01  // of the futures, on either side of the span
)

// Of is the span, and false when nothing can be told.
func Of(q Question) (Answer, bool) {
	if q.Slots <= 0 || len(q.Took) < Least {
		return Answer{}, false
	}
	if free := q.Slots - len(q.Running); q.Ahead < free {
		return Answer{}, true
	}
	q.longest = slices.Clone(q.Running)
	slices.SortFunc(q.longest, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	q.longest = q.longest[:min(len(q.longest), q.Slots)]
	starts := make([]float64, lives)
	for i := range starts {
		// Whoever stands behind another lives through the same futures, and is not told to start before it.
		starts[i] = q.play(rand.New(rand.NewPCG(uint64(i)+1, uint64(q.Slots))))
	}
	slices.Sort(starts)
	from, to := starts[int(outside*lives)], starts[lives-1-int(outside*lives)]
	return Answer{time.Duration(from * 0.95), time.Duration(to*1.05) + 100*time.Millisecond}, true
}

// play is one future: durations are drawn from a sample drawn from the sample, so that a small one tells of wide spans.
func (q *Question) play(r *rand.Rand) float64 {
	took := make([]float64, len(q.Took))
	for i := range took {
		took[i] = float64(q.Took[r.IntN(len(q.Took))])
	}
	slices.Sort(took)
	free := make([]float64, q.Slots)
	// What runs counts as what was measured does, or short ones would seem the rule: it is the long ones that have not ended
	// yet. What has run longest is first, so that it counts for those that are to follow it (Kaplan and Meier, from the right).
	for i, ran := range q.longest {
		free[i] = left(took, float64(ran), r)
		whole := float64(ran) + free[i]
		at, _ := slices.BinarySearch(took, whole)
		took = slices.Insert(took, at, whole)
	}
	slices.Sort(free)
	if q.Ahead > played {
		return q.reckon(took, free, r)
	}
	for range q.Ahead {
		next := free[0] + took[r.IntN(len(took))]
		at, _ := slices.BinarySearch(free[1:], next)
		copy(free[:at], free[1:at+1])
		free[at] = next
	}
	return free[0]
}

// left is how much longer something runs that has run for some time: as those did that ran longer, or, when none did, as
// long again on average.
func left(took []float64, ran float64, r *rand.Rand) float64 {
	at, _ := slices.BinarySearch(took, ran)
	if at < len(took) {
		return took[at+r.IntN(len(took)-at)] - ran
	}
	return ran * r.ExpFloat64()
}

// reckon adds up what is ahead instead of playing it.
func (q *Question) reckon(took, free []float64, r *rand.Rand) float64 {
	mean, square := 0.0, 0.0
	for _, d := range took {
		mean += d / float64(len(took))
		square += d * d / float64(len(took))
	}
	n := float64(q.Ahead)
	busy := 0.0
	for _, f := range free {
		busy += f
	}
	work := n*mean + math.Sqrt(n*max(0, square-mean*mean))*r.NormFloat64()
	return max(0, (busy+work)/float64(q.Slots)-mean*float64(q.Slots-1)/float64(2*q.Slots))
}
