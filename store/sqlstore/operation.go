package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/rotaqueue/rota"
)

// Operate stores an operation and does its first step.
func (s *Store) Operate(ctx context.Context, op rota.Operation) (rota.Operation, error) {
	if op.DryRun {
		n, err := s.countFor(ctx, op)
		op.Matched, op.Ended = n, true
		return op, err
	}
	return written(ctx, s, string(op.Act), func(t *tx) (rota.Operation, error) { return t.operate(op) })
}

// operate does an operation's first step, and stores the operation if there is more to do. It covers all jobs that
// exist now and none that comes later.
func (t *tx) operate(op rota.Operation) (rota.Operation, error) {
	var last int64
	if _, err := t.one(`SELECT value FROM counter WHERE name = 'job'`, nil, &last); err != nil {
		return op, err
	}
	_, upper := rota.JobID(last).Tasks()
	op.Upper, op.At = upper, fromMicros(t.now)
	for _, s := range op.Filter.Tasks {
		if s.First < rota.PlainTask(1) || s.Last < s.First {
			return op, rota.Invalid("%s tasks %d to %d: no span of tasks", op.Act, s.First, s.Last)
		}
	}
	slices.SortFunc(op.Filter.Tasks, func(a, b rota.Span) int { return compare(int64(a.First), int64(b.First)) })
	run := running{Operation: op}
	if err := t.step(&run); err != nil || run.Ended {
		return run.Operation, err
	}
	id, err := t.next("operation", 1)
	if err != nil {
		return op, err
	}
	run.ID = id
	filter, err := json.Marshal(&run.Filter)
	if err != nil {
		return op, err
	}
	var edit any
	if run.Edit != nil {
		if edit, err = jsonText(run.Edit); err != nil {
			return op, err
		}
	}
	_, err = t.exec(`INSERT INTO operation (id, act, filter, by, reason, at, upper, cursor, matched, done, ended, edit, refused, why)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, ?12, ?13)`, id, string(run.Act), string(filter), run.By, run.Reason,
		t.now, int64(run.Upper), int64(run.cursor), run.Matched, run.Done, edit, run.Refused, run.Why)
	return run.Operation, err
}

// running is an operation and how far it has come: everything up to the cursor is done.
type running struct {
	rota.Operation
	cursor rota.TaskID
}

// step moves a bounded number of the tasks that are left.
func (t *tx) step(op *running) error {
	switch op.Act {
	case rota.ActRemove:
		return t.stepRemove(op)
	case rota.ActPolicy:
		return t.stepPolicy(op)
	case rota.ActEdit:
		return t.stepEdit(op)
	}
	if busy, err := t.makeFirst(op); busy || err != nil {
		return err
	}
	for scanned, moves := 0, 0; scanned < scanRows && moves < stepRows; {
		span, ok := op.next()
		if !ok {
			op.Ended = true
			return nil
		}
		var last sql.NullInt64
		var n int
		_, err := t.one(`SELECT max(id), count(*) FROM (SELECT id FROM task WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3) step`,
			[]any{int64(span.First), int64(span.Last), stepRows}, &last, &n)
		if err != nil {
			return err
		}
		scanned += n
		if n < stepRows {
			last.Int64 = int64(span.Last)
		}
		if n > 0 {
			moved, err := t.apply(op, "t.id BETWEEN %s AND %s", int64(span.First), last.Int64)
			if err != nil {
				return err
			}
			moves += moved
			op.Matched += moved
			op.Done += moved
		}
		op.cursor = rota.TaskID(last.Int64)
	}
	_, ok := op.next()
	op.Ended = !ok
	return nil
}

// next is what of the operation's spans is left.
func (op *running) next() (rota.Span, bool) {
	spans := op.Filter.Tasks
	if len(spans) == 0 {
		spans = []rota.Span{{First: 1, Last: op.Upper}}
	}
	for _, s := range spans {
		s.First, s.Last = max(s.First, op.cursor+1), min(s.Last, op.Upper)
		if s.First <= s.Last {
			return s, true
		}
	}
	return rota.Span{}, false
}

// makeFirst makes the tasks of jobs that the operation covers and that are still being made: only what is there can
// be moved. A job whose upload is not complete is sealed if it is to be cancelled.
func (t *tx) makeFirst(op *running) (busy bool, err error) {
	span, ok := op.next()
	if !ok {
		return false, nil
	}
	if op.cursor == 0 && op.Act.Verb() == rota.VerbCancel {
		if err := t.sealCancelled(op); err != nil {
			return false, err
		}
	}
	for range 2 {
		var job rota.JobID
		found, err := t.one(`SELECT id FROM job WHERE made < tasks AND sealed = 1 AND id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1`,
			[]any{int64(span.First.Job()), int64(op.last().Job())}, (*int64)(&job))
		if !found || err != nil {
			return false, err
		}
		if _, err := t.makeTasks(job, stepRows/2); err != nil {
			return false, err
		}
	}
	return true, nil
}

