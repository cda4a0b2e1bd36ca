package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) againCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "again [flags] JOB [-- COMMAND ARG...]",
		Short: "Submit a job once more, with changes if wished",
		Long: `Submits a copy of a job and prints the new id. Flags change what they name; a command behind -- replaces what runs. Lines and
standard input that were uploaded go along. What the job waited for (--at, --after, --hold) is over and not repeated.`,
		Example:     examples("rota again 42", "rota again last -t 2h --retries 0", "rota again 42 -- ./train.sh --epochs 20"),
		Annotations: map[string]string{ownWithWait: "yes"},
	}
	flags := newSpecFlags(cmd.Flags(), true).withText().withWait()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		job, command, err := jobAndCommand(cmd, args, "run the same again")
		if err != nil {
			return err
		}
		return a.again(cmd, flags, job, command)
	}
	return cmd
}

// jobAndCommand are a job and, behind --, what takes the place of what it runs; without -- that stays, which is how to do otherwise.
func jobAndCommand(cmd *cobra.Command, args []string, otherwise string) (job string, command []string, err error) {
	jobs, command, dashed := positional(cmd, args)
	if err := exactly("JOB")(cmd, jobs); err != nil {
		return "", nil, err
	}
	if dashed && len(command) == 0 {
		return "", nil, rota.Invalid("nothing stands behind --").WithFix("leave -- out to %s", otherwise)
	}
	return jobs[0], command, nil
}

func (a *app) again(cmd *cobra.Command, flags *specFlags, arg string, command []string) error {
	w := wantChange
	if flags.dryRun {
		w = wantRead
	}
	c, err := a.connect(cmd, w)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx := cmd.Context()
	job, err := c.whole(ctx, arg, "again", func(one single) string {
		return fmt.Sprintf("rota retry %v, or rota again %v -a %d", one, one.job, one.task.Index())
	})
	if err != nil {
		return err
	}
	base := job.Spec
	base.At, base.After, base.Hold = time.Time{}, nil, false
	r, err := a.compose(composing{flags: flags, args: command, dashed: true, base: &base, remote: c.target.remote()})
	if err != nil {
		return err
	}
	if flags.dryRun {
		spec, err := r.resolved()
		if err != nil {
			return err
		}
		return a.printJSON(spec)
	}
	return a.submitAndMaybeWait(ctx, c, &r, job.ID)
}
