package eta_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rotaqueue/rota/eta"
)

// kinds are how long tasks of a kind of work take.
var kinds = map[string]func(r *rand.Rand) time.Duration{
	"even":        func(r *rand.Rand) time.Duration { return time.Minute },
	"about":       func(r *rand.Rand) time.Duration { return time.Duration((60 + 20*r.Float64()) * float64(time.Second)) },
	"exponential": func(r *rand.Rand) time.Duration { return time.Duration(r.ExpFloat64() * float64(time.Minute)) },
	"long tail": func(r *rand.Rand) time.Duration {
		return time.Duration(math.Exp(r.NormFloat64()*1.2) * float64(10*time.Second))
	},
	"two kinds": func(r *rand.Rand) time.Duration {
		if r.IntN(5) == 0 {
			return time.Duration((500 + 200*r.Float64()) * float64(time.Second))
		}
		return time.Duration((5 + 3*r.Float64()) * float64(time.Second))
	},
}

// replay runs the work of a queue, and asks on the way, of tasks that wait, when they will start. It says how many of the
// starts fell into the span told, of how many, and how wide the spans were beside the waits.
func replay(r *rand.Rand, took func(*rand.Rand) time.Duration, slots, tasks int) (in, all int, width []float64) {
	durations := make([]time.Duration, tasks)
	starts := make([]time.Duration, tasks)
	free := make([]time.Duration, slots)
	for i := range durations {
		durations[i] = took(r)
		at := 0
		for k := range free {
			if free[k] < free[at] {
				at = k
			}
		}
		starts[i] = free[at]
		free[at] += durations[i]
	}
	for first := tasks / 4; first < tasks*3/4; first += 7 { // at this one's start
		now := starts[first]
		q := eta.Question{Slots: slots}
		for i := range tasks {
			switch end := starts[i] + durations[i]; {
			case starts[i] > now:
			case end > now:
				q.Running = append(q.Running, now-starts[i])
			default:
				q.Took = append(q.Took, durations[i])
			}
		}
		waiting := slices.IndexFunc(starts, func(at time.Duration) bool { return at > now })
		if waiting < 0 {
			break
		}
		for _, ahead := range []int{0, 3, 10, 40} {
			if waiting+ahead >= tasks {
				continue
			}
			q.Ahead = ahead
			span, ok := eta.Of(q)
			if !ok {
				continue
			}
			wait := starts[waiting+ahead] - now
			all++
			if wait >= span.From && wait <= span.To {
				in++
			}
			if wait > 0 {
				width = append(width, float64(span.To-span.From)/float64(wait))
			}
		}
	}
	return in, all, width
}

// Of replayed work nine starts of ten fall into the span that was told. The width is printed: a span of everything would do
// that too.
func TestNineStartsOfTenFallIntoTheSpanTold(t *testing.T) {
	allIn, allOf := 0, 0
	for name, took := range kinds {
		for _, slots := range []int{1, 4, 16} {
			t.Run(fmt.Sprintf("%s, %d slots", name, slots), func(t *testing.T) {
				in, all := 0, 0
				var width []float64
				for seed := range uint64(4) {
					a, b, w := replay(rand.New(rand.NewPCG(seed, 7)), took, slots, 200)
					in, all, width = in+a, all+b, append(width, w...)
				}
				slices.Sort(width)
				allIn, allOf = allIn+in, allOf+all
				share := float64(in) / float64(all)
				t.Logf("%.1f %% of %d starts; the span is %.2f times the wait as wide (median), %.2f (nine of ten)", 100*share, all,
					width[len(width)/2], width[len(width)*9/10])
				if share < 0.85 { // of no kind much fewer
					t.Errorf("%.1f %% of the starts fall into the span told", 100*share)
				}
			})
		}
	}
	share := float64(allIn) / float64(allOf)
	t.Logf("%.1f %% of all %d starts fall into the span told", 100*share, allOf)
	if share < 0.9 {
		t.Errorf("%.1f %% of all starts fall into the span told", 100*share)
	}
}

func TestTheSameQuestionHasTheSameAnswer(t *testing.T) {
	q := eta.Question{Ahead: 5, Slots: 2, Running: []time.Duration{time.Second, 2 * time.Second}, Took: []time.Duration{3e9, 4e9, 5e9}}
	a, ok := eta.Of(q)
	if b, _ := eta.Of(q); !ok || a != b || a.From <= 0 || a.To < a.From {
		t.Errorf("%v, and then %v", a, b)
	}
	if a, ok := eta.Of(eta.Question{Ahead: 1, Slots: 4, Running: q.Running, Took: q.Took}); !ok || a != (eta.Answer{}) {
		t.Errorf("with free slots: %v", a)
	}
	for name, q := range map[string]eta.Question{"no slots": {Took: q.Took}, "nothing measured": {Slots: 1}} {
		if _, ok := eta.Of(q); ok {
			t.Errorf("%s: something is told", name)
		}
	}
	many, ok := eta.Of(eta.Question{Ahead: 10_000, Slots: 4, Took: q.Took})
	if mean := 10_000 * 4 * time.Second / 4; !ok || many.From > mean || many.To < mean || many.To-many.From > mean {
		t.Errorf("of many: %v, and they take %v", many, mean)
	}
}

// TestB3WhoStandsBehindIsNotToldToStartBefore: of two places in a queue, the one behind is told neither an earlier beginning
// nor an earlier end of its span.
func TestB3WhoStandsBehindIsNotToldToStartBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		durations := rapid.SliceOfN(rapid.Map(rapid.IntRange(1, 100_000), func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }), eta.Least, 40)
		q := eta.Question{Slots: rapid.IntRange(1, 8).Draw(t, "slots"), Took: durations.Draw(t, "took"), Running: durations.Draw(t, "running")}
		var last eta.Answer
		for q.Ahead = range 60 {
			a, ok := eta.Of(q)
			if !ok || a.From < last.From || a.To < last.To {
				t.Fatalf("with %d ahead: %v, %v; with one less: %v", q.Ahead, a, ok, last)
			}
			last = a
		}
	})
}
