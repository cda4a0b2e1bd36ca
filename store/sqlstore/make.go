package sqlstore

import (
	"encoding/json"

	"github.com/rotaqueue/rota"
)

// sweepMake makes tasks of the oldest job that is not wholly made (P18).
func (t *tx) sweepMake() (rota.Swept, error) {
	var job rota.JobID
	found, err := t.one(`SELECT id FROM job WHERE made < tasks AND sealed = 1 ORDER BY id LIMIT 1`, nil, &job)
	if !found || err != nil {
		return rota.Swept{}, err
	}
	n, err := t.makeTasks(job, stepRows)
	if err != nil {
		return rota.Swept{}, err
	}
	more, err := t.one(`SELECT id FROM job WHERE made < tasks AND sealed = 1 LIMIT 1`, nil, new(int64))
	return rota.Swept{Moved: n, More: more, Ready: true, Jobs: []rota.JobID{job}}, err
}

// makeTasks makes up to max further tasks of an array or lines job.
func (t *tx) makeTasks(job rota.JobID, max int) (int, error) {
	x := row{id: rota.PlainTask(job)}
	var spec string
	var tasks, made, held int
	_, err := t.one(`SELECT spec, tasks, made, held, lane, rank, priority, flow, gate, key_gate, flow_gate, blockers, run_at FROM job
		WHERE id = ?1 /*pg FOR NO KEY UPDATE */`, []any{int64(job)},
		&spec, &tasks, &made, &held, &x.lane, &x.rank, &x.priority, &x.turn, &x.gates.array, &x.gates.key, &x.gates.flow, &x.blockers, &x.jobRunAt)
	if err != nil {
		return 0, err
	}
	to := rota.Ready
	switch {
	case held == 1:
		to = rota.Held
	case x.blockers > 0:
		to = rota.Blocked
	case x.jobRunAt > t.now:
		to = rota.Scheduled
	}
	array, err := arrayOf(spec)
	if err != nil {
		return 0, err
	}
	n := min(max, tasks-made)
	first, step, err := t.ranksOf(&x, to, n)
	if err != nil {
		return 0, err
	}
	for _, r := range piece(array, made, n) {
		_, err := t.exec(`WITH RECURSIVE n (i) AS (SELECT CAST(?2 AS BIGINT) UNION ALL SELECT i + ?4 FROM n WHERE i + ?4 <= ?3)
			INSERT INTO task (id, lane, state, gate, rank, attempt, attempt_limit, run_at, flow, flow_gate)
			SELECT j.id << 24 | (i + 1), j.lane, CAST(?5 AS SMALLINT), ?6, ?7 + (i - ?2) / ?4 * ?8, 0, j.attempt_limit,
				CASE WHEN CAST(?5 AS SMALLINT) = 2 THEN j.run_at END, nullif(j.flow, 0), nullif(j.flow_gate, 0)
			FROM n, job j WHERE j.id = ?1`, int64(job), r.First, r.Last, r.Step, int(to), x.gateIn(to), first, step)
		if err != nil {
			return 0, err
		}
		first += int64(r.Len()) * step
	}
	t.count(x.lane, to, n)
	if to == rota.Ready {
		t.gate(x.gates.first(), 0)
	}
	if _, err = t.exec(`UPDATE job SET made = made + ?2 WHERE id = ?1`, int64(job), n); err != nil || x.blockers == 0 {
		return n, err
	}
	return n, t.settleMade(job, piece(array, made, n))
}

// ranksOf are the ranks of the next n tasks of a job: the job's, or, where flows decide, those that it is their turn for.
func (t *tx) ranksOf(x *row, to rota.State, n int) (first, step int64, err error) {
	if x.rank != unranked || to != rota.Ready {
		return x.rank, 0, nil
	}
	all, err := t.lanes()
	if err != nil {
		return 0, 0, err
	}
	queues, err := t.settledQueues()
	if err != nil {
		return 0, 0, err
	}
	return t.arrive(queues[all.byID[x.lane].queue], x.priority, x.turn, n)
}

// piece is the n indexes of an array from its made-th on, as ranges. Lines (no array) count from 1.
func piece(a *rota.Array, made, n int) []rota.Range {
	if a == nil {
		return []rota.Range{{First: made + 1, Last: made + n, Step: 1}}
	}
	var out []rota.Range
	for _, r := range a.Ranges {
		size, step := r.Len(), max(r.Step, 1)
		if made >= size {
			made -= size
			continue
		}
		take := min(size-made, n)
		first := r.First + made*step
		out = append(out, rota.Range{First: first, Last: first + (take-1)*step, Step: step})
		made, n = 0, n-take
		if n == 0 {
			break
		}
	}
	return out
}

// arrayOf is the array of a job's spec; nil for lines.
func arrayOf(spec string) (*rota.Array, error) {
	var s struct {
		Array *rota.Array `json:"array"`
	}
	err := json.Unmarshal([]byte(spec), &s)
	return s.Array, err
}
