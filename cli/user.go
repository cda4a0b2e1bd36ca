package cli

import (
	"bufio"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rotaqueue/rota"
)

func (a *app) userCommand() *cobra.Command {
	return nounCommand("user", "Users: people and programs with a role and a password or tokens",
		a.userAddCommand(), a.userLsCommand(), a.userShowCommand(), a.userSetCommand(), a.userPasswdCommand(), a.userRoleCommand(), a.userRmCommand())
}

func (a *app) userAddCommand() *cobra.Command {
	var role, queues string
	var password bool
	cmd := &cobra.Command{
		Use: "add NAME --role ROLE", Short: "Add a user",
		Long: `Adds a user. Roles: viewer looks; submitter also submits, and acts on own jobs; operator acts on everything; admin also makes users
and tokens. With --queues the role holds for these queues only. With --password one is asked for, or read from standard input when that is no
terminal; otherwise the user has tokens only: "rota token create NAME --user USER".`,
		Example: examples("rota user add kim --role submitter --password", "rota user add ops --role operator --queues 'gpu,batch-*'"),
		Args:    exactly("NAME"),
	}
	cmd.Flags().StringVar(&role, "role", "", "`role`: viewer, submitter, operator or admin")
	cmd.Flags().StringVar(&queues, "queues", "", "`queues` that the role holds for, patterns with commas (default: all)")
	cmd.Flags().BoolVar(&password, "password", false, "ask for a password")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if role == "" {
			return rota.Invalid("--role is missing").WithFix("--role viewer, submitter, operator or admin")
		}
		r := rota.Role(role)
		c := rota.UserChange{Role: &r, Queues: &queues}
		if password {
			text, err := a.newPassword(args[0])
			if err != nil {
				return err
			}
			c.Password = &text
		}
		return a.changeUser(cmd, args[0], c, false)
	}
	return cmd
}

// changeUser sends a change, of a user that is there or is not.
func (a *app) changeUser(cmd *cobra.Command, name string, change rota.UserChange, there bool) error {
	c, err := a.connect(cmd, wantWrite)
	if err != nil {
		return err
	}
	defer c.Close()
	if change.Role != nil { // that is for admins, who see all
		all, err := c.Users(cmd.Context())
		if err != nil {
			return err
		}
		found := false
		for _, u := range all {
			found = found || u.Name == name
		}
		switch {
		case found && !there:
			return rota.Errorf(rota.ErrConflict, "user %q: there is one of this name", name).WithFix("rota user role %s ROLE, or rota user passwd %s", name, name)
		case !found && there:
			return rota.Errorf(rota.ErrNotFound, "user %q: there is none", name).WithFix("rota user ls; rota user add %s --role ROLE", name)
		}
	}
	u, err := c.PutUser(cmd.Context(), name, change)
	if err == nil {
		a.note("user %s is %s%s", u.Name, u.Role, map[bool]string{true: " of the queues " + u.Queues}[u.Queues != ""])
	}
	return err
}

// newPassword asks for a password twice at a terminal, and reads one line otherwise.
func (a *app) newPassword(name string) (string, error) {
	if f, ok := a.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		first, err := a.askHidden(f, "Password of "+name+": ")
		if err != nil {
			return "", err
		}
		second, err := a.askHidden(f, "Once more: ")
		if err == nil && first != second {
			err = rota.Invalid("password: the two are not the same; nothing was changed")
		}
		return first, err
	}
	return a.readSecret("password")
}

func (a *app) askHidden(f *os.File, prompt string) (string, error) {
	a.note("%s", strings.TrimSuffix(prompt, " "))
	text, err := term.ReadPassword(int(f.Fd()))
	if err != nil {
		return "", fileError("password", err)
	}
	return string(text), nil
}

// readSecret is the first line of standard input.
func (a *app) readSecret(what string) (string, error) {
	if a.in == nil {
		return "", rota.Invalid("%s: none came on standard input", what)
	}
	line, err := bufio.NewReader(io.LimitReader(a.in, rota.MaxPassword+2)).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		if err != nil && err != io.EOF {
			return "", fileError("standard input", err)
		}
		return "", rota.Invalid("%s: none came on standard input", what)
	}
	return line, nil
}

