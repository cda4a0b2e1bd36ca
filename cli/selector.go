package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/rotaqueue/rota"
)

// selection is what the arguments of a command name: spans of tasks, or a pattern of names.
type selection struct {
	spans   []rota.Span
	singles []single // of the spans, those that name one job or task
	pattern string
}

// single is one job, or one task of an array.
type single struct {
	job  rota.JobID
	task rota.TaskID // 0: the whole job
}

func (s single) String() string {
	if s.task != 0 {
		return s.task.String()
	}
	return s.job.String()
}

func (s single) span() rota.Span {
	if s.task != 0 {
		return rota.Span{First: s.task, Last: s.task}
	}
	return rota.SpanOf(s.job)
}

// parseSelectors reads "42", "42.7", "42.1-9", "1-5,8", "last" and "name:train*". Newest is asked for the job that
// "last" stands for.
func parseSelectors(args []string, newest func() (rota.JobID, error)) (selection, error) {
	var sel selection
	for _, arg := range args {
		if pattern, ok := strings.CutPrefix(arg, "name:"); ok {
			if sel.pattern != "" || pattern == "" {
				return sel, rota.Invalid("selector %q: write one pattern after name:", arg).WithFix("for example name:train*")
			}
			sel.pattern = pattern
			continue
		}
		for part := range strings.SplitSeq(arg, ",") {
			if err := sel.add(part, newest); err != nil {
				return sel, err
			}
		}
	}
	if sel.pattern != "" && len(sel.spans) > 0 {
		return sel, rota.Invalid("a name pattern and ids do not go together in one command")
	}
	return sel, nil
}

func (sel *selection) add(part string, newest func() (rota.JobID, error)) error {
	if rest, ok := strings.CutPrefix(part, "last"); ok && (rest == "" || rest[0] == '.') {
		job, err := newest()
		if err != nil {
			return err
		}
		part = job.String() + rest
	}
	first, last, ranged := strings.Cut(part, "-")
	one, err := parseSingle(first)
	if err != nil {
		return badSelector(part)
	}
	if !ranged {
		sel.singles = append(sel.singles, one)
		sel.spans = append(sel.spans, one.span())
		return nil
	}
	if one.task != 0 {
		last = one.job.String() + "." + last
	}
	end, err := parseSingle(last)
	if err != nil || end.span().Last < one.span().First {
		return badSelector(part)
	}
	sel.spans = append(sel.spans, rota.Span{First: one.span().First, Last: end.span().Last})
	return nil
}

func parseSingle(s string) (single, error) {
	if !strings.Contains(s, ".") {
		j, err := rota.ParseJobID(s)
		return single{job: j}, err
	}
	t, err := rota.ParseTaskID(s)
	return single{job: t.Job(), task: t}, err
}

func badSelector(s string) error {
	return rota.Invalid("selector %q: names no job and no task", s).
		WithFix("write 42, 42.7, 42.1-9, 1-5,8, last or name:train*")
}

// filter is the selection as the Service has it.
func (sel selection) filter() rota.Filter { return rota.Filter{Tasks: sel.spans, Name: sel.pattern} }

// selectors reads a command's arguments.
func (c *conn) selectors(ctx context.Context, args []string) (selection, error) {
	return parseSelectors(args, func() (rota.JobID, error) { return c.newest(ctx) })
}

// newest is the latest job of who asks.
func (c *conn) newest(ctx context.Context) (rota.JobID, error) {
	status, err := c.Status(ctx)
	if err != nil && !errors.Is(err, rota.ErrDenied) { // a running job may not ask; it sees its own jobs only
		return 0, err
	}
	jobs, err := c.Jobs(ctx, rota.JobQuery{Filter: rota.Filter{Submitter: status.Principal.Name}, Max: 1})
	if err != nil {
		return 0, err
	}
	if len(jobs) == 0 {
		return 0, rota.Errorf(rota.ErrNotFound, "last: you have submitted no job yet")
	}
	return jobs[0].ID, nil
}

// one reads an argument that must name one job or one task. A pattern will do when one job has such a name.
func (c *conn) one(ctx context.Context, arg string) (single, error) {
	sel, err := c.selectors(ctx, []string{arg})
	if err != nil {
		return single{}, err
	}
	if sel.pattern == "" {
		if len(sel.singles) != 1 || len(sel.spans) != 1 {
			return single{}, rota.Invalid("selector %q: this command takes one job or one task", arg)
		}
		return sel.singles[0], nil
	}
	jobs, err := c.Jobs(ctx, rota.JobQuery{Filter: rota.Filter{Name: sel.pattern}, Max: 2})
	switch {
	case err != nil:
		return single{}, err
	case len(jobs) == 0:
		return single{}, rota.Errorf(rota.ErrNotFound, "no job has a name like %q", sel.pattern)
	case len(jobs) > 1:
		return single{}, rota.Invalid("several jobs have a name like %q", sel.pattern).
			WithFix("rota ls --name %s lists them; name one by its id", rota.Quoted([]string{sel.pattern}))
	}
	return single{job: jobs[0].ID}, nil
}

// whole is the job that an argument names, for a command that takes whole jobs only; instead is what to do with one task of one.
func (c *conn) whole(ctx context.Context, arg, use string, instead func(single) string) (rota.Job, error) {
	one, err := c.one(ctx, arg)
	if err != nil {
		return rota.Job{}, err
	}
	if one.task != 0 {
		return rota.Job{}, rota.Invalid("%v is one task of a job: %s takes a whole job", one, use).WithFix("%s", instead(one))
	}
	return c.Job(ctx, one.job)
}

// plain is the task of a job or task that has only one.
func (s single) plain() rota.TaskID {
	if s.task != 0 {
		return s.task
	}
	return rota.PlainTask(s.job)
}
