package sqlstore

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

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
