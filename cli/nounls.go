package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// nounLs makes cmd the command that lists all there are of a noun.
func nounLs[T any](a *app, cmd *cobra.Command, what string, l list[T], all func(rota.Service, context.Context) ([]T, error)) *cobra.Command {
	var form form
	cmd.Use, cmd.Args = "ls", exactly()
	form.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := form.check(); err != nil {
			return err
		}
		c, err := a.connect(cmd, wantRead)
		if err != nil {
			return err
		}
		defer c.Close()
		things, err := all(c, cmd.Context())
		if err != nil {
			return err
		}
		n, err := l.print(a, form, each(things))
		a.noteRest(form, what, n, false)
		return err
	}
	return cmd
}
