package sqlstore

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/rotaqueue/rota"
)

// retryIn is the retry policy of a job in a queue: its own, else the queue's, else another.
func retryIn(q *rota.Queue, own *rota.Retry, other rota.Retry) rota.Retry {
	if q == nil || q.Retry == nil {
		return own.Or(other)
	}
	return own.Or(q.Retry.Or(other))
}

func jitterOf(r rota.Retry) float64 {
	if r.Jitter == nil {
		return rota.RetryJitter
	}
	return *r.Jitter
}

// policy is a retry policy as it is stored with a job.
type policy struct {
	limit      int // attempts at first
	first, cap int64
	jitter     float64
	maxLost    int
	lostFails  int
}

func policyOf(r rota.Retry) policy {
	return policy{*r.Count + 1, r.First.Micros(), r.Cap.Micros(), jitterOf(r), *r.MaxLost, flag(r.OnLost == rota.LostFail)}
}

// repolicy gives the jobs in a queue that have not ended the retry policy that the queue has now, in steps, and has them end
// with a letter if the queue says who is told.
func (t *tx) repolicy(queue string) error {
	_, err := t.operate(rota.Operation{Act: rota.ActPolicy, Filter: rota.Filter{Queue: queue}})
	return err
}

// stepPolicy does so for a bounded number of jobs. The cursor is the last job's last task.
func (t *tx) stepPolicy(op *running) error {
	queues, err := t.settledQueues()
	if err != nil {
		return err
	}
	q := queues[op.Filter.Queue]
	tells := q != nil && q.Tell.Says()
	changed := map[policy][]rota.JobID{}
	scanned := 0
	err = t.query(func(r *sql.Rows) error {
		var id rota.JobID
		var spec []byte
		var queue string
		var left int
		scanned++
		if err := r.Scan((*int64)(&id), &spec, &queue, &left); err != nil {
			return err
		}
		_, op.cursor = id.Tasks()
		if left == 0 || queue != op.Filter.Queue {
			return nil
		}
		var s struct {
			Retry *rota.Retry `json:"retry"`
		}
		err := json.Unmarshal(spec, &s)
		p := policyOf(retryIn(q, s.Retry, rota.DefaultRetry()))
		changed[p] = append(changed[p], id)
		return err
	}, fmt.Sprintf(`SELECT j.id, j.spec, l.queue, j.tasks_left FROM (SELECT id, spec, lane, tasks_left FROM job WHERE id > ?1 AND id <= ?2
		ORDER BY id LIMIT %d) j JOIN lane l ON l.id = j.lane ORDER BY j.id`, stepRows), int64(op.cursor.Job()), int64(op.Upper.Job()))
	if err != nil {
		return err
	}
	if op.Ended = scanned < stepRows; len(changed) == 0 {
		return nil
	}
	if err := t.reshape(); err != nil {
		return err
	}
	for _, p := range slices.SortedFunc(maps.Keys(changed), func(a, b policy) int { return cmp.Compare(changed[a][0], changed[b][0]) }) {
		n, err := t.exec(`UPDATE job SET more = ?2 - attempt_limit, retry_first = ?3, retry_cap = ?4, retry_jitter = ?5, max_lost = ?6, lost_fails = ?7,
			notify = CASE WHEN ?8 = 1 THEN 1 ELSE notify END
			WHERE id IN (SELECT value FROM json_each(?1))`, list(changed[p]), p.limit, p.first, p.cap, p.jitter, p.maxLost, p.lostFails, flag(tells))
		if err != nil {
			return err
		}
		op.Matched += n
		op.Done += n
	}
	return nil
}
