package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) nodePauseCommand() *cobra.Command {
	return a.nodeAct(&cobra.Command{
		Use:   "pause NODE",
		Short: "Let a node claim nothing until it is resumed",
		Long: `Asks a node to claim nothing. What runs there goes on, and what was claimed is run. That lasts until "rota node resume", over
restarts of the node too: one that is down comes up paused.`,
		Example: examples("rota node pause lab2"),
	}, func(cmd *cobra.Command, c *conn, name string) error {
		if err := c.PauseNode(cmd.Context(), name, true); err != nil {
			return err
		}
		a.note("rota: node %s is paused; rota node resume %s lets it go on", clean(name), clean(name))
		return nil
	})
}

func (a *app) nodeResumeCommand() *cobra.Command {
	return a.nodeAct(&cobra.Command{
		Use:     "resume NODE",
		Short:   "Let a node that was paused go on",
		Example: examples("rota node resume lab2"),
	}, func(cmd *cobra.Command, c *conn, name string) error {
		if err := c.PauseNode(cmd.Context(), name, false); err != nil {
			return err
		}
		a.note("rota: node %s goes on", clean(name))
		return nil
	})
}

func (a *app) nodeRmCommand() *cobra.Command {
	var lost bool
	cmd := &cobra.Command{
		Use:   "rm [flags] NODE",
		Short: "Remove a node that is down or lost",
		Long: `Takes a node that is down or lost off the list. What it did stays in the history, and a node that comes back is there again.

A lost node may still run jobs that go on without the store (--on-store-loss run): they are tried elsewhere only when it comes back
without them, or when --lost says that it never does. If it does all the same, such a job runs twice for a while.`,
		Example: examples("rota node rm lab2", "rota node rm --lost lab2"),
	}
	cmd.Flags().BoolVar(&lost, "lost", false, "it never comes back: try elsewhere whatever it was running")
	return a.nodeAct(cmd, func(cmd *cobra.Command, c *conn, name string) error {
		if err := c.RemoveNode(cmd.Context(), name, lost); err != nil {
			return err
		}
		a.note("rota: node %s is removed", clean(name))
		return nil
	})
}

// nodeAct makes cmd the command that does something with one node, be it up or not.
func (a *app) nodeAct(cmd *cobra.Command, act func(cmd *cobra.Command, c *conn, name string) error) *cobra.Command {
	cmd.Args = exactly("NODE")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		return act(cmd, c, args[0])
	}
	return cmd
}
