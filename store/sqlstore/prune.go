package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/rotaqueue/rota"
)

// unneeded is a job that no elements wait for any more (P15).
const unneeded = `NOT EXISTS (SELECT 1 FROM dependency d WHERE d.on_job = j.id)`

// removable adds the conditions under which a job can be removed: it has ended, nothing waits for it, and the filter selects it.
func removable(c *condition, f *rota.Filter) error {
	if err := c.job(f); err != nil {
		return err
	}
	c.jobSpans(f)
	c.elements(f)
	c.parts = append(c.parts, "j.ended > 0", unneeded)
	return nil
}

// stepRemove marks jobs to be removed; SweepPrune removes what is marked. The cursor is the last job's last task.
func (t *tx) stepRemove(op *running) error {
	for _, s := range op.Filter.Tasks {
		if first, last := s.First.Job().Tasks(); s.First != first || s.Last.Job() == first.Job() && s.Last != last {
			return rota.Invalid("remove task %v: whole jobs are removed, not tasks of them", s.First).WithFix("rota rm %d", s.First.Job())
		}
	}
	var c condition
	if err := removable(&c, &op.Filter); err != nil {
		return err
	}
	c.and("j.id > %s AND j.id <= %s", int64(op.cursor.Job()), int64(op.Upper.Job()))
	var ids []rota.JobID
	err := t.query(func(r *sql.Rows) error {
		var id rota.JobID
		err := r.Scan((*int64)(&id))
		ids = append(ids, id)
		return err
	}, `SELECT j.id FROM job j`+c.where()+fmt.Sprintf(`ORDER BY j.id LIMIT %d`, stepRows), c.args...)
	if err != nil {
		return err
	}
	op.Ended = len(ids) < stepRows
	if len(ids) > 0 {
		_, op.cursor = ids[len(ids)-1].Tasks()
	}
	op.Matched += len(ids)
	op.Done += len(ids)
	if err := t.markRemoved(ids); err != nil {
		return err
	}
	_, err = t.removeMarked(stepRows)
	return err
}

func (t *tx) markRemoved(ids []rota.JobID) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := t.exec(`UPDATE job SET removing = 1 WHERE id IN (SELECT value FROM json_each(?1)) AND ended > 0`, list(ids))
	return err
}

// sweepPrune removes history past its retention, cancels uploads that were abandoned, forgets old keys, and thins out
// what nodes told of themselves.
func (t *tx) sweepPrune(keep rota.Retention) (out rota.Swept, err error) {
	n, err := t.removeMarked(stepRows)
	if err != nil || n > 0 {
		return rota.Swept{Moved: n, More: true}, err
	}
	if n, err := t.thinNodes(); err != nil || n >= stepRows {
		return rota.Swept{Moved: n, More: true}, err
	}
	if found, err := t.abandonUpload(keep.Uploads); err != nil || found {
		return rota.Swept{Moved: 1, More: true, Ready: true}, err
	}
	if n, err := t.outliveBlobs(); err != nil || n > 0 {
		return rota.Swept{Moved: n, More: true}, err
	}
	if _, err := t.exec(`DELETE FROM token WHERE (login = 1 OR once = 1) AND expires < ?1`, t.now); err != nil {
		return out, err
	}
	if found, err := t.abandonObject(); err != nil || found {
		return rota.Swept{Moved: 1, More: true}, err
	}
	if _, err := t.exec(`DELETE FROM submission_key WHERE orphan = 1 AND at < ?1`, t.now-keyAge.Microseconds()); err != nil {
		return out, err
	}
	if err := t.forgetTurns(); err != nil {
		return out, err
	}
	if t.s.engine.shared() {
		if _, err := t.exec(`DELETE FROM outcome WHERE at < ?1`, t.now-outcomeAge.Microseconds()); err != nil {
			return out, err
		}
	}
	if n, err := t.pruneFires(keep); err != nil || n >= stepRows {
		return rota.Swept{Moved: n, More: true}, err
	}
	if err := t.forgetIdentities(); err != nil {
		return out, err
	}
	ids, err := t.outlived(keep)
	if err != nil {
		return out, err
	}
	more := len(ids) > 0
	if !more {
		if ids, more, err = t.outlivedInQueues(); err != nil {
			return out, err
		}
	}
	return rota.Swept{Moved: len(ids), More: more || len(ids) > 0}, t.markRemoved(ids)
}

// outcomeAge is how long the mark of a connection stays that writes no more.
const outcomeAge = 24 * time.Hour

// pruneJobs is how many jobs one step of pruning marks.
const pruneJobs = 500

