package sqlstore

import (
	"database/sql"
	"encoding/json"
	"slices"
	"time"

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

const claimedColumns = `task.id, attempt, attempt_limit, coalesce(lost, 0), coalesce(returns, 0), coalesce(crashes, 0), lane, rank`

func scanClaimed(r *sql.Rows) (c claimed, err error) {
	err = r.Scan((*int64)(&c.id), &c.attempt, &c.limit, &c.lost, &c.returns, &c.crashes, &c.lane, &c.rank)
	return c, err
}

// claim takes up to c.Max ready tasks for a session, group by group of the queues it serves. It tells after how long time
// alone may have more for the session; 0: never.
func (t *tx) claim(ses session, seq int64, c rota.Claim) (got []rota.Assignment, again time.Duration, err error) {
	if c.Max <= 0 {
		return nil, 0, nil
	}
	o, err := t.offerTo(ses, c)
	if err != nil {
		return nil, 0, err
	}
	if len(o.groups) == 0 {
		return nil, o.again, nil
	}
	ops, err := t.openOperations()
	if err != nil {
		return nil, 0, err
	}
	var picks []claimed
	for _, lanes := range o.groups {
		got, err := o.pickFrom(lanes, min(c.Max, stepRows)-len(picks), ops)
		if err != nil {
			return nil, 0, err
		}
		if picks = append(picks, got...); len(picks) >= c.Max {
			break
		}
	}
	if len(picks) == 0 {
		return nil, o.again, nil
	}
	if err := o.settle(picks); err != nil {
		return nil, 0, err
	}
	if got, err = t.take(ses.id, seq, picks); err != nil {
		return nil, 0, err
	}
	return got, o.again, t.tolerate(got)
}

// pickFrom picks ready tasks of one group of lanes. What an open operation is about to cancel or hold is moved here
// and now instead: the effect of an operation on claiming is immediate (P18).
func (o *offer) pickFrom(lanes []*laneRules, n int, ops []running) ([]claimed, error) {
	for moved := 0; ; {
		picks, err := o.first(lanes, n)
		if err != nil || len(ops) == 0 || len(picks) == 0 {
			return picks, err
		}
		done, err := o.t.applyOpen(ops, picks)
		if err != nil || done == 0 {
			return picks, err
		}
		for i := range picks {
			o.take(o.lanes.rules(picks[i].lane), -1)
		}
		if moved += done; moved > scanRows {
			return nil, nil // the operation's own steps come first; another claim follows them
		}
	}
}

// first are the first n ready tasks of the lanes together that may be taken and that nobody else is about to claim.
func (o *offer) first(lanes []*laneRules, n int) ([]claimed, error) {
	if len(lanes) == 1 {
		return o.firstOf(lanes[0], n)
	}
	sources, err := o.t.heads(lanes, n)
	if err != nil {
		return nil, err
	}
	if len(sources) < 2 {
		if len(sources) == 0 {
			return nil, nil
		}
		return o.firstOf(sources[0].lane, n)
	}
	picks, err := o.merge(sources, n)
	if err != nil || !o.t.s.engine.shared() {
		return picks, err
	}
	if limited := o.limited(picks); len(limited) > 0 {
		if err := o.hold(limited); err != nil {
			return nil, err
		}
		// Merged once more with what is now known for certain; of limited queues those that are held.
		wanted := len(picks)
		lanes = slices.DeleteFunc(slices.Clone(lanes), func(l *laneRules) bool { return l.queue.Limited() && !l.queue.held })
		if len(lanes) == 0 {
			return nil, nil
		}
		if sources, err = o.t.heads(lanes, n); err != nil {
			return nil, err
		}
		if picks, err = o.merge(sources, n); err != nil {
			return nil, err
		}
		if len(picks) < wanted { // others were faster; the lanes that were left out may have something
			o.again = soon
		}
	}
	return o.lock(picks)
}

// soon is when to look again after what was found was taken by others.
const soon = time.Millisecond

// firstOf are those of one lane.
func (o *offer) firstOf(lane *laneRules, n int) ([]claimed, error) {
	if q := lane.queue; q.Limited() {
		if err := o.hold([]string{q.Name}); err != nil {
			return nil, err
		}
	}
	if n = o.room(lane, n); n == 0 {
		return nil, nil
	}
	picks, err := o.t.head(lane.id, n)
	o.take(lane, len(picks))
	return picks, err
}

// limited are the queues of picks of which others' tasks count too, and takes all picks back if there are any.
func (o *offer) limited(picks []claimed) (names []string) {
	for i := range picks {
		if q := o.lanes.rules(picks[i].lane).queue; q.Limited() && !slices.Contains(names, q.Name) {
			names = append(names, q.Name)
		}
	}
	if len(names) > 0 {
		for i := range picks {
			o.take(o.lanes.rules(picks[i].lane), -1)
		}
	}
	return names
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
	jobs, err := t.lookUpJobs(picks)
	if err != nil {
		return nil, err
	}
	if err = t.expect(len(picks), `UPDATE task SET state = 5, attempt = attempt + 1, session = ?2, claim_seq = ?3, claimed = ?4, ended = NULL,
		took = NULL, outcome = NULL, exit = NULL, signal = NULL, reason = NULL, error = NULL, run_at = NULL
		WHERE id IN (SELECT value FROM json_each(?1)) AND +state = 4`, list(ids), session, seq, t.now); err != nil {
		return nil, err
	}
	return t.assign(picks, jobs)
}

// assign adds to claimed tasks what their jobs say.
func (t *tx) assign(got []claimed, looked lookedUp) ([]rota.Assignment, error) {
	jobs, err := t.assignedJobs(looked)
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
	settled, err := t.settledQueues()
	if err != nil {
		return nil, err
	}
	out := make([]rota.Assignment, len(got))
	var lined []rota.TaskID
	place := map[rota.TaskID]int{}
	for i, c := range got {
		out[i] = jobs[c.id.Job()]
		out[i].Try = rota.Try{Task: c.id, Attempt: c.attempt}
		out[i].Limit += c.limit
		out[i].Failures, out[i].Queue = rota.Nth(c.attempt)-1-c.lost-c.returns, queues(c.lane)
		out[i].Alone = c.crashes >= rota.MaxCrashes
		if q := settled[out[i].Queue]; q != nil {
			out[i].Wrap, out[i].ErrWrap = q.Wrap, q.ErrWrap
			if !q.Limits.IsZero() {
				out[i].Allowance = &q.Limits
			}
		}
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

// lookedUp are the jobs of claimed tasks: those that are remembered, and rows of the others.
type lookedUp struct {
	known map[rota.JobID]rota.Assignment
	rows  []jobRow
}

type jobRow struct {
	id, limit, more, first, most, maxLost, input int64
	jitter                                       float64
	lostFails                                    bool
	spec                                         []byte
	template
}

// lookUpJobs looks up the jobs of claimed tasks.
func (t *tx) lookUpJobs(got []claimed) (lookedUp, error) {
	known := make(map[rota.JobID]rota.Assignment, len(got))
	var unknown []rota.JobID
	for i := range got {
		id := got[i].id.Job()
		if i > 0 && got[i-1].id.Job() == id {
			continue
		}
		if a, remembered := t.s.templates.get(id, t.w.shape); remembered {
			known[id] = a.Assignment
		} else {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return lookedUp{known: known}, nil
	}
	rows := make([]jobRow, 0, len(unknown))
	err := t.query(func(r *sql.Rows) error {
		rows = append(rows, jobRow{})
		x := &rows[len(rows)-1]
		return r.Scan(&x.id, &x.spec, &x.Submitter, &x.limit, &x.more, &x.first, &x.most, &x.jitter, &x.maxLost, &x.lostFails, &x.input,
			&x.lane, &x.gates.array, &x.gates.key, &x.gates.flow, &x.flow, &x.notify)
	}, `SELECT id, spec, submitter, attempt_limit, more, retry_first, retry_cap, retry_jitter, max_lost, lost_fails, input, lane, gate, key_gate, flow_gate, flow, notify = 1 FROM job
		WHERE id IN (SELECT value FROM json_each(?1))`, list(unknown))
	return lookedUp{known, rows}, err
}

// assignedJobs are the parts of assignments that are the same for all tasks of a job.
func (t *tx) assignedJobs(looked lookedUp) (map[rota.JobID]rota.Assignment, error) {
	for i := range looked.rows {
		x := &looked.rows[i]
		x.Spec = &rota.Spec{}
		if err := json.Unmarshal(x.spec, x.Spec); err != nil {
			return nil, err
		}
		count, lost, jitter := int(x.limit+x.more-1), int(x.maxLost), x.jitter
		x.Retry = rota.Retry{Count: &count, First: duration(x.first), Cap: duration(x.most), Jitter: &jitter, OnLost: rota.LostRetry, MaxLost: &lost}
		if x.lostFails {
			x.Retry.OnLost = rota.LostFail
		}
		x.HasInput, x.Limit = x.input > 0, int(x.more) // what comes to each task's own
		looked.known[rota.JobID(x.id)] = x.Assignment
		x.shape = t.w.shape
		t.s.templates.put(rota.JobID(x.id), x.template)
	}
	return looked.known, nil
}

func duration(us int64) rota.Duration { return rota.Duration(us * 1000) }
