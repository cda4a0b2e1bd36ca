package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// DownOptions say how a node is stopped.
type DownOptions struct {
	Kill   bool      // end what runs
	Drain  bool      // let what runs end first
	Stderr io.Writer // for talk
}

// Downed is what stopping a node found.
type Downed struct {
	Node    bool // there was one
	Running int  // tasks that a keeper ran, or had waiting, after that
}

func (a *app) downCommand() *cobra.Command {
	var o DownOptions
	cmd := &cobra.Command{
		Use:   "down [flags]",
		Short: "Stop the node of this machine",
		Long: `Stops the node that uses the data folder. What runs goes on without it, and the next "rota up" takes it back.
With --drain the node starts nothing more and ends when what runs has; with --kill what runs is ended (TERM, its grace, KILL), and
tried again when a node runs. --kill also ends what a node that is not there any more left running.`,
		Example: examples("rota down", "rota down --drain", "rota down --kill"),
		Args:    exactly(),
	}
	cmd.Flags().BoolVar(&o.Kill, "kill", false, "end what runs, too")
	cmd.Flags().BoolVar(&o.Drain, "drain", false, "let what runs end first")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.Kill && o.Drain {
			return rota.Invalid("--kill and --drain: what runs is either ended or let end")
		}
		c, _, err := a.load(cmd)
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("server") {
			return rota.Invalid("--server: only the node of this machine can be stopped").WithFix("leave --server out")
		}
		o.Stderr = screenErr{a.screen}
		done, err := a.deps.Down(cmd.Context(), c, o)
		if err != nil {
			return err
		}
		a.note("rota: %s", downed(done, o.Kill, c.Data))
		return nil
	}
	return cmd
}

func downed(d Downed, kill bool, data string) string {
	text := "the node is down"
	if !d.Node {
		text = "no node runs on " + data
	}
	switch tasks := plural(d.Running, "task"); {
	case d.Running == 0:
		return text
	case kill:
		return text + "; " + tasks + " ended, and tried again when a node runs"
	case d.Running == 1:
		return text + "; 1 task goes on: rota up takes it back, rota down --kill ends it"
	default:
		return text + "; " + tasks + " go on: rota up takes them back, rota down --kill ends them"
	}
}
