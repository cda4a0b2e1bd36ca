package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) waitCommand() *cobra.Command {
	var timeout rota.Duration
	cmd := &cobra.Command{
		Use:   "wait [flags] JOB|TASK...",
		Short: "Wait until jobs have ended; end with their exit code",
		Long: `Waits until all these jobs or tasks have ended. The exit code is that of the first, in the order given, that did not
succeed, 124 when --timeout ran out, 125 when Rota itself failed, and else 0.`,
		Example:     examples("rota wait 42", "rota wait 1-5,8 --timeout 90m", "rota wait name:nightly*"),
		Args:        some("JOB"),
		Annotations: map[string]string{ownKey: "yes"},
	}
	cmd.Flags().VarP((*durationValue)(&timeout), "timeout", "t", "give up after so long: 90m, 01:30:00")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.connect(cmd, wantRead)
		if err != nil {
			return err
		}
		defer c.Close()
		ctx := cmd.Context()
		if cmd.Flags().Changed("timeout") {
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, timeout.D())
			defer stop()
		}
		err = a.wait(ctx, c, args)
		if ctx.Err() != nil && cmd.Context().Err() == nil {
			return &exit{code: exitTimeout, err: rota.Errorf(rota.ErrUnavailable, "not all have ended after %v", timeout)}
		}
		return err
	}
	return cmd
}

func (a *app) wait(ctx context.Context, c *conn, args []string) error {
	whom, err := c.expand(ctx, args)
	if err != nil {
		return err
	}
	code := 0
	for _, one := range whom {
		t, err := a.waitFor(ctx, c, one)
		if err != nil {
			return err
		}
		if t == nil || t.State == rota.Succeeded {
			continue
		}
		a.note("rota: %v %s: %s", t.ID, t.State, ending(&t.Attempt))
		if code == 0 {
			code = exitCode(t)
		}
	}
	return codeOf(code)
}

// waitFor waits for one job or task, and returns the task that its exit code comes from; none if all succeeded.
func (a *app) waitFor(ctx context.Context, c *conn, one single) (*rota.Task, error) {
	var seen rota.Progress
	for {
		p, err := patiently(ctx, c, func() (rota.Progress, error) { return c.Watch(ctx, one.job, seen, watchFor(c)) })
		if err != nil {
			return nil, err
		}
		seen = p
		if one.task != 0 {
			if t, _, err := c.Task(ctx, one.task); err != nil || t.State.Ended() {
				return &t, err
			}
		} else if p.Ended() {
			_, t, err := c.verdict(ctx, one.job, p)
			return t, err
		}
		if c.local {
			return nil, rota.Errorf(rota.ErrUnavailable, "no node runs on %s, and %v has not ended", c.target.Data, one).WithFix("start one: rota up")
		}
		if one.task != 0 { // other tasks of the job may change all the time
			if err := pause(ctx, drawEvery); err != nil {
				return nil, err
			}
		}
	}
}

// watchFor is how long one look waits: a store that no node works on does not change.
func watchFor(c *conn) time.Duration {
	if c.local {
		return 0
	}
	return outputWait
}

// expand are the jobs and tasks that arguments name, in order; ranges and patterns are those that exist.
func (c *conn) expand(ctx context.Context, args []string) ([]single, error) {
	var out []single
	for _, arg := range args {
		sel, err := c.selectors(ctx, []string{arg})
		if err != nil {
			return nil, err
		}
		if len(sel.singles) == len(sel.spans) && sel.pattern == "" {
			out = append(out, sel.singles...)
			continue
		}
		found, err := c.existing(ctx, sel)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, rota.Errorf(rota.ErrNotFound, "no job matches %q", arg)
		}
		out = append(out, found...)
	}
	return out, nil
}

// existing are the jobs of a selection with ranges or a pattern, oldest first; of a range of tasks, the tasks.
func (c *conn) existing(ctx context.Context, sel selection) ([]single, error) {
	var out []single
	if tasksOnly(sel) {
		for t, err := range c.tasks(ctx, rota.TaskQuery{Filter: sel.filter()}, 0) {
			if err != nil {
				return nil, err
			}
			out = append(out, single{job: t.ID.Job(), task: t.ID})
		}
		return out, nil
	}
	for j, err := range c.jobs(ctx, rota.JobQuery{Filter: sel.filter()}, 0) {
		if err != nil {
			return nil, err
		}
		out = append([]single{{job: j.ID}}, out...)
	}
	return out, nil
}

func (a *app) progressCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "progress JOB",
		Short:   "Show how far a job is, until it has ended",
		Long:    `Shows a live bar on a terminal, and a line every few seconds elsewhere. It ends with 0 however the job ended: see "rota wait".`,
		Example: examples("rota progress 43", "rota progress last"),
		Args:    exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.connect(cmd, wantRead)
			if err != nil {
				return err
			}
			defer c.Close()
			return a.progress(cmd.Context(), c, args[0])
		},
	}
}

func (a *app) progress(ctx context.Context, c *conn, arg string) error {
	one, err := c.one(ctx, arg)
	if err != nil {
		return err
	}
	if one.task != 0 {
		return rota.Invalid("%v: progress is of a whole job", one).WithFix("rota progress %v, or rota logs -f %v", one.job, one)
	}
	job, err := c.Job(ctx, one.job)
	if err != nil {
		return err
	}
	w := a.watcher(c, &job)
	if c.local && !job.Progress.Ended() {
		_, err := fmt.Fprintln(a.out, plainLine(view{name: w.name, progress: job.Progress}))
		a.note("rota: no node runs: it goes on when one does (rota up)")
		return err
	}
	p, err := w.run(ctx)
	if err != nil {
		return err
	}
	if job, err = c.Job(ctx, one.job); err != nil {
		return err
	}
	return w.report(ctx, p, job.Ended.Sub(job.Submitted))
}
