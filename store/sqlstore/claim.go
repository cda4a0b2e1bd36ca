package sqlstore

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/rotaqueue/rota"
)

// claimed is a task that was just claimed, or is about to be, and its place in the order.
type claimed struct {
	id             rota.TaskID
	attempt, limit int
	lost, returns  int
	crashes        int
	lane, rank     int64
}

const claimedColumns = `id, attempt, attempt_limit, coalesce(lost, 0), coalesce(returns, 0), coalesce(crashes, 0), lane, rank`

func scanClaimed(r *sql.Rows) (c claimed, err error) {
	err = r.Scan((*int64)(&c.id), &c.attempt, &c.limit, &c.lost, &c.returns, &c.crashes, &c.lane, &c.rank)
	return c, err
}

// claim takes up to c.Max ready tasks for a session, group by group of the queues it serves, within a group by rank,
// then by age.
func (t *tx) claim(session, seq int64, c rota.Claim) ([]rota.Assignment, error) {
	if c.Max <= 0 {
		return nil, nil
	}
	groups, err := t.servedLanes(c.Queues, c.Home)
	if err != nil || len(groups) == 0 {
		return nil, err
	}
	ops, err := t.openOperations()
	if err != nil {
		return nil, err
	}
	var picks []claimed
	for _, lanes := range groups {
		got, err := t.pickFrom(lanes, min(c.Max, stepRows)-len(picks), ops)
		if err != nil {
			return nil, err
		}
		if picks = append(picks, got...); len(picks) >= c.Max {
			break
		}
	}
	if len(picks) == 0 {
		return nil, nil
	}
	got, err := t.take(session, seq, picks)
	if err != nil {
		return nil, err
	}
	return got, t.tolerate(got)
}

// pickFrom picks ready tasks of one group of lanes. What an open operation is about to cancel or hold is moved here
// and now instead: the effect of an operation on claiming is immediate (P18).
func (t *tx) pickFrom(lanes []int64, n int, ops []running) ([]claimed, error) {
	for moved := 0; ; {
		picks, err := t.heads(lanes, n)
		if err != nil || len(ops) == 0 || len(picks) == 0 {
			return picks, err
		}
		done, err := t.applyOpen(ops, picks)
		if err != nil || done == 0 {
			return picks, err
		}
		if moved += done; moved > scanRows {
			return nil, nil // the operation's own steps come first; another claim follows them
		}
	}
}

// heads are the first n ready tasks of the lanes together that nobody else is about to claim.
func (t *tx) heads(lanes []int64, n int) ([]claimed, error) {
	shares := make([]int, len(lanes))
	for i := range shares {
		shares[i] = n
	}
	if len(lanes) > 1 && t.s.engine.shared() {
		if err := t.share(lanes, shares, n); err != nil {
			return nil, err
		}
	}
	var picks []claimed
	for i, lane := range lanes {
		if shares[i] == 0 {
			continue
		}
		some, err := t.head(lane, shares[i])
		if err != nil {
			return nil, err
		}
		picks = append(picks, some...)
	}
	if len(lanes) > 1 {
		slices.SortFunc(picks, func(a, b claimed) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id)) })
	}
	return picks[:min(n, len(picks))], nil
}

// share says how many of the first n tasks of several lanes are in which: what a claim holds without taking it, others
// would pass over.
func (t *tx) share(lanes []int64, shares []int, n int) error {
	type head struct {
		lane     int
		rank, id int64
	}
	var heads []head
	err := t.query(func(r *sql.Rows) error {
		var h head
		err := r.Scan(&h.lane, &h.rank, &h.id)
		heads = append(heads, h)
		return err
	}, `SELECT l.place - 1, t.rank, t.id FROM unnest(translate(?1, '[]', '{}')::bigint[]) WITH ORDINALITY l (id, place)
		CROSS JOIN LATERAL (SELECT rank, id FROM task WHERE lane = l.id AND state = 4 AND gate = 0 ORDER BY rank, id LIMIT ?2) t`, list(lanes), n)
	slices.SortFunc(heads, func(a, b head) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id)) })
	clear(shares)
	for _, h := range heads[:min(n, len(heads))] {
		shares[h.lane]++
	}
	return err
}

// applyOpen applies open operations that stop tasks to the picks they cover, and says how many they moved.
func (t *tx) applyOpen(ops []running, picks []claimed) (int, error) {
	ids := make([]rota.TaskID, len(picks))
	for i := range picks {
		ids[i] = picks[i].id
	}
	moved := 0
	for i := range ops {
		op := &ops[i]
		if v := op.Act.Verb(); v != rota.VerbCancel && v != rota.VerbHold {
			continue
		}
		var c condition
		c.and(`t.id IN (SELECT value FROM json_each(%s)) AND t.id > %s AND t.id <= %s`, list(ids), int64(op.cursor), int64(op.Upper))
		c.spans(&op.Filter, "t.id")
		n, err := t.applyWhere(op, c)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			continue
		}
		moved += n
		if _, err := t.exec(`UPDATE operation SET matched = matched + ?2, done = done + ?2 WHERE id = ?1`, op.ID, n); err != nil {
			return 0, err
		}
	}
	return moved, nil
}