// outlived are ended jobs past their retention, up to pruneJobs of them.
func (t *tx) outlived(keep rota.Retention) (ids []rota.JobID, err error) {
	before := int64(0)
	if keep.Age > 0 {
		before = t.now - keep.Age.Micros()
	}
	if keep.Bytes > 0 {
		used, err := t.s.engine.bytes(context.Background())
		if err != nil {
			return nil, err
		}
		if used > keep.Bytes {
			before = t.now + 1
		}
	}
	scan := func(r *sql.Rows) error {
		var id rota.JobID
		err := r.Scan((*int64)(&id))
		ids = append(ids, id)
		return err
	}
	if before != 0 {
		err = t.query(scan, `SELECT id FROM job j WHERE ended > 0 AND ended < ?1 AND removing = 0 AND `+unneeded+` ORDER BY ended, id LIMIT ?2`, before, pruneJobs)
	}
	if err == nil && keep.Jobs > 0 && len(ids) == 0 {
		err = t.query(scan, `SELECT id FROM job j WHERE ended > 0 AND removing = 0 AND `+unneeded+` ORDER BY ended DESC, id DESC LIMIT ?1 OFFSET ?2`, pruneJobs, keep.Jobs)
	}
	return ids, err
}

// abandonUpload cancels a job whose upload stopped long ago, if there is one.
func (t *tx) abandonUpload(after rota.Duration) (bool, error) {
	if after == 0 {
		return false, nil
	}
	var id rota.JobID
	found, err := t.one(`SELECT id FROM job WHERE sealed = 0 AND touched < ?1 ORDER BY touched LIMIT 1`, []any{t.now - after.Micros()}, (*int64)(&id))
	if !found || err != nil {
		return false, err
	}
	_, err = t.operate(rota.Operation{Act: rota.ActCancel, Reason: "its upload was not completed",
		Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(id)}}})
	return true, err
}

// removeMarked deletes up to max tasks of jobs that are marked, and jobs that have no task left. It says how many
// rows it deleted.
func (t *tx) removeMarked(max int) (int, error) {
	deleted := 0
	for deleted < max {
		var id rota.JobID
		var lane, gate, tasksLeft int64
		found, err := t.one(`SELECT id, lane, gate, tasks_left FROM job WHERE removing = 1 ORDER BY id LIMIT 1`, nil, (*int64)(&id), &lane, &gate, &tasksLeft)
		if !found || err != nil {
			return deleted, err
		}
		n, err := t.removeTasks(id, max-deleted)
		if err != nil {
			return deleted, err
		}
		deleted += n
		if deleted >= max {
			break
		}
		if err := t.removeJob(id, gate); err != nil {
			return deleted, err
		}
		deleted++
	}
	return deleted, nil
}

func (t *tx) removeTasks(job rota.JobID, max int) (int, error) {
	first, last := job.Tasks()
	var ids []rota.TaskID
	err := t.query(func(r *sql.Rows) error {
		var id rota.TaskID
		var lane int64
		var state rota.State
		err := r.Scan((*int64)(&id), &lane, &state)
		t.count(lane, state, -1)
		ids = append(ids, id)
		return err
	}, `SELECT id, lane, state FROM task WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3`, int64(first), int64(last), max)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	lo, hi := int64(ids[0]), int64(ids[len(ids)-1])
	for _, q := range []string{
		`DELETE FROM attempt WHERE task BETWEEN ?1 AND ?2`,
		`DELETE FROM output WHERE task BETWEEN ?1 AND ?2`,
		`DELETE FROM artifact WHERE task BETWEEN ?1 AND ?2`,
		`DELETE FROM failure WHERE task BETWEEN ?1 AND ?2`,
		`DELETE FROM sample WHERE task BETWEEN ?1 AND ?2`,
		`DELETE FROM line WHERE task BETWEEN ?1 AND ?2`,
		`DELETE FROM task WHERE id BETWEEN ?1 AND ?2`,
	} {
		if _, err := t.exec(q, lo, hi); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// removeJob deletes a job without tasks. A key that is younger than a day outlives it (P20).
func (t *tx) removeJob(id rota.JobID, gate int64) error {
	if err := t.leaveIdentity(id); err != nil {
		return err
	}
	first, last := id.Tasks()
	steps := []struct {
		q    string
		args []any
	}{
		{`UPDATE submission_key SET orphan = 1 WHERE job = ?1 AND (submitter, key) = (SELECT submitter, submit_key FROM job WHERE id = ?1)`, []any{int64(id)}},
		{`DELETE FROM line WHERE task BETWEEN ?1 AND ?2`, []any{int64(first), int64(last)}}, // of an upload that was not completed
		{`DELETE FROM input WHERE job = ?1`, []any{int64(id)}},
		{`DELETE FROM edge WHERE job = ?1`, []any{int64(id)}},
		{`UPDATE blob SET touched = ?3 WHERE id IN (SELECT blob FROM blob_use WHERE holder IN (?1, ?2))`, []any{holderOfJob(id), holderOfArtifacts(id), t.now}},
		{`DELETE FROM blob_use WHERE holder IN (?1, ?2)`, []any{holderOfJob(id), holderOfArtifacts(id)}},
		{`DELETE FROM gate WHERE id = ?1`, []any{gate}},
		{`DELETE FROM job WHERE id = ?1`, []any{int64(id)}},
	}
	for _, s := range steps {
		if _, err := t.exec(s.q, s.args...); err != nil {
			return err
		}
	}
	return nil
}
