package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/rotaqueue/rota"
)

const attemptColumns = `coalesce(%[1]s.outcome, 0), coalesce(s.node, ''), coalesce(s.name, ''), coalesce(%[1]s.claimed, 0),
	coalesce(%[1]s.ended, 0), coalesce(%[1]s.took, ''), %[1]s.exit, coalesce(%[1]s.signal, 0), coalesce(%[1]s.reason, ''),
	coalesce(%[1]s.error, '')`

// attemptFields scans attemptColumns.
type attemptFields struct {
	outcome        int
	claimed, ended int64
	took           string
	exit           sql.NullInt64
}

func (f *attemptFields) dest(a *rota.Attempt) []any {
	return []any{&f.outcome, &a.Node, &a.Session, &f.claimed, &f.ended, &f.took, &f.exit, &a.Signal, &a.Reason, &a.Error}
}

func (f *attemptFields) fill(a *rota.Attempt) error {
	a.Outcome = outcomes[f.outcome]
	a.Claimed, a.Ended = fromMicros(f.claimed), fromMicros(f.ended)
	if f.exit.Valid {
		code := int(f.exit.Int64)
		a.Exit = &code
	}
	if f.took == "" {
		return nil
	}
	n := make([]int64, 0, 10) // as took wrote them; earlier versions ended before the bytes written, or after them
	if err := json.Unmarshal([]byte(f.took), &n); err != nil {
		return err
	}
	f.ended -= n[0]
	a.Ended = fromMicros(f.ended)
	if n[1] >= 0 {
		a.Started = fromMicros(f.ended - n[1])
	}
	a.CPUUser, a.CPUSystem, a.MaxRSS = duration(n[2]), duration(n[3]), n[4]
	if len(n) > 5 {
		a.Stdout, a.Stderr = known(n[5]), known(n[6])
	}
	if len(n) > 7 {
		a.Memory, a.IORead, a.IOWrite = n[7], n[8], n[9]
	}
	return nil
}

func known(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

var taskColumns = `t.id, t.state, l.queue, j.name, coalesce(li.text, ''), t.gate <> 0, coalesce(t.ending, 0), coalesce(t.run_at, 0),
	t.attempt_limit + j.more, coalesce(t.lost, 0), coalesce(t.crashes, 0), coalesce(t.returns, 0), t.attempt, ` + fmt.Sprintf(attemptColumns, "t")

const taskTables = ` FROM task t JOIN job j ON j.id = t.id >> 24 JOIN lane l ON l.id = t.lane LEFT JOIN session s ON s.id = t.session
	LEFT JOIN line li ON li.task = t.id`

func scanTask(r *sql.Rows) (x rota.Task, err error) {
	var f attemptFields
	var ending int
	var runAt int64
	err = r.Scan(append([]any{(*int64)(&x.ID), &x.State, &x.Queue, &x.Name, &x.Line, &x.Gated, &ending, &runAt, &x.Limit, &x.Lost,
		&x.Crashes, &x.Returns, &x.Number}, f.dest(&x.Attempt)...)...)
	x.Ending, x.RunAt = endings[ending], fromMicros(runAt)
	if err != nil {
		return x, err
	}
	return x, f.fill(&x.Attempt)
}

// Task is a task and its earlier attempts.
func (s *Store) Task(ctx context.Context, id rota.TaskID) (task rota.Task, earlier []rota.Attempt, err error) {
	err = s.query(ctx, func(r *sql.Rows) (err error) {
		task, err = scanTask(r)
		return err
	}, `SELECT `+taskColumns+taskTables+` WHERE t.id = ?1 AND j.removing = 0`, int64(id))
	if err == nil && task.ID == 0 {
		err = s.noTask(ctx, id)
	}
	if err != nil {
		return task, nil, err
	}
	err = s.query(ctx, func(r *sql.Rows) error {
		var a rota.Attempt
		var f attemptFields
		if err := r.Scan(append([]any{&a.Number}, f.dest(&a)...)...); err != nil {
			return err
		}
		err := f.fill(&a)
		earlier = append(earlier, a)
		return err
	}, `SELECT a.attempt, `+fmt.Sprintf(attemptColumns, "a")+` FROM attempt a LEFT JOIN session s ON s.id = a.session
		WHERE a.task = ?1 AND a.attempt < ?2 ORDER BY a.attempt`, int64(id), task.Number)
	return task, earlier, err
}

// noTask says why there is no such task.
func (s *Store) noTask(ctx context.Context, id rota.TaskID) error {
	j, err := s.Job(ctx, id.Job())
	if err != nil {
		return err
	}
	switch many := j.Spec.Many(); {
	case many && !id.IsElement():
		return rota.Errorf(rota.ErrNotFound, "task %v: job %d has %d tasks; name one of them, as %v", id, j.ID, j.Tasks, rota.Element(j.ID, 1))
	case many && j.Made < j.Tasks:
		return rota.Errorf(rota.ErrNotFound, "task %v: %d of the job's %d tasks are made so far", id, j.Made, j.Tasks)
	case !many:
		return rota.Errorf(rota.ErrNotFound, "task %v: job %d has one task, %d", id, j.ID, j.ID)
	}
	return rota.Errorf(rota.ErrNotFound, "task %v: job %d has no element %d", id, j.ID, id.Index())
}

// Tasks are the tasks that a query selects.
func (s *Store) Tasks(ctx context.Context, q rota.TaskQuery) (tasks []rota.Task, err error) {
	var c condition
	if err := c.job(&q.Filter); err != nil {
		return nil, err
	}
	c.task(&q.Filter)
	c.spans(&q.Filter, "t.id")
	order := "ASC"
	if q.Newest {
		order = "DESC"
		if q.After > 0 {
			c.and("t.id < %s", int64(q.After))
		}
	} else {
		c.and("t.id > %s", int64(q.After))
	}
	err = s.query(ctx, func(r *sql.Rows) error {
		x, err := scanTask(r)
		tasks = append(tasks, x)
		return err
	}, `SELECT `+taskColumns+taskTables+c.where()+`ORDER BY t.id `+order+` LIMIT `+strconv.Itoa(limit(q.Max)), c.args...)
	return tasks, err
}