// take claims the picks, whose rows were read, and are held, in this transaction. (RETURNING would read them for us, at
// twice the price: it runs as a trigger for each row.)
func (t *tx) take(session, seq int64, picks []claimed) ([]rota.Assignment, error) {
	t.picks = picks
	if err := t.renumber(picks); err != nil {
		return nil, err
	}
	ids := make([]rota.TaskID, len(picks))
	for i := range picks {
		picks[i].attempt++
		ids[i] = picks[i].id
		t.count(picks[i].lane, rota.Ready, -1)
		t.count(picks[i].lane, rota.Running, 1)
	}
	n, err := t.exec(`UPDATE task SET state = 5, attempt = attempt + 1, session = ?2, claim_seq = ?3, claimed = ?4, ended = NULL,
		took = NULL, outcome = NULL, exit = NULL, signal = NULL, reason = NULL, run_at = NULL
		WHERE id IN (SELECT value FROM json_each(?1)) AND +state = 4`, list(ids), session, seq, t.now)
	if err == nil && n != len(picks) {
		err = fmt.Errorf("%d of %d picks were claimed: %w", n, len(picks), errAgain)
	}
	if err != nil {
		return nil, err
	}
	return t.assign(picks)
}

// assign adds to claimed tasks what their jobs say.
func (t *tx) assign(got []claimed) ([]rota.Assignment, error) {
	var ids []rota.JobID
	for _, c := range got {
		if j := c.id.Job(); len(ids) == 0 || ids[len(ids)-1] != j {
			ids = append(ids, j)
		}
	}
	jobs, err := t.assignedJobs(ids)
	if err != nil {
		return nil, err
	}
	queues, err := t.laneQueues(func(yield func(int64) bool) {
		for i := range got {
			if !yield(got[i].lane) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	allowances, err := t.allowances()
	if err != nil {
		return nil, err
	}
	out := make([]rota.Assignment, len(got))
	var lined []rota.TaskID
	place := map[rota.TaskID]int{}
	for i, c := range got {
		out[i] = jobs[c.id.Job()]
		out[i].Try = rota.Try{Task: c.id, Attempt: c.attempt}
		out[i].Limit, out[i].Failures, out[i].Queue = c.limit, rota.Nth(c.attempt)-1-c.lost-c.returns, queues[c.lane]
		out[i].Alone = c.crashes >= rota.MaxCrashes
		out[i].Allowance = allowances[out[i].Queue]
		if out[i].Spec.Lines {
			lined = append(lined, c.id)
			place[c.id] = i
		}
	}
	if len(lined) == 0 {
		return out, nil
	}
	return out, t.query(func(r *sql.Rows) error {
		var id rota.TaskID
		var text string
		err := r.Scan((*int64)(&id), &text)
		out[place[id]].Line = text
		return err
	}, `SELECT task, text FROM line WHERE task IN (SELECT value FROM json_each(?1))`, list(lined))
}

// assignedJobs are the parts of assignments that are the same for all tasks of a job.
func (t *tx) assignedJobs(ids []rota.JobID) (map[rota.JobID]rota.Assignment, error) {
	jobs := make(map[rota.JobID]rota.Assignment, len(ids))
	var unknown []rota.JobID
	for _, id := range ids {
		if a, known := t.s.templates.get(id); known {
			jobs[id] = a.Assignment
		} else {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return jobs, nil
	}
	return jobs, t.query(func(r *sql.Rows) error {
		var id, limit, first, most, maxLost, input int64
		var lane, gate int64
		var lostFails bool
		var spec []byte
		a := rota.Assignment{Spec: &rota.Spec{}}
		if err := r.Scan(&id, &spec, &a.Submitter, &limit, &first, &most, &maxLost, &lostFails, &input, &lane, &gate); err != nil {
			return err
		}
		if err := json.Unmarshal(spec, a.Spec); err != nil {
			return err
		}
		count, lost := int(limit-1), int(maxLost)
		a.Retry = rota.Retry{Count: &count, First: duration(first), Cap: duration(most), OnLost: rota.LostRetry, MaxLost: &lost}
		if lostFails {
			a.Retry.OnLost = rota.LostFail
		}
		a.HasInput = input > 0
		jobs[rota.JobID(id)] = a
		t.s.templates.put(rota.JobID(id), template{a, lane, gate})
		return nil
	}, `SELECT id, spec, submitter, attempt_limit, retry_first, retry_cap, max_lost, lost_fails, input, lane, gate FROM job
		WHERE id IN (SELECT value FROM json_each(?1))`, list(unknown))
}

func duration(us int64) rota.Duration { return rota.Duration(us * 1000) }
