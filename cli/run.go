package cli

import (
	"context"
	"sync"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run [flags] [--] COMMAND [ARG...]",
		Short: "Run a job now: see its output, end with its exit code",
		Long: `Submits a job, shows its output as it comes, and ends with its exit code: 128+N when signal N ended it, 126 or 127
when it could not be run, 125 when Rota itself failed. It takes the flags of "rota submit"; failures are not tried again unless
--retries says so. Standard input goes along when it is a pipe or a file. If no node runs, a passing one is started.

Of many tasks (--array, --each-line) the standard output of each is printed whole when it ends, a bar shows how far it is, and
failed ones are named at the end with the last they wrote to stderr; the exit code is that of the first failed one.

With --on all a job runs on each node that is up, and their outputs come one after the other; the exit code is that of the
first that failed.

Ctrl-C detaches after two seconds and the job goes on; Ctrl-C again before cancels it; a third one leaves at once. When
nobody reads the output any more (rota run ... | head) the job is cancelled.`,
		Example: examples("rota run -- make test", "rota run -c 'sort | uniq -c' < words.txt",
			"find . -name '*.go' | rota run --each-line - -- gofmt -l {line}", "rota run -a 1-100%8 -- ./sim {task}", "rota run --on all -- uptime"),
		Annotations: map[string]string{ownKey: "yes"},
	}
	flags := newSpecFlags(cmd.Flags(), true).withText()
	cmd.Flags().SetInterspersed(false)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		how := composing{flags: flags, args: args, dashed: cmd.ArgsLenAtDash() == 0, run: true}
		if flags.dryRun {
			return a.dryRun(cmd, how)
		}
		return a.run(cmd, how)
	}
	return cmd
}

func (a *app) run(cmd *cobra.Command, how composing) error {
	conf, settings, err := a.load(cmd)
	if err != nil {
		return err
	}
	t, err := targetOf(conf, settings)
	if err != nil {
		return err
	}
	how.remote = t.remote()
	r, err := a.compose(how) // before a node is started for it
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	c, err := a.reach(ctx, conf, t, wantRun)
	if err != nil {
		return err
	}
	defer c.Close()
	if r.everywhere {
		return a.runEverywhere(ctx, c, &r)
	}
	got, err := a.place(ctx, c, &r, 0)
	if err != nil {
		return err
	}
	a.noteSubmitted(c, &r, got)
	job := rota.Job{ID: got.Job, Spec: r.Spec}
	return a.attend(ctx, c, []rota.JobID{got.Job}, func(ctx context.Context) error {
		var others sync.WaitGroup
		others.Go(func() { a.noteOthers(ctx, c) })
		defer others.Wait()
		return a.toTheEnd(ctx, c, &job, true)
	})
}

// noteOthers says, once, when a transient node leaves other jobs waiting.
func (a *app) noteOthers(ctx context.Context, c *conn) {
	if s, err := c.Status(ctx); err == nil && s.Others > 0 {
		a.note("rota: waiting for a whole node (rota up): %s", plural(s.Others, "other task"))
	}
}
