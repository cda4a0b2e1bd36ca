package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) userSetCommand() *cobra.Command {
	var mailTo, notify []string
	var mailOn string
	cmd := &cobra.Command{
		Use: "set [flags] NAME", Short: "Say who is told when a user's jobs end", Args: exactly("NAME"),
		Long: `Says who gets mail, and which URLs are told, when jobs of a user end that name nobody: before what their queue and the node say. It
holds for what is submitted from then on. Everybody may say it of the own jobs, an admin of anybody's; "rota user show" shows it to
these alone, since an address may hold a secret.`,
		Example: examples("rota user set kim --mail-to kim@example.org --mail-on end", "rota user set kim --notify https://example.org/hook",
			"rota user set kim --mail-to none"),
	}
	cmd.Flags().StringSliceVar(&mailTo, "mail-to", nil, "`addresses` that get mail when the user's jobs end, or none")
	cmd.Flags().StringVar(&mailOn, "mail-on", "", "when they do: on `error`, end or always, or none")
	cmd.Flags().StringSliceVar(&notify, "notify", nil, "`URLs` that are told when the user's jobs end, or none")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var change rota.UserChange
		names(cmd.Flags(), "mail-to", mailTo, &change.MailTo)
		text(cmd.Flags(), "mail-on", rota.MailOn(mailOn), &change.MailOn)
		names(cmd.Flags(), "notify", notify, &change.Notify)
		if !change.Tells() {
			return rota.Invalid("rota user set: nothing to change").WithFix("--mail-to ADDRESSES, --mail-on error, end or always, or --notify URLS")
		}
		return a.changeUser(cmd, args[0], change, true)
	}
	return cmd
}

func (a *app) userShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show [flags] NAME", Short: "Show a user, and who is told when the user's jobs end", Args: exactly("NAME"),
		Long:    `Shows a user: to an admin anybody, to others themselves.`,
		Example: examples("rota user show kim", "rota user show kim -o json"),
	}
	return nounShow(a, cmd, func(cmd *cobra.Command, c *conn, args []string, form string) error {
		all, err := c.Users(cmd.Context())
		if err != nil {
			return err
		}
		for i := range all {
			switch {
			case all[i].Name != args[0]:
			case form == formJSON:
				return a.printJSON(&all[i])
			default:
				_, err := io.WriteString(a.out, a.describeUser(&all[i]))
				return err
			}
		}
		return rota.Errorf(rota.ErrNotFound, "user %q: there is none, or it is for an admin to see", args[0]).WithFix("rota user ls")
	})
}

func (a *app) describeUser(u *rota.User) string {
	var f fields
	f.add("user", u.Name)
	f.add("role", string(u.Role))
	f.add("queues", clean(orText(u.Queues, "all")))
	f.add("password", yesNo(u.Password))
	f.add("mail to", clean(strings.Join(u.MailTo, ", ")))
	f.add("mail on", string(u.MailOn))
	f.add("notify", clean(strings.Join(u.Notify, ", ")))
	f.add("created", both(u.Created, a.now()))
	f.add("changed", both(u.Changed, a.now()))
	return f.String()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
