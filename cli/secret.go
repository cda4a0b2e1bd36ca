package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) secretCommand() *cobra.Command {
	return nounCommand("secret", "Secrets that jobs are given", a.secretSetCommand(), a.secretLsCommand(), a.secretRmCommand())
}

func (a *app) secretSetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Keep a secret, read from standard input",
		Long: `Reads a secret from standard input, without a line end at its end, and keeps it encrypted. Jobs of whoever set it get it by --secret NAME
as a variable, or by --secret NAME=file as a file that $ROTA_SECRET_NAME names. Nobody is shown it again.`,
		Example: examples("rota secret set db-password < password.txt", "rota submit --secret db-password=PGPASSWORD -- psql -c 'SELECT 1'"),
		Args:    exactly("NAME"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if a.in == nil {
			return rota.Invalid("secret %s: standard input is empty", args[0])
		}
		text, err := io.ReadAll(io.LimitReader(a.in, rota.MaxSecret+2))
		if err != nil {
			return fileError("standard input", err)
		}
		value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
		c, err := a.connect(cmd, wantWrite)
		if err != nil {
			return err
		}
		defer c.Close()
		return c.PutSecret(cmd.Context(), args[0], value)
	}
	return cmd
}

func (a *app) secretRmCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "rm NAME", Short: "Remove a secret", Args: exactly("NAME")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		return c.DropSecret(cmd.Context(), args[0])
	}
	return cmd
}

func (a *app) secretLsCommand() *cobra.Command {
	return nounLs(a, &cobra.Command{Short: "List secrets: their names, never what they hold", Example: examples("rota secret ls")}, "secrets", secretList, rota.Service.Secrets)
}

var secretList = list[rota.Secret]{
	id: func(x rota.Secret) string { return x.Name },
	columns: []column[rota.Secret]{
		{head: "NAME", cell: func(x rota.Secret, _ style) string { return x.Name }},
		{head: "OWNER", cell: func(x rota.Secret, _ style) string { return clean(x.Owner) }},
		{head: "CHANGED", cell: func(x rota.Secret, s style) string { return s.at(x.Changed) }},
	},
}
