package cli

import (
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) tokenCommand() *cobra.Command {
	return nounCommand("token", "Tokens: who may ask over the network", a.tokenCreateCommand(), a.tokenLsCommand(), a.tokenRmCommand())
}

func (a *app) tokenCreateCommand() *cobra.Command {
	var role, expires, user, queues string
	cmd := &cobra.Command{
		Use:   "create NAME --role ROLE",
		Short: "Make a token and print it, this once",
		Long: `Makes a token and prints its secret, which is stored nowhere. Roles: viewer looks; submitter also submits, and acts on own jobs;
operator acts on everything; admin also makes tokens.`,
		Example: examples("rota token create ci --role submitter --expires 90d > ci.token"),
		Args:    exactly("NAME"),
	}
	cmd.Flags().StringVar(&role, "role", "", "`role`: viewer, submitter, operator or admin")
	cmd.Flags().StringVar(&user, "user", "", "`user` whose it is: it has no more rights than the user has, and goes with the user")
	cmd.Flags().StringVar(&queues, "queues", "", "`queues` that the role holds for, patterns with commas (default: all)")
	cmd.Flags().StringVar(&expires, "expires", "", "when it ends: 90d, 12h, or a `time`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if role == "" {
			return rota.Invalid("--role is missing").WithFix("--role viewer, submitter, operator or admin")
		}
		if err := oneOf("--role", role, roleNames()...); err != nil {
			return err
		}
		t := rota.Token{Name: args[0], Role: rota.Role(role), User: user, Queues: queues}
		if cmd.Flags().Changed("expires") {
			var err error
			if t.Expires, err = parseExpiry(expires, a.now()); err != nil {
				return err
			}
		}
		return a.tokenCreate(cmd, t)
	}
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(roleNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func roleNames() []string {
	names := make([]string, len(rota.Roles))
	for i, r := range rota.Roles {
		names[i] = string(r)
	}
	return names
}

func parseExpiry(text string, now time.Time) (time.Time, error) {
	if d, err := rota.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d.D()), nil
	}
	t, err := parseWhen(text, now)
	if err == nil && !t.After(now) {
		err = rota.Invalid("--expires %q: is in the past", text)
	}
	return t, err
}

func (a *app) tokenCreate(cmd *cobra.Command, t rota.Token) error {
	c, err := a.connect(cmd, wantWrite)
	if err != nil {
		return err
	}
	defer c.Close()
	if t, err = c.CreateToken(cmd.Context(), t); err != nil {
		return err
	}
	if _, err := io.WriteString(a.out, t.Secret+"\n"); err != nil {
		return err
	}
	a.note("rota: token %d, %s; it is not shown again. Put it into a file and name that with --token-file", t.ID, t.Role)
	if !t.Expires.IsZero() {
		a.note("rota: it ends at %s", both(t.Expires, a.now()))
	}
	return nil
}

func (a *app) tokenLsCommand() *cobra.Command {
	return nounLs(a, &cobra.Command{Short: "List tokens", Example: examples("rota token ls")}, "tokens", tokenList, rota.Service.Tokens)
}

var tokenList = list[rota.Token]{
	id: func(t rota.Token) string { return strconv.FormatInt(t.ID, 10) },
	columns: []column[rota.Token]{
		{head: "ID", cell: func(t rota.Token, _ style) string { return strconv.FormatInt(t.ID, 10) }, right: true},
		{head: "NAME", cell: func(t rota.Token, _ style) string { return t.Name }},
		{head: "ROLE", cell: func(t rota.Token, _ style) string { return string(t.Role) }},
		{head: "USER", cell: func(t rota.Token, _ style) string { return t.User }},
		{head: "QUEUES", cell: func(t rota.Token, _ style) string { return orText(t.Queues, "all") }, wide: true},
		{head: "NODE", cell: func(t rota.Token, _ style) string { return t.Node }, wide: true},
		{head: "CREATED", cell: func(t rota.Token, s style) string { return s.at(t.Created) }},
		{head: "EXPIRES", cell: func(t rota.Token, s style) string { return orText(s.at(t.Expires), "never") }},
	},
}

func (a *app) tokenRmCommand() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID|NAME...", Aliases: []string{"rm"}, Short: "Remove tokens: they let nobody in any more", Example: examples("rota token revoke 3"), Args: some("ID|NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.connect(cmd, wantChange)
			if err != nil {
				return err
			}
			defer c.Close()
			all, err := c.Tokens(cmd.Context())
			if err != nil {
				return err
			}
			for _, arg := range args {
				t, err := tokenNamed(all, arg)
				if err != nil {
					return err
				}
				if err := c.DropToken(cmd.Context(), t.ID); err != nil {
					return err
				}
				a.note("token %d %s removed", t.ID, clean(t.Name))
			}
			return nil
		},
	}
}

// tokenNamed is the token with an id, or the only one with a name.
func tokenNamed(all []rota.Token, arg string) (rota.Token, error) {
	var found []rota.Token
	for _, t := range all {
		if strconv.FormatInt(t.ID, 10) == arg {
			return t, nil
		}
		if t.Name == arg {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return rota.Token{}, rota.Errorf(rota.ErrNotFound, "token %q: there is none", arg).WithFix("rota token ls lists them")
	case 1:
		return found[0], nil
	}
	return rota.Token{}, rota.Invalid("token %q: several have this name", arg).WithFix("name it by its id: rota token ls")
}
