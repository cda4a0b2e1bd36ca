package sqlstore

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rotaqueue/rota"
)

func openBench(b *testing.B) *Store {
	s, err := Open(context.Background(), filepath.Join(b.TempDir(), "rota.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	_, err = s.OpenSession(context.Background(), rota.Opening{Session: "s", Node: rota.Node{Name: "n"}, Key: "k"})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func plain(n int, key string) []rota.NewJob {
	jobs := make([]rota.NewJob, n)
	for i := range jobs {
		jobs[i] = rota.NewJob{Submitter: "me", Hash: "h", Retry: rota.DefaultRetry(),
			Submission: rota.Submission{Spec: rota.Spec{Queue: "default", Executor: "exec", Argv: []string{"true"}, Grace: rota.DefaultGrace}}}
		if key != "" {
			jobs[i].Key = fmt.Sprint(key, i)
		}
	}
	return jobs
}

// drainAll claims and finishes tasks, so many in an exchange, until none is left.
func drainAll(b *testing.B, s *Store, size, want int) {
	ctx := context.Background()
	var done []rota.Finish
	zero := 0
	for seq, n := int64(1), 0; n < want; seq++ {
		out, err := s.Exchange(ctx, rota.Exchange{Session: "s", Seq: seq, Finished: done, Claim: rota.Claim{Max: size}})
		if err != nil || len(out.Refused) > 0 {
			b.Fatal(err, out.Refused)
		}
		n += len(done)
		done = done[:0]
		for _, a := range out.Claimed {
			done = append(done, rota.Finish{Try: a.Try, Outcome: rota.OutcomeSucceeded, Exit: &zero, StartedAgo: 1000, EndedAgo: 1000})
		}
		if n < want && len(done) == 0 {
			if sw, err := s.Sweep(ctx, rota.Sweep{What: rota.SweepMake}); err != nil || sw.Moved == 0 {
				b.Fatal("nothing left to claim", n, want, err)
			}
		}
	}
}

// One lifecycle a task: durable submit, claim and finish, nothing of it in one commit.
func BenchmarkLifecycle(b *testing.B) {
	for _, size := range []int{16, 100} {
		b.Run(fmt.Sprintf("single/%d", size), func(b *testing.B) {
			s := openBench(b)
			b.ResetTimer()
			for i := 0; i < b.N; i += size {
				if _, err := s.Submit(context.Background(), plain(size, fmt.Sprint(i, "-"))); err != nil {
					b.Fatal(err)
				}
			}
			drainAll(b, s, size, b.N)
		})
		b.Run(fmt.Sprintf("array/%d", size), func(b *testing.B) {
			s := openBench(b)
			b.ResetTimer()
			job := plain(1, "")
			job[0].Spec.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: b.N}}}
			if _, err := s.Submit(context.Background(), job); err != nil {
				b.Fatal(err)
			}
			drainAll(b, s, size, b.N)
		})
	}
}

func BenchmarkMake(b *testing.B) {
	s := openBench(b)
	job := plain(1, "")
	job[0].Spec.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: b.N}}}
	if _, err := s.Submit(context.Background(), job); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for {
		sw, err := s.Sweep(context.Background(), rota.Sweep{What: rota.SweepMake})
		if err != nil {
			b.Fatal(err)
		}
		if !sw.More {
			return
		}
	}
}
