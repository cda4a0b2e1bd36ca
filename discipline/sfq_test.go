package discipline_test

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rotaqueue/rota/discipline"
)

// line is a queue in memory, kept as a store keeps it: tasks with ranks, and the figures of the queue and of its flows.
type line struct {
	turn  discipline.Turn
	flows []discipline.Flow
	wait  []waiting
	ids   int
}

type waiting struct {
	flow  int
	rank  int64
	id    int
	again bool // was claimed before
}

func newLine(weights ...float64) *line {
	l := &line{}
	for _, w := range weights {
		l.flows = append(l.flows, discipline.Flow{Weight: w})
	}
	return l
}

func (l *line) come(t *rapid.T, flow, n int) {
	sfq, err := discipline.Of("sfq")
	if err != nil {
		t.Fatal(err)
	}
	if len(l.wait) == 0 {
		l.turn.Idle()
	}
	first, step := sfq.Ranks(discipline.Arrival{Turn: &l.turn, Flow: &l.flows[flow]}, n)
	for i := range n {
		l.ids++
		l.wait = append(l.wait, waiting{flow: flow, rank: first + int64(i)*step, id: l.ids})
	}
}

func (l *line) claim() waiting {
	l.sort()
	x := l.wait[0]
	l.wait = l.wait[1:]
	l.turn.Claimed(x.rank)
	return x
}

func (l *line) sort() {
	slices.SortFunc(l.wait, func(a, b waiting) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id)) })
}

// leave takes tasks of a flow away, as a cancel, a hold or a move does.
func (l *line) leave(flow int, which func(nth int) bool) (n int) {
	l.sort()
	nth, from := 0, int64(-1)
	l.wait = slices.DeleteFunc(l.wait, func(x waiting) bool {
		if x.flow != flow {
			return false
		}
		nth++
		if !which(nth - 1) {
			return false
		}
		n++
		if !x.again && (from < 0 || x.rank < from) {
			from = x.rank
		}
		return true
	})
	if from < 0 {
		return n
	}
	var behind []*waiting
	for i := range l.wait {
		if x := &l.wait[i]; x.flow == flow && !x.again && x.rank > from {
			behind = append(behind, x)
		}
	}
	first, step := l.flows[flow].Close(from, len(behind))
	for i, x := range behind {
		x.rank = first + int64(i)*step
	}
	return n
}

func (l *line) has(flow int) bool {
	return slices.ContainsFunc(l.wait, func(x waiting) bool { return x.flow == flow && !x.again })
}

// pairs follow, of each two flows, what they were given while both waited.
type pairs map[[2]int]*stretch

type stretch struct{ is, least, most int64 }

// P22 D8: whatever comes, is claimed, cancelled, moved and tried again: of two flows that both wait, the starts, each times
// what a task of it costs, differ by one task of each at most, over any stretch of time.
func TestP22SFQIsFairOverAnyStretch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.5, 1, 2, 3, 7.5, 100}), 2, 5).Draw(t, "weights")
		queues := []*line{newLine(weights...), newLine(weights...)}
		seen := []pairs{{}, {}}
		var claimed [2][]waiting
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			q := rapid.IntRange(0, 1).Draw(t, "queue")
			l, flow := queues[q], rapid.IntRange(0, len(weights)-1).Draw(t, "flow")
			which := func(nth int) bool { return rapid.Bool().Draw(t, "this") }
			switch rapid.SampledFrom([]string{"come", "claim", "claim", "claim", "cancel", "move", "retry"}).Draw(t, "act") {
			case "come":
				l.come(t, flow, rapid.IntRange(1, 20).Draw(t, "n"))
			case "claim":
				for range min(len(l.wait), rapid.IntRange(1, 10).Draw(t, "n")) {
					claimed[q] = append(claimed[q], l.claimFairly(t, seen[q]))
				}
			case "cancel":
				l.leave(flow, which)
			case "move":
				if n := l.leave(flow, which); n > 0 {
					queues[1-q].come(t, flow, n)
				}
			case "retry": // keeps its rank
				if n := len(claimed[q]); n > 0 {
					x := claimed[q][n-1]
					x.again = true
					l.wait, claimed[q] = append(l.wait, x), claimed[q][:n-1]
				}
			}
			for i := range queues {
				queues[i].forget(seen[i])
			}
		}
	})
}

// claimFairly claims the next task and holds all pairs of flows that wait to what is fair. What is claimed once more was paid for.
func (l *line) claimFairly(t *rapid.T, seen pairs) waiting {
	l.forget(seen)
	x := l.claim()
	if x.again {
		return x
	}
	for k, s := range seen {
		switch x.flow {
		case k[0]:
			s.is += l.flows[k[0]].Step()
		case k[1]:
			s.is -= l.flows[k[1]].Step()
		}
		s.least, s.most = min(s.least, s.is), max(s.most, s.is)
		if a, b := l.flows[k[0]].Step(), l.flows[k[1]].Step(); s.most-s.least > a+b {
			t.Fatalf("flows %v with tasks of %d and %d: over some stretch one had %d more than the other", k, a, b, s.most-s.least)
		}
	}
	return x
}

// forget ends the stretches of pairs of which one flow does not wait, and begins those of pairs that do.
func (l *line) forget(seen pairs) {
	for a := range l.flows {
		for b := a + 1; b < len(l.flows); b++ {
			k := [2]int{a, b}
			if !l.has(a) || !l.has(b) {
				delete(seen, k)
			} else if seen[k] == nil {
				seen[k] = &stretch{}
			}
		}
	}
}

// P22 Z2: of one flow the first that came goes first, whatever left from between.
func TestP22SFQKeepsAFlowsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLine(1, 3)
		last := map[int]int{}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			flow := rapid.IntRange(0, 1).Draw(t, "flow")
			switch rapid.IntRange(0, 3).Draw(t, "act") {
			case 0:
				l.come(t, flow, rapid.IntRange(1, 5).Draw(t, "n"))
			case 1:
				l.leave(flow, func(int) bool { return rapid.Bool().Draw(t, "this") })
			default:
				if len(l.wait) > 0 {
					x := l.claim()
					if x.id < last[x.flow] {
						t.Fatalf("flow %d: %d was claimed after %d", x.flow, x.id, last[x.flow])
					}
					last[x.flow] = x.id
				}
			}
		}
	})
}

// P22: a flow that had the queue for itself has no debt when another comes, and one that comes and cancels gains nothing.
func TestP22SFQBeginsAnew(t *testing.T) {
	l := newLine(0.01, 1)
	rapid.Check(t, func(t *rapid.T) { // for its T
		*l = *newLine(0.01, 1)
		l.come(t, 0, 5)
		for range 5 {
			l.claim()
		}
		l.come(t, 1, 11)
		l.come(t, 0, 1)
		if a, b := l.claim(), l.claim(); a.flow != 1 || b.flow != 0 || a.rank != b.rank {
			t.Fatalf("after a rest all begin alike: %+v, %+v", a, b)
		}
		l.come(t, 0, 1)
		for range 5 {
			l.leave(0, func(int) bool { return true })
			l.come(t, 0, 1)
		}
		for range 10 {
			if x := l.claim(); x.flow != 1 {
				t.Fatal("a flow has come before its turn by cancelling")
			}
		}
	})
}
