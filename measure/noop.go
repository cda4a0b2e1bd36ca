package measure

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// noop is how many tasks a second go through the whole loop when running them costs nothing: submitted and
// acknowledged as durable, claimed, finished, each in commits of their own.
func noop(ctx context.Context, b *bench) ([]Figure, error) {
	m, err := b.newMachine(ctx, func(string) (executor.Keeper, error) { return newInstant(nil), nil })
	if err != nil {
		return nil, err
	}
	defer m.close()
	n := b.scaled(100_000)
	if _, err := m.runArray(n/10, "noop"); err != nil { // warm
		return nil, err
	}
	arrays, err := m.runArray(n, "noop")
	if err != nil {
		return nil, err
	}
	singles, err := m.runSingles(b.scaled(50_000), 64)
	if err != nil {
		return nil, err
	}
	figures := []Figure{
		{Name: "no-op, one array", Value: perSecond(n, arrays), Unit: "/s", Goal: "≥ 35000/s"},
		{Name: "no-op, single jobs", Value: singles, Unit: "/s", Goal: "≥ 20000/s"},
	}
	if b.Store != "" {
		return figures, nil
	}
	bare, err := bareCommits(ctx, filepath.Join(m.dir, "bare.db"), b.scaled(30_000))
	for i := range figures {
		figures[i] = figures[i].beside(bare, "bare rows in SQLite, the same durability, 100 a commit")
	}
	return figures, err
}

// runSingles submits n jobs from so many callers and is how many a second are submitted and done.
func (m *machine) runSingles(n, callers int) (float64, error) {
	begun := time.Now()
	last, err := m.submitSingles(n, callers)
	if err != nil {
		return 0, err
	}
	for _, id := range last { // the order is first in, first out: behind the last of each caller nothing is left
		if err := m.wait(id); err != nil {
			return 0, err
		}
	}
	return perSecond(n/callers*callers, time.Since(begun)), nil
}

// submitSingles submits n jobs from so many callers, and is each one's last.
func (m *machine) submitSingles(n, callers int) ([]rota.JobID, error) {
	last := make([]rota.JobID, callers)
	failed := make(chan error, callers)
	var work sync.WaitGroup
	for c := range callers {
		work.Go(func() {
			for range n / callers {
				s, err := m.server.Submit(m.ctx, rota.Submission{Spec: rota.Spec{Argv: []string{"noop"}}})
				if err != nil {
					failed <- err
					return
				}
				last[c] = s.Job
			}
		})
	}
	work.Wait()
	select {
	case err := <-failed:
		return nil, err
	default:
		return last, nil
	}
}

// bareCommits is how many whole lives of a bare row (insert, two updates) SQLite does a second, 100 in a commit.
func bareCommits(ctx context.Context, path string, n int) (float64, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE t (id INTEGER PRIMARY KEY, state INTEGER, spec TEXT, x INTEGER);
		CREATE INDEX i ON t (id) WHERE state = 1`); err != nil {
		return 0, err
	}
	begun := time.Now()
	for at := 0; at < n; at += 100 {
		for _, q := range []string{
			`WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 + 99) INSERT INTO t SELECT i, 1, '{"argv":["noop"]}', 0 FROM n`,
			`UPDATE t SET state = 2, x = x + 1 WHERE id BETWEEN ?1 AND ?1 + 99`,
			`UPDATE t SET state = 3 WHERE id BETWEEN ?1 AND ?1 + 99`,
		} {
			if _, err := db.ExecContext(ctx, q, at+1); err != nil {
				return 0, err
			}
		}
	}
	return perSecond(n, time.Since(begun)), nil
}
