package sqlstore

import (
	"database/sql"
	"fmt"

	"github.com/rotaqueue/rota"
)

// Of two arrays, one can wait for the other element by element: each element for the success of that with its index (P15).
// Then the waiting job has a dependency for as long as the other one runs or itself is being made, and each of its elements is
// let go, or ended, as the other's ends. Whoever decides that holds the row of the waiting job and has read the other's
// elements after: of two that end at once, the later one sees both.

// waitsForNothing is, of an element, that nothing of what it waits for is left.
const waitsForNothing = `(j.blockers = 0 OR NOT EXISTS (SELECT 1 FROM dependency d WHERE d.job = j.id AND NOT (d.condition = 'each'
	AND EXISTS (SELECT 1 FROM task o WHERE o.id = (d.on_job << 24 | (t.id & 16777215)) AND o.state = 6))))`

// resolveEach refuses a job that is to wait element by element for one that does not have these elements.
func (t *tx) resolveEach(r *newRow, d rota.Dependency) error {
	var spec string
	var tasks, many, sealed int
	if _, err := t.one(`SELECT spec, tasks, many, sealed FROM job WHERE id = ?1`, []any{int64(d.Job)}, &spec, &tasks, &many, &sealed); err != nil {
		return err
	}
	switch {
	case many == 0:
		return rota.Invalid("after each:%v: job %v is a single task, and has no elements", d.Job, d.Job).WithFix("write ok:%v", d.Job)
	case sealed == 0:
		return rota.Errorf(rota.ErrConflict, "after each:%v: job %v is still being uploaded", d.Job, d.Job).WithFix("submit when rota show %v says how many tasks it has", d.Job)
	}
	array, err := arrayOf(spec)
	if err != nil {
		return err
	}
	has := elements(array, tasks)
	for i := range elements(r.Spec.Array, r.tasks).From(0) {
		if !has.Has(i) {
			return rota.Invalid("after each:%v: job %v has no element %d", d.Job, d.Job, i).WithFix("rota show %v has its elements", d.Job)
		}
	}
	return nil
}

// elements are a job's: an array's, or of as many lines.
func elements(a *rota.Array, lines int) *rota.Array {
	if a == nil {
		return &rota.Array{Ranges: []rota.Range{{First: 1, Last: lines}}}
	}
	return a
}

// resolveUpload does that for a job whose lines have all come.
func (t *tx) resolveUpload(id rota.JobID, tasks int) error {
	some, err := t.one(`SELECT 1 FROM dependency WHERE job = ?1 AND condition = 'each' LIMIT 1`, []any{int64(id)}, new(int))
	if !some || err != nil {
		return err
	}
	r := &newRow{NewJob: &rota.NewJob{}, id: id, tasks: tasks}
	after, err := t.eachOf(id)
	for _, on := range after {
		if err == nil {
			err = t.resolveEach(r, rota.Dependency{Job: on, When: rota.AfterEach})
		}
	}
	return err
}

// eachOf are the jobs for which a job waits element by element.
func (t *tx) eachOf(job rota.JobID) (on []rota.JobID, err error) {
	return on, t.query(func(r *sql.Rows) error {
		var id rota.JobID
		err := r.Scan((*int64)(&id))
		on = append(on, id)
		return err
	}, `SELECT on_job FROM dependency WHERE job = ?1 AND condition = 'each' ORDER BY on_job`, int64(job))
}

// releaseElements lets go, or ends, elements of other arrays that wait for those tasks that have just ended.
func (t *tx) releaseElements(over []rota.TaskID) error {
	if len(over) == 0 {
		return nil
	}
	ended := map[rota.JobID][]rota.TaskID{}
	for _, id := range over {
		ended[id.Job()] = append(ended[id.Job()], id)
	}
	type pair struct{ on, job rota.JobID }
	var pairs []pair
	err := t.query(func(r *sql.Rows) error {
		var p pair
		err := r.Scan((*int64)(&p.on), (*int64)(&p.job))
		pairs = append(pairs, p)
		return err
	}, `SELECT on_job, job FROM dependency WHERE on_job IN (SELECT value FROM json_each(?1)) AND condition = 'each' ORDER BY job, on_job`, list(jobsOf(over)))
	if err != nil {
		return err
	}
	for _, p := range pairs {
		waiting := make([]rota.TaskID, len(ended[p.on]))
		for i, id := range ended[p.on] {
			waiting[i] = rota.Element(p.job, id.Index())
		}
		if err := t.settleElements(p.job, "t.id IN (SELECT value FROM json_each(%s))", list(waiting)); err != nil {
			return err
		}
	}
	return nil
}

