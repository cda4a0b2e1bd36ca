package cli

import (
	"context"
	"iter"
	"slices"

	"github.com/rotaqueue/rota"
)

// expectedJob is a job with when its next task that waits in the queue is expected to start; nil if none does, or that cannot
// be told.
type expectedJob struct {
	rota.Job
	Start *rota.Expect `json:"start,omitempty"`
}

// expectedTask is a task with when it is expected to start.
type expectedTask struct {
	rota.Task
	Start *rota.Expect `json:"start,omitempty"`
}

var (
	expectedJobs  = withStart(jobList, func(e expectedJob) (rota.Job, *rota.Expect) { return e.Job, e.Start })
	expectedTasks = withStart(taskList, func(e expectedTask) (rota.Task, *rota.Expect) { return e.Task, e.Start })
)

// withStart is a list with a column more, behind the state.
func withStart[T, E any](l list[T], parts func(E) (T, *rota.Expect)) list[E] {
	item := func(e E) T { t, _ := parts(e); return t }
	out := list[E]{id: func(e E) string { return l.id(item(e)) }}
	for _, c := range l.columns {
		col := column[E]{head: c.head, right: c.right, wide: c.wide, maybe: c.maybe, cell: func(e E, s style) string { return c.cell(item(e), s) }}
		if c.tint != nil {
			col.tint = func(e E) string { return c.tint(item(e)) }
		}
		out.columns = append(out.columns, col)
	}
	start := column[E]{head: "START", cell: func(e E, s style) string { _, at := parts(e); return at.Text(s.now, brief) }}
	out.columns = slices.Insert(out.columns, 2, start)
	return out
}

// expectJobs asks of each job whose tasks wait in the queue when the next of them starts.
func (c *conn) expectJobs(ctx context.Context, jobs iter.Seq2[rota.Job, error]) iter.Seq2[expectedJob, error] {
	return mapped(jobs, func(j rota.Job) (expectedJob, error) {
		e := expectedJob{Job: j}
		if j.Ready == 0 {
			return e, nil
		}
		filter := rota.Filter{Tasks: []rota.Span{rota.SpanOf(j.ID)}, States: []rota.State{rota.Ready}}
		next, err := c.Tasks(ctx, rota.TaskQuery{Filter: filter, Max: 1})
		if err == nil && len(next) > 0 {
			e.Start, err = c.start(ctx, next[0].ID)
		}
		return e, err
	})
}

// expectTasks does that for tasks.
func (c *conn) expectTasks(ctx context.Context, tasks iter.Seq2[rota.Task, error]) iter.Seq2[expectedTask, error] {
	return mapped(tasks, func(t rota.Task) (e expectedTask, err error) {
		e.Task = t
		if t.State == rota.Ready {
			e.Start, err = c.start(ctx, t.ID)
		}
		return e, err
	})
}

func (c *conn) start(ctx context.Context, id rota.TaskID) (*rota.Expect, error) {
	why, err := c.Why(ctx, id)
	return why.Start, err
}

func mapped[T, E any](items iter.Seq2[T, error], with func(T) (E, error)) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		for item, err := range items {
			var e E
			if err == nil {
				e, err = with(item)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
