package cli

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota/jar"
)

func (a *app) jarCheckCommand(f *jarFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Start the workers that are missing on this machine",
		Long: `Starts workers until as many live on this machine as JJ_MAX_WORKERS says, 4 by default, and prints the names of those it has started.
It is made for cron: see crontabs/worker.cron in the jar.`,
		Args: exactly(),
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := a.jarSettings(cmd, f)
		if err != nil {
			return err
		}
		here := jar.Here(s.Node)
		for surplus := 0; surplus < 10; { // others may be checking, too
			n, err := s.Living(here)
			if err != nil || n >= s.MaxWorkers {
				return err
			}
			name, err := a.deps.Jar.Start(cmd.Context(), s, s.MaxWorkers)
			switch {
			case err != nil:
				return err
			case name == "":
				surplus++
				if err := pause(cmd.Context(), rand.N(time.Duration(surplus)*20*time.Millisecond)); err != nil {
					return err
				}
			default:
				_, _ = fmt.Fprintln(a.out, name)
			}
		}
		return nil
	}
	return cmd
}
