package cli

import "github.com/spf13/cobra"

// nounShow makes cmd a command that shows what it is asked for: as people read it, or as JSON.
func nounShow(a *app, cmd *cobra.Command, show func(cmd *cobra.Command, c *conn, args []string, form string) error) *cobra.Command {
	var form string
	registerForm(cmd, &form)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkForm(form); err != nil {
			return err
		}
		c, err := a.connect(cmd, wantRead)
		if err != nil {
			return err
		}
		defer c.Close()
		return show(cmd, c, args, form)
	}
	return cmd
}
