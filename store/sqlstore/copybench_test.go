package sqlstore

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// BenchmarkCopy copies a store of 200,000 jobs each way, half of them with output and an earlier attempt, and makes a backup
// of it: rows that are copied and compared in a second.
func BenchmarkCopy(b *testing.B) {
	const jobs = 200_000
	places := map[string]string{}
	for _, engine := range engines {
		places[engine] = emptyPlace(b, engine)
	}
	s := openPlace(b, places["sqlite"])
	l := begin(b, s, "s")
	for i := 0; i < jobs; i += 500 {
		if _, err := s.Submit(b.Context(), plain(500, fmt.Sprint("key ", i, "-"))); err != nil {
			b.Fatal(err)
		}
	}
	for range jobs / 2 / 500 {
		for _, outcome := range []rota.Outcome{rota.OutcomeReturned, rota.OutcomeSucceeded} {
			l.exchangeMany(500, outcome)
		}
	}
	s.Close()
	measureCopy := func(name string, do func() (rota.Copied, error)) {
		b.Run(name, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			c, err := do()
			if err != nil {
				b.Fatal(err)
			}
			took := time.Since(began).Seconds()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(c.Rows())/took, "rows/s")
			b.ReportMetric(float64(c.Rows()), "rows")
			b.ReportMetric(took, "s")
			b.ReportMetric(float64(after.Sys-before.Sys)/(1<<20), "MB-more")
		})
	}
	last := places["sqlite"]
	for _, engine := range []string{"sqlite", "postgres", "postgres", "sqlite"} {
		from, to := last, emptyPlace(b, engine)
		name := map[bool]string{true: "postgres", false: "sqlite"}
		measureCopy(name[isPostgres(from)]+"-"+name[isPostgres(to)], func() (rota.Copied, error) {
			return Copy(context.Background(), from, to, CopyOptions{})
		})
		last = to
	}
	file, dir := last, b.TempDir()
	measureCopy("backup", func() (rota.Copied, error) {
		return CreateBackup(context.Background(), file, filepath.Join(dir, "b"), nil)
	})
}

// exchangeMany claims so many tasks and ends them alike.
func (l *life) exchangeMany(n int, o rota.Outcome) {
	l.t.Helper()
	l.seq++
	x, err := l.Exchange(context.Background(), rota.Exchange{Session: l.session, Seq: l.seq, Claim: rota.Claim{Max: n}})
	l.must(err)
	zero := 0
	var ends []rota.Finish
	for _, a := range x.Claimed {
		f := rota.Finish{Try: a.Try, Outcome: o, Reason: "not yet"}
		if o == rota.OutcomeSucceeded {
			f.Exit, f.Reason, f.StartedAgo, f.EndedAgo = &zero, "", 2000, 1000
			f.Output = []rota.Chunk{{Stream: rota.Stdout, Total: 12, Data: []byte("hello, world")}}
		}
		ends = append(ends, f)
	}
	l.seq++
	_, err = l.Exchange(context.Background(), rota.Exchange{Session: l.session, Seq: l.seq, Finished: ends})
	l.must(err)
}
