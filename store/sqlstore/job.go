package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"

	"github.com/rotaqueue/rota"
)

const jobColumns = `j.id, j.spec, j.submitter, j.parent, j.schedule, j.submitted, j.ended, coalesce(j.reason, ''), j.many, j.sealed,
	j.tasks, j.made, j.tasks_left, j.failed, j.cancelled`

// jobRow is a job, and what is needed to count its tasks by state.
type jobRow struct {
	rota.Job
	many bool
	left int
}

func scanJob(r *sql.Rows) (j jobRow, err error) {
	var spec []byte
	var submitted, ended int64
	err = r.Scan((*int64)(&j.ID), &spec, &j.Submitter, (*int64)(&j.Parent), &j.Schedule, &submitted, &ended, &j.Reason, &j.many,
		&j.Sealed, &j.Tasks, &j.Made, &j.left, &j.Failed, &j.Cancelled)
	if err != nil {
		return j, err
	}
	j.Progress.Job = j.ID
	j.Submitted, j.Job.Ended = fromMicros(submitted), fromMicros(ended)
	j.Succeeded = j.Tasks - j.left - j.Failed - j.Cancelled
	return j, json.Unmarshal(spec, &j.Spec)
}

// Job is what is known of a job.
func (s *Store) Job(ctx context.Context, id rota.JobID) (rota.Job, error) {
	var jobs []jobRow
	err := s.query(ctx, func(r *sql.Rows) error {
		j, err := scanJob(r)
		jobs = append(jobs, j)
		return err
	}, `SELECT `+jobColumns+` FROM job j WHERE j.id = ?1 AND j.removing = 0`, int64(id))
	if err == nil && len(jobs) == 0 {
		err = noJob(id)
	}
	if err != nil {
		return rota.Job{}, err
	}
	err = s.countTasks(ctx, &jobs[0])
	return jobs[0].Job, err
}

// Jobs are the jobs that a query selects, newest first.
func (s *Store) Jobs(ctx context.Context, q rota.JobQuery) ([]rota.Job, error) {
	var c condition
	if err := c.job(&q.Filter); err != nil {
		return nil, err
	}
	c.jobSpans(&q.Filter)
	c.elements(&q.Filter)
	if q.Before > 0 {
		c.and("j.id < %s", int64(q.Before))
	}
	if q.Active {
		c.parts = append(c.parts, "(j.tasks_left > 0 OR j.sealed = 0)")
	}
	var rows []jobRow
	err := s.query(ctx, func(r *sql.Rows) error {
		j, err := scanJob(r)
		rows = append(rows, j)
		return err
	}, `SELECT `+jobColumns+` FROM job j`+c.where()+`ORDER BY j.id DESC LIMIT `+strconv.Itoa(limit(q.Max)), c.args...)
	if err != nil {
		return nil, err
	}
	jobs := make([]rota.Job, len(rows))
	for i := range rows {
		if err := s.countTasks(ctx, &rows[i]); err != nil {
			return nil, err
		}
		jobs[i] = rows[i].Job
	}
	return jobs, nil
}

func limit(max int) int {
	if max <= 0 {
		return 100
	}
	return min(max, rota.CountCap)
}

// countTasks counts those of a job's tasks that have not ended, by state. Only tasks that stand aside or run are
// counted one by one; what remains is ready.
func (s *Store) countTasks(ctx context.Context, j *jobRow) error {
	if j.left == 0 {
		return nil
	}
	first, last := j.ID.Tasks()
	q := `SELECT state, count(*) FROM task WHERE id BETWEEN ?1 AND ?2 GROUP BY state`
	if j.many {
		q = `SELECT state, count(*) FROM task INDEXED BY task_aside WHERE state IN (1, 2, 3, 7) AND id BETWEEN ?1 AND ?2 GROUP BY state
			UNION ALL SELECT 5, count(*) FROM task INDEXED BY task_running WHERE state = 5 AND id BETWEEN ?1 AND ?2`
	}
	err := s.query(ctx, func(r *sql.Rows) error {
		var state rota.State
		var n int
		err := r.Scan(&state, &n)
		switch state {
		case rota.Blocked:
			j.Blocked = n
		case rota.Scheduled:
			j.Scheduled = n
		case rota.Held:
			j.Held = n
		case rota.Running:
			j.Running = n
		}
		return err
	}, q, int64(first), int64(last))
	j.Ready = max(0, j.left-j.Blocked-j.Scheduled-j.Held-j.Running)
	return err
}