// last is the last task that the operation covers.
func (op *running) last() rota.TaskID {
	if n := len(op.Filter.Tasks); n > 0 {
		return min(op.Filter.Tasks[n-1].Last, op.Upper)
	}
	return op.Upper
}

// sealCancelled ends the upload of jobs that the operation selects as a whole.
func (t *tx) sealCancelled(op *running) error {
	if f := &op.Filter; len(f.States) > 0 && !slices.Contains(f.States, rota.Blocked) {
		return nil
	}
	var c condition
	if err := c.job(&op.Filter); err != nil {
		return err
	}
	c.wholeJobs(&op.Filter)
	c.lane(&op.Filter)
	c.and("j.sealed = 0 AND j.id <= %s", int64(op.Upper.Job()))
	var ids []rota.JobID
	err := t.query(func(r *sql.Rows) error {
		var id rota.JobID
		err := r.Scan((*int64)(&id))
		ids = append(ids, id)
		return err
	}, `SELECT j.id FROM job j`+c.where(), c.args...)
	if err != nil || len(ids) == 0 {
		return err
	}
	_, err = t.exec(`UPDATE job SET sealed = 1, ended = CASE WHEN tasks_left = 0 THEN ?2 ELSE ended END, reason = coalesce(?3, reason)
		WHERE id IN (SELECT value FROM json_each(?1))`, list(ids), t.now, nullText(op.Reason))
	if err != nil {
		return err
	}
	op.Matched += len(ids)
	op.Done += len(ids)
	return t.releaseDependents(ids, nil) // of those that had no line yet, and have thereby ended
}

// apply moves those tasks that the operation selects and that fit one more condition, and says how many.
func (t *tx) apply(op *running, within string, args ...any) (int, error) {
	var c condition
	c.and(within, args...)
	return t.applyWhere(op, c)
}

func (t *tx) applyWhere(op *running, c condition) (int, error) {
	if err := op.selects(&c); err != nil {
		return 0, err
	}
	where := c.where()
	if op.Act == rota.ActRelease { // what it waits for may come true at this moment
		where += `/*pg FOR SHARE OF j */`
	}
	rows, err := t.rows(where, c.args...)
	if err != nil {
		return 0, err
	}
	if op.Act == rota.ActDismiss {
		ids := make([]rota.TaskID, len(rows))
		for i := range rows {
			ids[i] = rows[i].id
		}
		return t.forgetFailures(ids)
	}
	var changes []change
	var asked []row
	for _, x := range rows {
		if x.state == rota.Running {
			asked = append(asked, x)
		} else {
			changes = append(changes, op.change(t, x))
		}
	}
	if err := t.askToEnd(asked, op.Act); err != nil {
		return 0, err
	}
	if op.Act == rota.ActRetry && len(rows) > 0 {
		ids := make([]rota.TaskID, len(rows))
		for i := range rows {
			ids[i] = rows[i].id
		}
		if err := t.record(ids); err != nil {
			return 0, err
		}
		if _, err := t.forgetFailures(ids); err != nil {
			return 0, err
		}
		// Whatever ended the job before does not hold any more.
		if _, err := t.exec(`UPDATE job SET reason = NULL WHERE reason IS NOT NULL
			AND id IN (SELECT value FROM json_each(?1))`, list(jobsOf(ids))); err != nil {
			return 0, err
		}
	}
	return len(rows), t.move(changes)
}

// selects adds the conditions under which the operation moves a task.
func (op *running) selects(c *condition) error {
	if err := c.job(&op.Filter); err != nil {
		return err
	}
	c.task(&op.Filter)
	switch op.Act {
	case rota.ActCancel, rota.ActKill:
		c.parts = append(c.parts, "t.state <= 5")
	case rota.ActStarve:
		c.parts = append(c.parts, "t.state < 5")
	case rota.ActUnblock:
		c.parts = append(c.parts, "t.state = 1 AND j.sealed = 1 AND "+waitsForNothing)
	case rota.ActRetry:
		c.parts = append(c.parts, "(t.state IN (7, 8) OR (t.state = 2 AND t.attempt > 0))")
	case rota.ActDismiss:
		c.parts = append(c.parts, "t.state = 7 AND t.id IN (SELECT task FROM failure)")
	case rota.ActHold, rota.ActRelease:
		c.parts = append(c.parts, "t.state IN ("+stateList(rota.Sources(op.Act.Verb()))+")")
	default:
		return rota.Invalid("operation %q: there is no such act", op.Act)
	}
	return nil
}

