package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) jarRecoverCommand(f *jarFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recover [WORKER...]",
		Short: "Give back the jobs of dead workers",
		Long: `Gives back what dead workers of this machine held, each job once, to where it was claimed from; a job that had ended goes to the
completed jar. What a dead worker's job left running is ended before. A worker lives as long as the process that began it: another
one with its number is not taken for it.
Of workers that are named you say that they are dead: those of other machines, which have crashed, or of containers that are gone.
It is made for cron: see crontabs/recover.cron in the jar.`,
		Example: examples("rota jar recover", "rota jar recover rain.7723"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := a.jarSettings(cmd, f)
		if err != nil {
			return err
		}
		done, err := a.deps.Jar.Recover(s, args)
		for _, r := range done {
			what := "given back"
			if r.Completed {
				what = "completed"
			}
			_, _ = fmt.Fprintf(a.out, "%s  %s  %s\n", r.Worker, clean(r.Job), what)
		}
		return err
	}
	return cmd
}
