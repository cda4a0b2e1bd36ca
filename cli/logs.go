package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// logsMost is how many tasks of an array have their output shown without being named.
const logsMost = 10

type logsFlags struct {
	follow         bool
	tail           int
	attempt        int
	stdout, stderr bool
}

func (a *app) logsCommand() *cobra.Command {
	var f logsFlags
	cmd := &cobra.Command{
		Use:   "logs [flags] JOB|TASK",
		Short: "Show the output of a job or task",
		Long: `Shows the standard output of a task on stdout and its error output on stderr, without -f the one after the other. -f goes on
until the task has ended, through its retries. Of a job with many tasks name one (43.17), unless it has at most 10.`,
		Example: examples("rota logs 42", "rota logs -f last", "rota logs -n 20 --stderr 43.17"),
		Args:    exactly("JOB|TASK"),
	}
	fs := cmd.Flags()
	fs.BoolVarP(&f.follow, "follow", "f", false, "go on as output comes")
	fs.IntVarP(&f.tail, "tail", "n", -1, "only the last `lines` of each stream")
	fs.IntVar(&f.attempt, "attempt", 0, "of this attempt (default: the latest)")
	fs.BoolVar(&f.stdout, "stdout", false, "only the standard output")
	fs.BoolVar(&f.stderr, "stderr", false, "only the error output")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case cmd.Flags().Changed("tail") && f.tail < 0:
			return rota.Invalid("-n %d: a number of lines, 0 or more", f.tail)
		case f.attempt < 0 || (cmd.Flags().Changed("attempt") && f.attempt == 0):
			return rota.Invalid("--attempt %d: attempts are numbered from 1", f.attempt)
		}
		c, err := a.connect(cmd, wantRead)
		if err != nil {
			return err
		}
		defer c.Close()
		one, err := c.one(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return a.logs(cmd.Context(), c, one, f)
	}
	return cmd
}

func (a *app) logs(ctx context.Context, c *conn, one single, f logsFlags) error {
	job, err := c.Job(ctx, one.job)
	if err != nil {
		return err
	}
	if one.task != 0 || !job.Spec.Many() {
		return a.taskLogs(ctx, c, &job, one.plain(), f)
	}
	if job.Tasks > logsMost {
		return rota.Invalid("job %v has %s: name one of them", job.ID, plural(job.Tasks, "task")).
			WithFix("rota logs %v; `rota ls %v --state failed` lists those that failed", firstTask(&job), job.ID)
	}
	for t, err := range c.tasks(ctx, rota.TaskQuery{Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job.ID)}}}, 0) {
		if err != nil {
			return err
		}
		a.note("==> %v %s <==", t.ID, clean(t.Line))
		if err := a.taskLogs(ctx, c, &job, t.ID, f); err != nil {
			return err
		}
	}
	return nil
}

func firstTask(job *rota.Job) rota.TaskID {
	if job.Spec.Array != nil {
		for i := range job.Spec.Array.From(0) {
			return rota.Element(job.ID, i)
		}
	}
	return rota.Element(job.ID, 1)
}

func (a *app) taskLogs(ctx context.Context, c *conn, job *rota.Job, id rota.TaskID, f logsFlags) error {
	t, earlier, err := c.Task(ctx, id)
	if err != nil {
		return err
	}
	if f.attempt > t.Number {
		return rota.Errorf(rota.ErrNotFound, "task %v has no attempt %d: its latest is %d", id, f.attempt, t.Number)
	}
	follow := f.follow && !t.State.Ended() && (f.attempt == 0 || f.attempt == t.Number)
	if follow && c.local {
		a.note("rota: no node runs: this is all there is for now")
		follow = false
	}
	if t.Number == 0 && !follow {
		a.note("rota: task %v %s", id, standing(job, &t, a.now()))
		return nil
	}
	l := a.follower(c, id)
	l.tail = f.tail
	switch {
	case f.stdout && !f.stderr:
		l.streams = l.streams[:1]
	case f.stderr && !f.stdout:
		l.streams = l.streams[1:]
	}
	at := rota.Attempt{Number: cmp.Or(f.attempt, t.Number)}
	for _, known := range append(earlier, t.Attempt) {
		if known.Number == at.Number {
			at = known
		}
	}
	switch {
	case !follow:
		return l.present(ctx, at)
	case f.attempt > 0:
		_, err = l.attempt(ctx, at.Number)
		return err
	}
	l.waiting = true
	_, err = l.run(ctx, at.Number)
	return err
}
