package sqlstore

import (
	"database/sql"
	"fmt"

	"github.com/rotaqueue/rota"
)

// resolveDependencies looks at the jobs that a new one waits for: those that have ended already are decided here,
// the others make blockers (P15).
func (t *tx) resolveDependencies(r *newRow) error {
	for _, d := range r.Spec.After {
		var left, failed, cancelled, sealed int
		found, err := t.one(`SELECT tasks_left, failed, cancelled, sealed FROM job WHERE id = ?1 AND id < ?2 AND removing = 0 /*pg FOR SHARE */`,
			[]any{int64(d.Job), int64(r.id)}, &left, &failed, &cancelled, &sealed)
		switch {
		case err != nil:
			return err
		case !found:
			return rota.Errorf(rota.ErrNotFound, "submit: after %s:%d: there is no job %d, or it is no longer kept", d.When, d.Job, d.Job)
		case d.When == rota.AfterEach:
			if r.blockers++; !r.More {
				if err := t.resolveEach(r, d); err != nil {
					return err
				}
			}
		case left > 0 || sealed == 0:
			r.blockers++
		case !holds(d.When, failed, cancelled):
			r.starved = starvedBy(d)
		}
	}
	return nil
}

// holds reports whether the end of a job is the one waited for.
func holds(when rota.When, failed, cancelled int) bool {
	switch when {
	case rota.AfterOK:
		return failed == 0 && cancelled == 0
	case rota.AfterFail:
		return failed > 0
	}
	return true
}

func starvedBy(d rota.Dependency) string {
	if d.When == rota.AfterFail {
		return fmt.Sprintf("job %d ended without a failure, and this job was to run after one", d.Job)
	}
	return fmt.Sprintf("job %d did not succeed, and this job was to run after its success", d.Job)
}

func (t *tx) insertDependencies(rows []*newRow) error {
	for _, r := range rows {
		for _, d := range r.Spec.After {
			if _, err := t.exec(`INSERT INTO edge (job, on_job, condition) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`,
				int64(r.id), int64(d.Job), string(d.When)); err != nil {
				return err
			}
		}
		if r.blockers == 0 {
			continue
		}
		n := 0
		for _, d := range r.Spec.After {
			added, err := t.exec(`INSERT INTO dependency (on_job, job, condition)
				SELECT id, ?2, ?3 FROM job WHERE id = ?1 AND (tasks_left > 0 OR sealed = 0 OR CAST(?3 AS TEXT) = 'each') ON CONFLICT DO NOTHING`,
				int64(d.Job), int64(r.id), string(d.When))
			if err != nil {
				return err
			}
			n += added
		}
		if n == r.blockers {
			continue
		}
		if _, err := t.exec(`UPDATE job SET blockers = ?2 WHERE id = ?1`, int64(r.id), n); err != nil { // named twice
			return err
		}
	}
	return nil
}

// starveNew cancels new jobs that wait for what can no longer come true.
func (t *tx) starveNew(rows []*newRow) error {
	for _, r := range rows {
		if r.starved == "" {
			continue
		}
		if err := t.starve(r.id, r.starved); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) starve(job rota.JobID, reason string) error {
	if _, err := t.exec(`UPDATE job SET reason = ?2 WHERE id = ?1`, int64(job), reason); err != nil {
		return err
	}
	_, err := t.operate(rota.Operation{Act: rota.ActStarve, Reason: reason, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}}})
	return err
}

// releaseDependents tells those that wait for jobs whose counters changed, if the jobs have ended, and elements that wait for
// tasks that have. It runs as a later statement of the transaction that ended them, on rows that this transaction has locked
// (P15).
func (t *tx) releaseDependents(changed []rota.JobID, over []rota.TaskID) error {
	if len(changed) == 0 {
		return nil
	}
	if some, err := t.one(`SELECT 1 FROM dependency LIMIT 1`, nil, new(int)); !some || err != nil {
		return err
	}
	if err := t.releaseElements(over); err != nil {
		return err
	}
	type row struct {
		rota.Dependency
		job               rota.JobID
		failed, cancelled int
	}
	var rows []row
	err := t.query(func(r *sql.Rows) error {
		var d row
		err := r.Scan(&d.Job, &d.job, &d.When, &d.failed, &d.cancelled)
		rows = append(rows, d)
		return err
	}, `SELECT d.on_job, d.job, d.condition, j.failed, j.cancelled FROM dependency d JOIN job j ON j.id = d.on_job
		WHERE d.on_job IN (SELECT value FROM json_each(?1)) AND j.ended > 0 ORDER BY d.job, d.on_job`, list(changed))
	if err != nil || len(rows) == 0 {
		return err
	}
	for _, d := range rows {
		if d.When == rota.AfterEach {
			if err := t.releaseEach(d.job); err != nil {
				return err
			}
			continue
		}
		if _, err := t.exec(`DELETE FROM dependency WHERE on_job = ?1 AND job = ?2 AND condition = ?3`,
			int64(d.Job), int64(d.job), string(d.When)); err != nil {
			return err
		}
		if err := t.releaseDependent(d.job, d.Dependency, holds(d.When, d.failed, d.cancelled)); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) releaseDependent(job rota.JobID, d rota.Dependency, holds bool) error {
	var blockers int
	found, err := t.one(`UPDATE job SET blockers = blockers - 1 WHERE id = ?1 RETURNING blockers`, []any{int64(job)}, &blockers)
	switch {
	case err != nil || !found:
		return err
	case !holds:
		return t.starve(job, starvedBy(d))
	case blockers > 0:
		some, err := t.one(`SELECT 1 FROM dependency WHERE job = ?1 AND condition <> 'each' LIMIT 1`, []any{int64(job)}, new(int))
		if some || err != nil {
			return err
		}
	}
	_, err = t.operate(rota.Operation{Act: rota.ActUnblock, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}}})
	return err
}
