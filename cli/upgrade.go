package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// Upgraded is what became of a node.
type Upgraded struct {
	Program  string
	From, To string // versions
	Running  int    // tasks that went on meanwhile
}

func (a *app) upgradeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "upgrade [BINARY]",
		Short: "Make the node of this machine another version, while tasks run",
		Long: `Makes the process of the node that uses the data folder run BINARY (default: this very program) with the arguments that it was
started with. Before that the program is asked whether it can serve the folder. What runs goes on: an older version's keeper stays until
the last of it has ended, beside a new one that takes what is new. Downgrading works alike, as long as the store allows it.`,
		Example: examples("rota upgrade", "rota upgrade ./rota-0.2.0"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exactly("BINARY")(cmd, args)
			}
			return nil
		},
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, _, err := a.load(cmd)
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("server") {
			return rota.Invalid("--server: only the node of this machine can be upgraded").WithFix("leave --server out")
		}
		program := ""
		if len(args) > 0 {
			program = args[0]
		}
		done, err := a.deps.Upgrade(cmd.Context(), c, program)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("rota: the node runs %s; it was %s", done.To, done.From)
		if done.Running > 0 {
			text += "; " + plural(done.Running, "task") + " went on"
		}
		a.note("%s", text)
		return nil
	}
	return cmd
}