func (a *app) userPasswdCommand() *cobra.Command {
	var none bool
	cmd := &cobra.Command{
		Use: "passwd NAME", Short: "Change a user's password", Args: exactly("NAME"),
		Long:    `Asks for a new password, or reads it from standard input when that is no terminal. What was opened by the old one is closed.`,
		Example: examples("rota user passwd kim", "pass show rota/kim | rota user passwd kim"),
	}
	cmd.Flags().BoolVar(&none, "none", false, "no password any more: the user has tokens only")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		text := ""
		if !none {
			var err error
			if text, err = a.newPassword(args[0]); err != nil {
				return err
			}
		}
		return a.changeUser(cmd, args[0], rota.UserChange{Password: &text}, true)
	}
	return cmd
}

func (a *app) userRoleCommand() *cobra.Command {
	var queues string
	cmd := &cobra.Command{
		Use: "role NAME ROLE", Short: "Change a user's role, and the queues that it holds for", Args: exactly("NAME", "ROLE"),
		Long:    `Changes what a user may do, from the next request on, also by tokens that were made before.`,
		Example: examples("rota user role kim operator", "rota user role kim operator --queues gpu,cpu"),
	}
	cmd.Flags().StringVar(&queues, "queues", "", "`queues` that the role holds for, patterns with commas; empty: all (default: as before)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r := rota.Role(args[1])
		change := rota.UserChange{Role: &r}
		if cmd.Flags().Changed("queues") {
			change.Queues = &queues
		}
		return a.changeUser(cmd, args[0], change, true)
	}
	return cmd
}

func (a *app) userLsCommand() *cobra.Command {
	return nounLs(a, &cobra.Command{Short: "List users; to all but admins, oneself", Example: examples("rota user ls")}, "users", userList, rota.Service.Users)
}

var userList = list[rota.User]{
	id: func(u rota.User) string { return u.Name },
	columns: []column[rota.User]{
		{head: "NAME", cell: func(u rota.User, _ style) string { return u.Name }},
		{head: "ROLE", cell: func(u rota.User, _ style) string { return string(u.Role) }},
		{head: "QUEUES", cell: func(u rota.User, _ style) string { return orText(u.Queues, "all") }},
		{head: "PASSWORD", cell: func(u rota.User, _ style) string { return yesNo(u.Password) }},
		{head: "CREATED", cell: func(u rota.User, s style) string { return s.at(u.Created) }},
		{head: "CHANGED", cell: func(u rota.User, s style) string { return s.at(u.Changed) }, wide: true},
	},
}

func (a *app) userRmCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rm NAME...", Short: "Remove users, with their tokens", Example: examples("rota user rm kim"), Args: some("NAME"),
		Long: `Removes users. Their tokens let nobody in any more; their jobs and schedules stay.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.connect(cmd, wantChange)
			if err != nil {
				return err
			}
			defer c.Close()
			for _, name := range args {
				if err := c.DropUser(cmd.Context(), name); err != nil {
					return err
				}
				a.note("user %s removed", clean(name))
			}
			return nil
		},
	}
}

func (a *app) loginCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "login NAME", Short: "Get a token for a user's password", Args: exactly("NAME"),
		Long: `Asks for the password, or reads it from standard input when that is no terminal, and prints a token that lasts 12 hours: put it into
a file and name that with --token-file or ROTA_TOKEN_FILE.`,
		Example: examples("rota login kim --server https://main.example.org:2691 > ~/.rota-token"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var password string
		var err error
		if f, ok := a.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			password, err = a.askHidden(f, "Password of "+args[0]+": ")
		} else {
			password, err = a.readSecret("password")
		}
		if err != nil {
			return err
		}
		c, err := a.connect(cmd, wantWrite)
		if err != nil {
			return err
		}
		defer c.Close()
		t, err := c.Login(cmd.Context(), args[0], password)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(a.out, t.Secret+"\n"); err != nil {
			return err
		}
		a.note("rota: %s, until %s", t.Role, both(t.Expires, a.now()))
		return nil
	}
	return cmd
}
