package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// A job's columns: the last tells how many of its tasks are in which state, as "state:n" with commas between, of those
// that have not ended. Only tasks that stand aside or run are counted one by one; what remains is ready. All of it is
// one statement and so one moment: a task that moves meanwhile is counted once.
const jobColumns = `j.id, j.spec, (SELECT queue FROM lane WHERE id = j.lane), j.submitter, j.parent, j.schedule, j.submitted, j.ended, coalesce(j.reason, ''), j.sealed,
	j.tasks, j.made, j.tasks_left, j.failed, j.cancelled, CASE
	WHEN j.tasks_left = 0 THEN ''
	WHEN j.many = 0 THEN coalesce((SELECT state || ':1' FROM task WHERE id = j.id << 24), '')
	ELSE coalesce((SELECT group_concat(c.state || ':' || c.n) FROM (
		SELECT state, count(*) AS n FROM task INDEXED BY task_aside
			WHERE (state < 4 OR state = 7) AND id BETWEEN j.id << 24 AND (j.id + 1 << 24) - 1 GROUP BY state
		UNION ALL SELECT 5, count(*) FROM task INDEXED BY task_running
			WHERE state = 5 AND id BETWEEN j.id << 24 AND (j.id + 1 << 24) - 1) c), '') END`

func scanJob(r *sql.Rows) (j rota.Job, err error) {
	var spec []byte
	var counts string
	var submitted, ended int64
	var left int
	err = r.Scan((*int64)(&j.ID), &spec, &j.Queue, &j.Submitter, (*int64)(&j.Parent), &j.Schedule, &submitted, &ended, &j.Reason,
		&j.Sealed, &j.Tasks, &j.Made, &left, &j.Failed, &j.Cancelled, &counts)
	if err != nil {
		return j, err
	}
	j.Progress.Job = j.ID
	j.Submitted, j.Ended = fromMicros(submitted), fromMicros(ended)
	j.Succeeded = j.Tasks - left - j.Failed - j.Cancelled
	if err := countStates(&j.Progress, counts); err != nil {
		return j, err
	}
	j.Ready = max(0, left-j.Blocked-j.Scheduled-j.Held-j.Running)
	return j, json.Unmarshal(spec, &j.Spec)
}

// countStates reads the counts of tasks that stand aside or run.
func countStates(p *rota.Progress, counts string) error {
	for c := range strings.SplitSeq(counts, ",") {
		state, number, _ := strings.Cut(c, ":")
		if state == "" {
			continue
		}
		of, err1 := strconv.Atoi(state)
		n, err2 := strconv.Atoi(number)
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("count of states %q: %w", counts, err)
		}
		switch rota.State(of) {
		case rota.Blocked:
			p.Blocked = n
		case rota.Scheduled:
			p.Scheduled = n
		case rota.Held:
			p.Held = n
		case rota.Running:
			p.Running = n
		}
	}
	return nil
}

// Job is what is known of a job.
func (s *Store) Job(ctx context.Context, id rota.JobID) (rota.Job, error) {
	var job rota.Job
	err := s.query(ctx, func(r *sql.Rows) (err error) {
		job, err = scanJob(r)
		return err
	}, `SELECT `+jobColumns+` FROM job j WHERE j.id = ?1 AND j.removing = 0`, int64(id))
	if err == nil && job.ID == 0 {
		err = noJob(id)
	}
	return job, err
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
	if q.After > 0 {
		c.and("j.id > %s", int64(q.After))
	}
	order := "DESC"
	if q.Oldest {
		order = "ASC"
	}
	if q.Active {
		c.parts = append(c.parts, "(j.tasks_left > 0 OR j.sealed = 0)")
	}
	if q.Many {
		c.parts = append(c.parts, "j.many = 1")
	}
	var jobs []rota.Job
	err := s.query(ctx, func(r *sql.Rows) error {
		j, err := scanJob(r)
		jobs = append(jobs, j)
		return err
	}, `SELECT `+jobColumns+` FROM job j`+c.where()+`ORDER BY j.id `+order+` LIMIT `+strconv.Itoa(limit(q.Max)), c.args...)
	return jobs, err
}

func limit(max int) int {
	if max <= 0 {
		return 100
	}
	return min(max, rota.CountCap)
}
