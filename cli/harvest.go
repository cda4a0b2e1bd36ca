package cli

import (
	"context"
	"iter"

	"github.com/rotaqueue/rota"
)

const (
	page    = 1000 // tasks or jobs asked for at once: no server gives more
	maxOpen = 200  // tasks that were seen unended and are looked at again one by one
)

var endedStates = []rota.State{rota.Succeeded, rota.Failed, rota.Cancelled}

// harvest finds the tasks of a job that have ended since it last looked, each once, about in the order of their
// ends. It lists each task once as it comes by, and again only those that were seen running: however large the
// job, a look costs what has happened since, and memory is bounded.
type harvest struct {
	c    *conn
	job  rota.JobID
	edge rota.TaskID   // all tasks up to here have been seen
	open []rota.TaskID // of these, those that had not ended
}

// look yields what has ended.
func (h *harvest) look(ctx context.Context) iter.Seq2[rota.Task, error] {
	return func(yield func(rota.Task, error) bool) {
		if !h.lookAgain(ctx, yield) {
			return
		}
		first, last := h.job.Tasks()
		for len(h.open) < maxOpen {
			rest := rota.Span{First: max(first, h.edge+1), Last: last}
			tasks, err := h.list(ctx, rota.TaskQuery{Filter: rota.Filter{Tasks: []rota.Span{rest}}, Max: page})
			if err != nil {
				yield(rota.Task{}, err)
				return
			}
			for _, t := range tasks {
				if untouched(&t) {
					return
				}
				h.edge = t.ID
				if !t.State.Ended() {
					h.open = append(h.open, t.ID)
				} else if !yield(t, nil) {
					return
				}
			}
			if len(tasks) < page {
				return
			}
		}
	}
}

// lookAgain yields those of the open tasks that have ended meanwhile.
func (h *harvest) lookAgain(ctx context.Context, yield func(rota.Task, error) bool) bool {
	if len(h.open) == 0 {
		return true
	}
	tasks, err := h.list(ctx, rota.TaskQuery{Filter: rota.Filter{Tasks: spansOf(h.open), States: endedStates}, Max: len(h.open)})
	if err != nil {
		return yield(rota.Task{}, err) && false
	}
	ended := map[rota.TaskID]bool{}
	for _, t := range tasks {
		ended[t.ID] = true
		if !yield(t, nil) {
			return false
		}
	}
	kept := h.open[:0]
	for _, id := range h.open {
		if !ended[id] {
			kept = append(kept, id)
		}
	}
	h.open = kept
	return true
}

func (h *harvest) list(ctx context.Context, q rota.TaskQuery) ([]rota.Task, error) {
	return patiently(ctx, h.c, func() ([]rota.Task, error) { return h.c.Tasks(ctx, q) })
}

// untouched reports whether a task is one that nothing has happened to: those behind it wait too.
func untouched(t *rota.Task) bool {
	return t.Number == 0 && (t.State == rota.Ready || t.State == rota.Blocked || t.State == rota.Scheduled)
}

// spansOf joins neighbours of a rising list.
func spansOf(ids []rota.TaskID) []rota.Span {
	var spans []rota.Span
	for _, id := range ids {
		if n := len(spans); n > 0 && spans[n-1].Last+1 == id {
			spans[n-1].Last = id
			continue
		}
		spans = append(spans, rota.Span{First: id, Last: id})
	}
	return spans
}

// tasks are all tasks that a query selects, page by page, or the first most of them if most is not 0.
func (c *conn) tasks(ctx context.Context, q rota.TaskQuery, most int) iter.Seq2[rota.Task, error] {
	return func(yield func(rota.Task, error) bool) {
		for n := 0; most == 0 || n < most; {
			if q.Max = page; most > 0 {
				q.Max = min(page, most-n)
			}
			tasks, err := c.Tasks(ctx, q)
			if err != nil {
				yield(rota.Task{}, err)
				return
			}
			for _, t := range tasks {
				if !yield(t, nil) {
					return
				}
				q.After = t.ID
			}
			if n += len(tasks); len(tasks) < q.Max {
				return
			}
		}
	}
}

// jobs are all jobs that a query selects, newest first, or the first most of them if most is not 0.
func (c *conn) jobs(ctx context.Context, q rota.JobQuery, most int) iter.Seq2[rota.Job, error] {
	return func(yield func(rota.Job, error) bool) {
		for n := 0; most == 0 || n < most; {
			if q.Max = page; most > 0 {
				q.Max = min(page, most-n)
			}
			jobs, err := c.Jobs(ctx, q)
			if err != nil {
				yield(rota.Job{}, err)
				return
			}
			for _, j := range jobs {
				if !yield(j, nil) {
					return
				}
				q.Before = j.ID
			}
			if n += len(jobs); len(jobs) < q.Max {
				return
			}
		}
	}
}