// change is where the operation puts a task that does not run.
func (op *running) change(t *tx, x row) change {
	c := change{row: x, limit: x.limit}
	switch op.Act {
	case rota.ActCancel, rota.ActKill, rota.ActStarve:
		c.to, c.reason = rota.Cancelled, "cancelled"
		if op.Reason != "" {
			c.reason = op.Reason
		} else if op.By != "" {
			c.reason = "cancelled by " + op.By
		}
	case rota.ActHold:
		c.to = rota.Held
	case rota.ActRetry:
		// A whole new budget; the attempt number goes on (P7).
		c.to, c.limit = rota.Ready, max(x.limit, x.attempt+x.jobLimit)
	case rota.ActRelease, rota.ActUnblock:
		c.to = rota.Ready
		if x.jobRunAt > t.now && x.attempt == 0 {
			c.to, c.runAt = rota.Scheduled, x.jobRunAt
		}
		if op.Act == rota.ActRelease && (x.blockers > 0 || !x.sealed) {
			c.to, c.runAt = rota.Blocked, 0
		}
	}
	return c
}

// askToEnd asks running attempts to end (P9). A kill overrides an earlier cancel.
func (t *tx) askToEnd(rows []row, act rota.Act) error {
	how := 1
	if act == rota.ActKill {
		how = 2
	}
	return t.each(`UPDATE task SET ending = ?2 WHERE id = ?1 AND +state = 5 AND coalesce(ending, 0) < ?2`, len(rows),
		func(i int) []any { return []any{int64(rows[i].id), how} })
}

const operationColumns = `id, act, filter, by, reason, at, upper, cursor, matched, done, ended, coalesce(edit, ''), refused, why`

func scanOperation(r *sql.Rows) (op running, err error) {
	var filter, edit string
	var at int64
	err = r.Scan(&op.ID, &op.Act, &filter, &op.By, &op.Reason, &at, (*int64)(&op.Upper), (*int64)(&op.cursor), &op.Matched, &op.Done, &op.Ended,
		&edit, &op.Refused, &op.Why)
	if err != nil {
		return op, err
	}
	op.At = fromMicros(at)
	if edit != "" {
		if err := json.Unmarshal([]byte(edit), &op.Edit); err != nil {
			return op, err
		}
	}
	return op, json.Unmarshal([]byte(filter), &op.Filter)
}

// jobsOf are the jobs of tasks, each once if the tasks are in order.
func jobsOf(tasks []rota.TaskID) (jobs []rota.JobID) {
	for _, id := range tasks {
		if j := id.Job(); len(jobs) == 0 || jobs[len(jobs)-1] != j {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// openOperations are those that are not done, oldest first.
func (t *tx) openOperations() (ops []running, err error) {
	err = t.query(func(r *sql.Rows) error {
		op, err := scanOperation(r)
		ops = append(ops, op)
		return err
	}, `SELECT `+operationColumns+` FROM operation WHERE ended = 0 ORDER BY id`)
	return ops, err
}

// Operation is an operation that did not end at once.
func (s *Store) Operation(ctx context.Context, id int64) (rota.Operation, error) {
	var op running
	err := s.query(ctx, func(r *sql.Rows) (err error) {
		op, err = scanOperation(r)
		return err
	}, `SELECT `+operationColumns+` FROM operation WHERE id = ?1`, id)
	if err == nil && op.ID == 0 {
		err = rota.Errorf(rota.ErrNotFound, "operation %d: there is none, or it is no longer kept", id)
	}
	return op.Operation, err
}

// sweepOperations does a step of the oldest operation that is not done.
func (t *tx) sweepOperations() (rota.Swept, error) {
	ops, err := t.openOperations()
	if err != nil {
		return rota.Swept{}, err
	}
	if len(ops) == 0 {
		some, err := t.sweepFlows()
		return rota.Swept{More: some, Ready: some}, err
	}
	op := &ops[0]
	matched, done := op.Matched, op.Done
	if err := t.step(op); err != nil {
		return rota.Swept{}, err
	}
	_, err = t.exec(`UPDATE operation SET cursor = ?2, matched = matched + ?3, done = done + ?4, ended = ?5, refused = ?6, why = ?7 WHERE id = ?1`,
		op.ID, int64(op.cursor), op.Matched-matched, op.Done-done, flag(op.Ended), op.Refused, op.Why)
	return rota.Swept{Moved: op.Done - done, More: !op.Ended || len(ops) > 1, Ready: true}, err
}

// countFor counts what an operation would move, up to rota.CountCap.
func (s *Store) countFor(ctx context.Context, op rota.Operation) (n int, err error) {
	var c condition
	run := running{Operation: op}
	q := `SELECT count(*) FROM (SELECT 1` + rowTables
	switch op.Act {
	case rota.ActRemove:
		q = `SELECT count(*) FROM (SELECT 1 FROM job j`
		err = removable(&c, &op.Filter)
	case rota.ActEdit:
		q = `SELECT count(*) FROM (SELECT 1 FROM job j`
		err = editable(&c, &op.Filter)
	default:
		c.spans(&op.Filter, "t.id")
		err = run.selects(&c)
	}
	if err != nil {
		return 0, err
	}
	err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&n) }, q+c.where()+fmt.Sprintf(` LIMIT %d) capped`, rota.CountCap), c.args...)
	return n, err
}
