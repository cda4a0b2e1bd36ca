package sqlstore

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// crowd is how much waits in the store of BenchmarkClaim: ROTA_BENCH_TASKS tasks, a million by default.
type crowd struct{ queues, flows, gated, tasks int }

func (c crowd) tasksIn() int {
	if n, err := strconv.Atoi(os.Getenv("ROTA_BENCH_TASKS")); err == nil {
		return n
	}
	return c.tasks
}

// fill submits arrays, one for each flow of each queue, at whose head stands one that is limited.
func (c crowd) fill(b *testing.B, s *Store) {
	b.Helper()
	ctx := context.Background()
	submit := func(jobs []rota.NewJob) {
		if _, err := s.Submit(ctx, jobs); err != nil {
			b.Fatal(err)
		}
	}
	fair := "sfq"
	name := func(i int) string { return fmt.Sprint("q", i%c.queues) }
	for i := range c.queues {
		change := rota.QueueChange{}
		if c.flows > 1 {
			change.Discipline = &fair
		}
		if _, err := s.ChangeQueue(ctx, name(i), change); err != nil {
			b.Fatal(err)
		}
	}
	if c.gated > 0 {
		head := plain(1, "")
		head[0].Spec.Queue, head[0].Spec.Limit = name(0), 1
		head[0].Spec.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: c.gated}}}
		submit(head)
	}
	if c.flows == 0 {
		for range c.tasksIn() / 500 {
			submit(plain(500, ""))
		}
		return
	}
	jobs := plain(c.flows, "")
	for i := range jobs {
		jobs[i].Spec.Queue, jobs[i].Submitter = name(i), fmt.Sprint("user", i)
		jobs[i].Spec.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: c.tasksIn() / len(jobs)}}}
	}
	for some := range slices.Chunk(jobs, 500) {
		submit(some)
	}
	for more := true; more; {
		swept, err := s.Sweep(ctx, rota.Sweep{What: rota.SweepMake})
		if err != nil {
			b.Fatal(err)
		}
		more = swept.More
	}
}

// BenchmarkClaim finishes and claims in a store in which a million tasks wait: in one plain queue, and in 200 queues that
// 10,000 flows share, with 100,000 tasks behind a gate at their head. It tells the median exchange of each size for both,
// taken by turns, and how much more the second is. The first claim from each flow, which has to read its job and comes upon
// pages that nobody has looked at, is told by itself: it is one of a hundred.
func BenchmarkClaim(b *testing.B) {
	open := func(name string) *Store { return openBench(b) }
	if place := os.Getenv("ROTA_BENCH_POSTGRES"); place != "" { // two databases: PLACE and PLACE_crowded
		open = func(name string) *Store {
			s, err := Open(context.Background(), place+name, Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { s.Close() })
			if _, err := s.OpenSession(context.Background(), rota.Opening{Session: "s", Node: rota.Node{Name: "n"}, Key: "k"}); err != nil {
				b.Fatal(err)
			}
			return s
		}
	}
	const flows = 10_000
	stores := []*claimer{{s: open("")}, {s: open("_crowded")}}
	crowd{queues: 1, tasks: 1_000_000}.fill(b, stores[0].s)
	crowd{queues: 200, flows: flows, gated: 100_000, tasks: 1_000_000}.fill(b, stores[1].s)
	inTurns := func(b *testing.B, rounds, size int) (plain, crowded float64) {
		took := make([][]time.Duration, len(stores))
		for range rounds {
			for i, c := range stores {
				took[i] = append(took[i], c.exchange(b, size))
			}
		}
		var medians []float64
		for i := range took {
			slices.Sort(took[i])
			medians = append(medians, float64(took[i][len(took[i])/2].Microseconds()))
		}
		return medians[0], medians[1]
	}
	firstPlain, firstCrowded := inTurns(b, flows, 1)
	for _, size := range []int{1, 16, 100} {
		b.Run(fmt.Sprint("size=", size), func(b *testing.B) {
			plain, crowded := inTurns(b, max(b.N, 50), size)
			b.ReportMetric(plain, "plain-us")
			b.ReportMetric(crowded, "crowded-us")
			b.ReportMetric(crowded/plain, "ratio")
			if size == 1 {
				b.ReportMetric(firstCrowded/firstPlain, "first-ratio")
			}
		})
	}
}

// claimer finishes what it has with each claim.
type claimer struct {
	s    *Store
	seq  int64
	done []rota.Finish
}

func (c *claimer) exchange(b *testing.B, size int) time.Duration {
	c.seq++
	zero := 0
	begun := time.Now()
	out, err := c.s.Exchange(context.Background(), rota.Exchange{Session: "s", Seq: c.seq, Finished: c.done, Claim: rota.Claim{Max: size}})
	took := time.Since(begun)
	if err != nil || len(out.Refused) > 0 || len(out.Claimed) < size {
		b.Fatal(err, out.Refused, len(out.Claimed))
	}
	c.done = c.done[:0]
	for _, a := range out.Claimed {
		c.done = append(c.done, rota.Finish{Try: a.Try, Outcome: rota.OutcomeSucceeded, Exit: &zero, StartedAgo: 1000, EndedAgo: 1000})
	}
	return took
}
