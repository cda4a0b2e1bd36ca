package cli

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) whyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "why [flags] JOB|TASK",
		Short: "Say why a job has not started, and what would change that",
		Long: `Says of a job, or a task of one, what keeps it waiting: each "no" of the nodes and of its queue, with the command that would change it,
how many stand before it, and when it is expected to start. Of a job with many tasks the next that waits is asked for.`,
		Example: examples("rota why 42", "rota why 43.17 -o json"),
		Args:    exactly("JOB|TASK"),
	}
	return nounShow(a, cmd, func(cmd *cobra.Command, c *conn, args []string, form string) error {
		one, err := c.one(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		task, err := c.nextWaiting(cmd.Context(), one)
		if err != nil {
			return err
		}
		why, err := c.Why(cmd.Context(), task)
		if err != nil {
			return err
		}
		if form == formJSON {
			return a.printJSON(why)
		}
		return a.describeWhy(cmd.Context(), c, &why)
	})
}

// nextWaiting is the task that a question of a job is about: of many the first that waits, else the first.
func (c *conn) nextWaiting(ctx context.Context, one single) (rota.TaskID, error) {
	if one.task != 0 {
		return one.task, nil
	}
	job, err := c.Job(ctx, one.job)
	if err != nil || !job.Spec.Many() {
		return one.plain(), err
	}
	for _, states := range [][]rota.State{{rota.Ready}, waitingStates, nil} {
		tasks, err := c.Tasks(ctx, rota.TaskQuery{Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(one.job)}, States: states}, Max: 1})
		if err != nil || len(tasks) > 0 {
			if err == nil {
				return tasks[0].ID, nil
			}
			return 0, err
		}
	}
	return 0, rota.Errorf(rota.ErrNotFound, "job %v: none of its tasks is made yet", one.job)
}

func (a *app) describeWhy(ctx context.Context, c *conn, w *rota.Why) error {
	t, _, err := c.Task(ctx, w.Task)
	if err != nil {
		return err
	}
	job, err := c.Job(ctx, w.Task.Job())
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(w.Task.String() + " is " + t.State.String())
	switch {
	case t.State == rota.Ready && len(w.Reasons) == 0:
		b.WriteString(": it starts as soon as a node asks for work")
	case t.State.Ended() || t.State == rota.Running:
		b.WriteString(": " + standing(&job, &t, a.now()))
	}
	b.WriteString("\n")
	for _, r := range w.Reasons {
		b.WriteString("  " + clean(r.Text))
		if r.For > 0 {
			b.WriteString(", for " + waitText(r.For) + " more")
		}
		b.WriteString("\n")
		if r.Fix != "" {
			b.WriteString("    " + clean(r.Fix) + "\n")
		}
	}
	if t.State == rota.Ready && !t.Gated {
		b.WriteString("ahead of it in the queue " + w.Queue + ": " + capped(w.Ahead, "task") + "\n")
	}
	if text := w.Start.Text(a.now(), brief); text != "" {
		b.WriteString("expected to start " + text + "\n")
	}
	_, err = io.WriteString(a.out, b.String())
	return err
}
