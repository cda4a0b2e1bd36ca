package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// BenchmarkPostgres claims and finishes the tasks of single jobs in the database that ROTA_BENCH_POSTGRES names, with one
// and with several nodes at once.
func BenchmarkPostgres(b *testing.B) {
	place := os.Getenv("ROTA_BENCH_POSTGRES")
	if place == "" {
		b.Skip("ROTA_BENCH_POSTGRES names no database")
	}
	for _, nodes := range []int{1, 4, 8} {
		b.Run(fmt.Sprint("nodes=", nodes), func(b *testing.B) {
			ctx := context.Background()
			first, err := Open(ctx, place, Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer first.Close()
			for i := 0; i < b.N; i += 500 {
				if _, err := first.Submit(ctx, plain(min(500, b.N-i), "")); err != nil {
					b.Fatal(err)
				}
			}
			var work sync.WaitGroup
			b.ResetTimer()
			for n := range nodes {
				s, err := Open(ctx, place, Options{})
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				work.Go(func() { claimAll(b, s, rota.SessionID(fmt.Sprint(b.Name(), b.N, n)), 500) })
			}
			work.Wait()
		})
	}
}

// claimAll claims and finishes until nothing is left.
func claimAll(b *testing.B, s *Store, session rota.SessionID, size int) {
	ctx := context.Background()
	if _, err := s.OpenSession(ctx, rota.Opening{Session: session, Node: rota.Node{Name: "n"}, Key: "k"}); err != nil {
		b.Error(err)
		return
	}
	var done []rota.Finish
	zero := 0
	for seq := int64(1); ; seq++ {
		out, err := s.Exchange(ctx, rota.Exchange{Session: session, Seq: seq, Finished: done, Claim: rota.Claim{Max: size}})
		if err != nil || len(out.Refused) > 0 {
			b.Error(err, out.Refused)
			return
		}
		if len(out.Claimed) == 0 {
			return
		}
		done = done[:0]
		for _, a := range out.Claimed {
			done = append(done, rota.Finish{Try: a.Try, Outcome: rota.OutcomeSucceeded, Exit: &zero, StartedAgo: 1000, EndedAgo: 1000})
		}
	}
}

// BenchmarkPostgresLongTransaction claims while a transaction is open that began before the first claim, and tells how long
// the slowest hundredth of the exchanges took, beside that of a fresh table without one.
func BenchmarkPostgresLongTransaction(b *testing.B) {
	place := os.Getenv("ROTA_BENCH_POSTGRES")
	if place == "" {
		b.Skip("ROTA_BENCH_POSTGRES names no database")
	}
	ctx := context.Background()
	s, err := Open(ctx, place, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	session := rota.SessionID(fmt.Sprint("long", b.N, time.Now().UnixNano()))
	if _, err := s.OpenSession(ctx, rota.Opening{Session: session, Node: rota.Node{Name: "n"}, Key: "k"}); err != nil {
		b.Fatal(err)
	}
	seq := int64(0)
	run := func(tasks int) (p99 time.Duration) {
		array := plain(1, "")
		array[0].Spec.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: tasks}}}
		if _, err := s.Submit(ctx, array); err != nil {
			b.Fatal(err)
		}
		for more := true; more; {
			swept, err := s.Sweep(ctx, rota.Sweep{What: rota.SweepMake})
			if err != nil {
				b.Fatal(err)
			}
			more = swept.More
		}
		var took []time.Duration
		var done []rota.Finish
		zero := 0
		for {
			seq++
			begun := time.Now()
			out, err := s.Exchange(ctx, rota.Exchange{Session: session, Seq: seq, Finished: done, Claim: rota.Claim{Max: 100}})
			if err != nil {
				b.Fatal(err)
			}
			if took = append(took, time.Since(begun)); len(out.Claimed) == 0 {
				break
			}
			done = done[:0]
			for _, a := range out.Claimed {
				done = append(done, rota.Finish{Try: a.Try, Outcome: rota.OutcomeSucceeded, Exit: &zero, StartedAgo: 1000, EndedAgo: 1000})
			}
		}
		slices.Sort(took)
		return took[len(took)*99/100]
	}
	fresh := run(20_000)
	long, err := s.engine.(*postgres).readers.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		b.Fatal(err)
	}
	defer long.Rollback()
	if err := long.QueryRow(`SELECT count(*) FROM job`).Scan(new(int)); err != nil {
		b.Fatal(err)
	}
	run(b.N)
	beside := run(20_000)
	b.ReportMetric(float64(fresh.Microseconds()), "fresh-p99-us")
	b.ReportMetric(float64(beside.Microseconds()), "beside-p99-us")
	b.ReportMetric(float64(beside)/float64(fresh), "ratio")
}