// settleBlocked looks at what has come to be blocked: it may be an element that waits for nothing any more.
func (t *tx) settleBlocked() error {
	blocked := t.blocked
	t.blocked = nil
	for _, job := range jobsOf(blocked) {
		on, err := t.eachOf(job)
		if err != nil {
			return err
		}
		if len(on) == 0 {
			continue
		}
		if err := t.settleElements(job, "t.id IN (SELECT value FROM json_each(%s))", list(blocked)); err != nil {
			return err
		}
		if err := t.releaseEach(job); err != nil {
			return err
		}
	}
	return nil
}

// settleMade looks at what was just made of a job that waits: of some elements it may have come true before.
func (t *tx) settleMade(job rota.JobID, made []rota.Range) error {
	on, err := t.eachOf(job)
	if len(on) == 0 || err != nil {
		return err
	}
	for _, r := range made {
		if err := t.settleElements(job, "t.id BETWEEN %s AND %s", int64(rota.Element(job, r.First)), int64(rota.Element(job, r.Last))); err != nil {
			return err
		}
	}
	return t.releaseEach(job)
}

// settleElements lets go, or ends, those elements of a job that a condition selects.
func (t *tx) settleElements(job rota.JobID, which string, args ...any) error {
	if _, err := t.one(`SELECT 1 FROM job WHERE id = ?1 /*pg FOR NO KEY UPDATE */`, []any{int64(job)}, new(int)); err != nil {
		return err
	}
	var c condition
	c.and("t.id >> 24 = %s AND t.state IN (1, 3)", int64(job))
	c.and(which, args...)
	starved := map[string][]rota.TaskID{}
	err := t.query(func(r *sql.Rows) error {
		var id rota.TaskID
		var on rota.JobID
		err := r.Scan((*int64)(&id), (*int64)(&on))
		reason := fmt.Sprintf("element %d of job %v did not succeed, and this one was to run after its success", id.Index(), on)
		starved[reason] = append(starved[reason], id)
		return err
	}, `SELECT t.id, min(d.on_job) FROM task t JOIN dependency d ON d.job = t.id >> 24 AND d.condition = 'each'
		JOIN task o ON o.id = (d.on_job << 24 | (t.id & 16777215)) AND o.state IN (7, 8)`+c.where()+`GROUP BY t.id`, c.args...)
	if err != nil {
		return err
	}
	for reason, ids := range starved {
		op := running{Operation: rota.Operation{Act: rota.ActStarve, Reason: reason}}
		if _, err := t.apply(&op, "t.id IN (SELECT value FROM json_each(%s))", list(ids)); err != nil {
			return err
		}
	}
	_, err = t.applyWhere(&running{Operation: rota.Operation{Act: rota.ActUnblock}}, c)
	return err
}

// releaseEach ends a job's waiting for arrays that have ended, if all its elements are made: each was let go, or was ended.
func (t *tx) releaseEach(job rota.JobID) error {
	n, err := t.exec(`DELETE FROM dependency WHERE job = ?1 AND condition = 'each' AND on_job IN (SELECT id FROM job WHERE ended > 0)
		AND EXISTS (SELECT 1 FROM job WHERE id = ?1 AND made = tasks AND sealed = 1)`, int64(job))
	if err == nil && n > 0 {
		_, err = t.exec(`UPDATE job SET blockers = blockers - ?2 WHERE id = ?1`, int64(job), n)
	}
	return err
}
