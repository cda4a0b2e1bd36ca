package cli

import (
	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) cronEditCommand() *cobra.Command {
	var expr string
	cmd := &cobra.Command{
		Use:   "edit [flags] NAME [-- COMMAND [ARG...]]",
		Short: "Change a schedule, and show its next times",
		Long: `Changes what the flags say of a schedule, and leaves all else as it is. A fire that is under way is that of the schedule as it
was; the next time is reckoned from now. An operator may change when another's schedule is due; who changes what it does owns it.`,
		Example: examples("rota cron edit nightly --expr '0 4 * * *'", "rota cron edit nightly --overlap queue --alarm-fails 2",
			"rota cron edit nightly -- ./backup.sh --all"),
	}
	cmd.Flags().StringVar(&expr, "expr", "", "when it is due: the `expression`")
	flags := newSpecFlags(cmd.Flags(), false).withText()
	timing := newTimingFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		names, command, _ := positional(cmd, args)
		if err := exactly("NAME")(cmd, names); err != nil {
			return err
		}
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		r, err := c.Schedule(cmd.Context(), names[0])
		if err != nil {
			return err
		}
		s := r.Schedule
		if expr != "" {
			s.Expr = expr
		}
		if err := timing.apply(&s); err != nil {
			return err
		}
		if err := a.checkTiming(&s); err != nil {
			return err
		}
		composed, err := a.compose(composing{flags: flags, args: command, dashed: true, base: &s.Spec, remote: c.target.remote()})
		if err != nil {
			return err
		}
		if composed.input {
			return rota.Invalid("--stdin -: a schedule's jobs have no caller whose input they could read").WithFix("--stdin FILE")
		}
		s.Spec = composed.Spec
		return a.cronPutComposed(cmd, c, s)
	}
	return cmd
}
