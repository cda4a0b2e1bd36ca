package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// usagePage is how many tasks are read at a time: a long reader would keep the embedded store's log from shrinking.
const usagePage = 20_000

var usageKeys = map[rota.By]string{rota.ByUser: "j.submitter", rota.ByQueue: "l.queue", rota.ByName: "j.name", rota.ByNode: "coalesce(s.node, '')",
	rota.ByOrigin: "j.schedule"}

// usageSum is a row of a report as it grows.
type usageSum struct {
	rota.UsageRow
	waited rota.Duration
}

// Usage is what attempts took that ended since a time.
func (s *Store) Usage(ctx context.Context, q rota.UsageQuery) ([]rota.UsageRow, error) {
	keys := make([]string, len(q.By))
	for i, by := range q.By {
		key, known := usageKeys[by]
		if !known {
			return nil, rota.Invalid("report by %q: it can be by %q", by, rota.UsageBys)
		}
		keys[i] = key
	}
	sums := map[string]*usageSum{}
	columns := strings.Join(append(keys, "1"), ", ")
	since := toMicros(q.Since)
	for _, from := range []string{
		`SELECT t.id, 1, t.state, coalesce(t.claimed, 0), j.submitted, j.run_at, t.attempt, ` + fmt.Sprintf(attemptColumns, "t") + `, ` + columns + `
			FROM task t JOIN job j ON j.id = t.id >> 24 JOIN lane l ON l.id = t.lane LEFT JOIN session s ON s.id = t.session
			WHERE t.id > ?1 AND t.attempt > 0 AND t.outcome IS NOT NULL AND t.ended >= ?2 ORDER BY t.id LIMIT ?3`,
		`SELECT t.id, 0, 0, coalesce(t.claimed, 0), j.submitted, j.run_at, t.attempt, ` + fmt.Sprintf(attemptColumns, "t") + `, ` + columns + `
			FROM (SELECT a.task AS id, a.* FROM attempt a WHERE a.ended >= ?2 AND a.task IN
				(SELECT DISTINCT task FROM attempt WHERE task > ?1 AND ended >= ?2 ORDER BY task LIMIT ?3)) t
			JOIN task now ON now.id = t.id AND now.attempt > t.attempt
			JOIN job j ON j.id = t.id >> 24 JOIN lane l ON l.id = now.lane LEFT JOIN session s ON s.id = t.session ORDER BY t.id`,
	} {
		if err := s.sumUp(ctx, from, len(q.By), since, sums); err != nil {
			return nil, err
		}
	}
	rows := make([]rota.UsageRow, 0, len(sums))
	for _, sum := range sums {
		if sum.Waits > 0 {
			sum.Waited = sum.waited / rota.Duration(sum.Waits)
		}
		rows = append(rows, sum.UsageRow)
	}
	slices.SortFunc(rows, func(a, b rota.UsageRow) int { return cmp.Or(cmp.Compare(b.CPU, a.CPU), slices.Compare(a.Keys, b.Keys)) })
	return rows, nil
}

// sumUp reads a table of attempts page by page.
func (s *Store) sumUp(ctx context.Context, from string, keys int, since int64, sums map[string]*usageSum) error {
	for after := int64(0); ; {
		n, last := 0, after
		err := s.query(ctx, func(r *sql.Rows) error {
			n++
			return scanUsage(r, keys, &last, sums)
		}, from, after, since, usagePage)
		if err != nil || n == 0 || last == after {
			return err
		}
		after = last
	}
}

func scanUsage(r *sql.Rows, keys int, last *int64, sums map[string]*usageSum) error {
	var a rota.Attempt
	var f attemptFields
	var latest bool
	var state rota.State
	var claimed, submitted, runAt int64
	values := make([]string, keys)
	dest := append([]any{last, &latest, &state, &claimed, &submitted, &runAt, &a.Number}, f.dest(&a)...)
	for i := range values {
		dest = append(dest, &values[i])
	}
	if err := r.Scan(append(dest, new(int))...); err != nil {
		return err
	}
	if err := f.fill(&a); err != nil {
		return err
	}
	id := strings.Join(values, "\x00")
	sum := sums[id]
	if sum == nil {
		sum = &usageSum{UsageRow: rota.UsageRow{Keys: values}}
		sums[id] = sum
	}
	sum.add(&a, latest, state, rota.Duration(claimed-max(submitted, runAt))*1000)
	return nil
}

func (u *usageSum) add(a *rota.Attempt, latest bool, state rota.State, wait rota.Duration) {
	switch {
	case latest && state == rota.Succeeded:
		u.Succeeded++
	case latest && state == rota.Failed:
		u.Failed++
	case a.Outcome.IsRetried() || a.Outcome == rota.OutcomeLost:
		u.Retried++
	}
	if rota.Nth(a.Number) == 1 && wait >= 0 {
		u.Waits++
		u.waited += wait
		u.Longest = max(u.Longest, wait)
	}
	if a.Started.IsZero() {
		return
	}
	u.Attempts++
	u.CPU += a.CPUUser + a.CPUSystem
	u.Ran += rota.Duration(a.Ended.Sub(a.Started))
}
