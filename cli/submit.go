package cli

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) submitCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "submit [flags] [--] COMMAND [ARG...]",
		Short: "Put a job into the queue and print its id",
		Long: `Submits a job and prints its id. Several arguments are exactly that command, without a shell; -c gives shell text,
-f a script, and without any of them a script is read from standard input. Lines of a script that begin with #ROTA hold
flags; those of the command line win.

In arguments {task} and {line} are replaced by the task's index and line; in shell text use $ROTA_TASK_INDEX and
$ROTA_LINE. The job gets this folder and this environment, unless --workdir, --env or --server say otherwise. --out, --err
and --stdin are relative to the working folder. Without a running node the job is stored and waits for one.`,
		Example: examples("rota submit -- ./train.sh --epochs 10", "rota submit -c 'make && make install' -t 90m",
			"rota submit -a 1-1000%50 -n sweep -- ./sim {task}", "rota submit --each-line files.txt -- gzip {line}",
			"rota submit --after ok:41 --at 'tomorrow 6:00' -f report.sh"),
		Annotations: map[string]string{ownWithWait: "yes"},
	}
	flags := newSpecFlags(cmd.Flags(), true).withText().withWait()
	cmd.Flags().SetInterspersed(false)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.submit(cmd, composing{flags: flags, args: args, dashed: cmd.ArgsLenAtDash() == 0}, 0)
	}
	return cmd
}

// submit does what submit and again have in common. Before is the job that is done again.
func (a *app) submit(cmd *cobra.Command, how composing, before rota.JobID) error {
	if how.flags.dryRun {
		return a.dryRun(cmd, how)
	}
	c, err := a.connect(cmd, wantWrite)
	if err != nil {
		return err
	}
	defer c.Close()
	how.remote = c.target.remote()
	r, err := a.compose(how)
	if err != nil {
		return err
	}
	return a.submitAndMaybeWait(cmd.Context(), c, &r, before)
}

func (a *app) submitAndMaybeWait(ctx context.Context, c *conn, r *request, before rota.JobID) error {
	wait, follow := r.flags.wait, r.flags.follow
	if c.local && (wait || follow) {
		return rota.Errorf(rota.ErrUnavailable, "no node runs on %s, and the job would wait for one", c.target.Data).
			WithFix("start one (rota up), or use rota run")
	}
	got, err := a.place(ctx, c, r, before)
	if err != nil {
		return err
	}
	if follow {
		a.note("rota: job %v", got.Job)
	} else if _, err := io.WriteString(a.out, got.Job.String()+"\n"); err != nil {
		return err
	}
	a.noteSubmitted(c, r, got)
	if !wait && !follow {
		return nil
	}
	job, err := c.Job(ctx, got.Job)
	if err != nil {
		return err
	}
	return a.attend(ctx, c, []rota.JobID{got.Job}, func(ctx context.Context) error { return a.toTheEnd(ctx, c, &job, follow) })
}

// place sends a request with what goes along.
func (a *app) place(ctx context.Context, c *conn, r *request, before rota.JobID) (rota.Submitted, error) {
	p, done, err := a.partsOf(ctx, c, r, before)
	if err != nil {
		return rota.Submitted{}, err
	}
	defer done()
	return a.send(ctx, c, r, p)
}

// noteSubmitted says what is worth knowing of a job that was submitted.
func (a *app) noteSubmitted(c *conn, r *request, got rota.Submitted) {
	switch {
	case got.Merged:
		a.note("rota: job %v is like this one, and is in its way; nothing new was made", got.Job)
	case got.Existing:
		a.note("rota: job %v was submitted earlier with the same key; nothing new was made", got.Job)
	}
	if at := r.Spec.At; !at.IsZero() {
		if at.Before(a.now()) {
			a.note("rota: %s is in the past: job %v starts as soon as it can", absolute(at), got.Job)
		} else {
			a.note("rota: job %v starts at %s", got.Job, both(at, a.now()))
		}
	}
	if c.local {
		a.note("rota: no node runs: job %v waits until one does (rota up)", got.Job)
	}
}

// toTheEnd follows a job to its end and ends with its code. With output a plain job's is shown as it comes, and of
// many tasks each one's when it ends.
func (a *app) toTheEnd(ctx context.Context, c *conn, job *rota.Job, output bool) error {
	if !job.Spec.Many() && output {
		f := a.follower(c, rota.PlainTask(job.ID))
		f.waiting = true
		t, err := f.run(ctx, 1)
		if err != nil {
			return goneOn(err, job.ID)
		}
		if !plainExit(&t) {
			a.note("rota: job %v: %s", job.ID, ending(&t.Attempt))
		}
		return codeOf(exitCode(&t))
	}
	w := a.watcher(c, job)
	w.output = output
	p, err := w.run(ctx)
	if err == nil {
		err = w.report(ctx, p, a.now().Sub(w.begun))
	}
	if err != nil {
		return goneOn(err, job.ID)
	}
	code, _, err := c.verdict(ctx, job.ID, p)
	if err != nil {
		return err
	}
	return codeOf(code)
}

func codeOf(code int) error {
	if code == 0 {
		return nil
	}
	return &exit{code: code}
}

// goneOn says, when a node does not answer any more, that the job is not lost.
func goneOn(err error, job rota.JobID) error {
	if !errors.Is(err, rota.ErrUnavailable) {
		return err
	}
	return rota.Errorf(rota.ErrUnavailable, "%v; job %v is stored and not lost", err, job).
		WithFix("rota up runs what waits; rota logs -f %v follows it", job)
}

// dryRun prints a job as it would be stored.
func (a *app) dryRun(cmd *cobra.Command, how composing) error {
	c, settings, err := a.load(cmd)
	if err != nil {
		return err
	}
	t, err := targetOf(c, settings)
	if err != nil {
		return err
	}
	how.remote = t.remote()
	r, err := a.compose(how)
	if err != nil {
		return err
	}
	if r.everywhere {
		a.note("rota: a job like this for each node that is up")
	}
	spec, err := r.resolved()
	if err != nil {
		return err
	}
	if r.lines != "" && r.lines != ownStdin {
		if _, err := os.Stat(r.lines); err != nil {
			return fileError("--each-line", err)
		}
	}
	return a.printJSON(spec)
}
