package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// tailRead is how much of the end of an attempt's output its fingerprint is looked for in.
const tailRead = 8 << 10

// keepFailures notes what the ends that are failures have in common with others: their output is kept by now.
func (t *tx) keepFailures(ends []end) error {
	for i := range ends {
		e := &ends[i]
		if e.to != rota.Failed {
			continue
		}
		written, err := t.lastWritten(rota.Try{Task: e.id, Attempt: e.attempt})
		if err != nil {
			return err
		}
		if written == "" {
			written = e.Error
		}
		f := rota.FingerprintOf(written, howItEnded(e))
		if _, err := t.exec(`INSERT INTO failure (task, fingerprint, text, at) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (task) DO UPDATE SET fingerprint = excluded.fingerprint, text = excluded.text, at = excluded.at`,
			int64(e.id), f.ID, f.Text, t.now); err != nil {
			return err
		}
	}
	return nil
}

// lastWritten is the end of an attempt's error output that is kept, or of its output when there is none.
func (t *tx) lastWritten(try rota.Try) (string, error) {
	for _, stream := range []rota.Stream{rota.Stderr, rota.Stdout} {
		var data []byte
		_, err := t.one(`SELECT data FROM output WHERE task = ?1 AND attempt = ?2 AND stream = ?3 ORDER BY start DESC LIMIT 1`,
			[]any{int64(try.Task), try.Attempt, streamNumber(stream)}, &data)
		if err != nil {
			return "", err
		}
		if len(data) > 0 {
			return string(data[max(0, len(data)-tailRead):]), nil
		}
	}
	return "", nil
}

// howItEnded is a failure in words, for one that wrote nothing.
func howItEnded(e *end) string {
	switch {
	case e.Reason != "":
		return e.Reason
	case e.Outcome == rota.OutcomeTimedOut || e.Outcome == rota.OutcomeOutOfMemory:
		return string(e.Outcome)
	case e.Signal != 0:
		return "ended by a signal, and wrote nothing" // which one is a number, and numbers are folded
	}
	return "failed, and wrote nothing"
}

// forgetFailures forgets the failures of tasks that are tried again.
func (t *tx) forgetFailures(tasks []rota.TaskID) (int, error) {
	return t.exec(`DELETE FROM failure WHERE task IN (SELECT value FROM json_each(?1))`, list(tasks))
}

// failureKey is what a group has in common, and where that stands.
type failureKey struct{ column, from string }

const (
	failureTask = ` JOIN task t ON t.id = f.task`
	failureJob  = ` JOIN job j ON j.id = f.task >> 24`
)

var failureKeys = map[rota.By]failureKey{
	rota.ByError: {"f.fingerprint", ""},
	rota.ByQueue: {"l.queue", failureTask + ` JOIN lane l ON l.id = t.lane`},
	rota.ByName:  {"j.name", failureJob},
	rota.ByNode:  {"coalesce(s.node, '')", failureTask + ` LEFT JOIN session s ON s.id = t.session`},
	rota.ByUser:  {"j.submitter", failureJob},
}

// failures are the failures that a filter asks for, beside the tables that hold their keys: there may be many, so only
// what is asked about is looked at.
func (c *condition) failures(of rota.Filter, from string) (string, error) {
	f := &of
	if slices.Contains(f.States, rota.Failed) {
		f.States = nil // they all are
	}
	var job condition
	if err := job.job(f); err != nil {
		return "", err
	}
	onJob := len(job.parts) > 1
	if onJob {
		*c = job
	} else { // one that is being removed is not shown
		c.parts = append(c.parts, "f.task >> 24 NOT IN (SELECT id FROM job WHERE removing = 1)")
	}
	n := len(c.parts)
	c.task(f)
	onTask := len(c.parts) > n
	c.spans(f, "f.task")
	if onTask && !strings.Contains(from, failureTask) {
		from += failureTask
	}
	if onJob && !strings.Contains(from, failureJob) {
		from += failureJob
	}
	return " FROM failure f" + from + c.where(), nil
}

// Failures are failed tasks in groups, the largest first. Of more than rota.FailuresSeen only the newest are looked at.
func (s *Store) Failures(ctx context.Context, q rota.FailureQuery) (groups []rota.FailureGroup, err error) {
	key, known := failureKeys[q.By]
	if !known {
		return nil, rota.Invalid("failures by %q: the groups are by %q", q.By, rota.FailureBys)
	}
	var c condition
	from, err := c.failures(q.Filter, key.from)
	if err != nil {
		return nil, err
	}
	err = s.query(ctx, func(r *sql.Rows) error {
		var g rota.FailureGroup
		var first, last int64
		err := r.Scan(&g.Key, &g.Kinds, &g.Count, &first, &last, (*int64)(&g.Task))
		g.First, g.Last = fromMicros(first), fromMicros(last)
		groups = append(groups, g)
		return err
	}, `SELECT k, count(DISTINCT fingerprint), count(*), min(at), max(at), max(task) FROM (SELECT `+key.column+` AS k, f.fingerprint, f.at, f.task`+
		from+fmt.Sprintf(`ORDER BY f.at DESC LIMIT %d) x GROUP BY k ORDER BY count(*) DESC, k LIMIT `, rota.FailuresSeen)+strconv.Itoa(limit(q.Max)), c.args...)
	for i := range groups {
		g := &groups[i]
		if err == nil {
			err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&g.Text) }, `SELECT text FROM failure WHERE task = ?1`, int64(g.Task))
		}
	}
	return groups, err
}
