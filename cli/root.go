package cli

import (
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

const (
	groupDaily = "daily"
	groupAdmin = "admin"
	groupMore  = "more"
)

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "rota",
		Short: "Run commands now, later, again and again",
		Long: `Rota runs commands now, later, again and again, on this machine or on many.

Data goes to stdout, talk to stderr. Commands end with 0, 1 (failed), 2 (wrong usage), 3 (not found), 4 (not
allowed) or 5 (no server). run and wait end with the job's own code, 128+N when signal N ended it, 124 when
waiting took too long, and 125 when Rota itself failed.`,
		Example: `  rota run -- make test              run it now, see its output, get its code
  find . -name '*.go' | rota run --each-line - -- gofmt -l {line}
  rota up                            a whole node, until Ctrl-C
  rota submit -a 1-1000%50 -- ./sim {task}
  rota ls`,
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableSuggestions: true,
		CompletionOptions:  cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE:               func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(a.out)
	root.SetErr(screenErr{a.screen})
	root.SetIn(a.in)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(helpCommand())
	g := root.PersistentFlags()
	g.SortFlags = false
	g.StringVar(&a.data, "data", "", "`folder` of the node (ROTA_DATA)")
	g.StringVar(&a.server, "server", "", "`URL` of a server to talk to instead of the local node (ROTA_SERVER)")
	g.StringVar(&a.tokenFile, "token-file", "", "`file` with the token for the server (ROTA_TOKEN_FILE)")
	root.AddGroup(&cobra.Group{ID: groupDaily, Title: "Daily:"}, &cobra.Group{ID: groupAdmin, Title: "Nodes, queues, schedules:"},
		&cobra.Group{ID: groupMore, Title: "More:"})
	keepOrder()
	a.addCommands(root)
	root.SetUsageTemplate(usageTemplate)
	return root
}

// keepOrder makes the library list commands as they were added. The setting is the whole process's.
var keepOrder = sync.OnceFunc(func() { cobra.EnableCommandSorting = false })

func (a *app) addCommands(root *cobra.Command) {
	for _, g := range []struct {
		group string
		cmds  []*cobra.Command
	}{
		{groupDaily, []*cobra.Command{a.upCommand(), a.openCommand(), a.downCommand(), a.upgradeCommand(), a.runCommand(), a.submitCommand(), a.lsCommand(), a.showCommand(),
			a.logsCommand(), a.artifactCommand(), a.waitCommand(), a.progressCommand(), a.topCommand()}},
		{groupDaily, a.actCommands()},
		{groupDaily, a.changeCommands()},
		{groupDaily, []*cobra.Command{a.againCommand(), a.whyCommand(), a.failedCommand(), a.reportCommand()}},
		{groupAdmin, []*cobra.Command{a.queueCommand(), a.applyCommand(), a.nodeCommand(), a.cronCommand(), a.userCommand(), a.loginCommand(), a.tokenCommand(), a.auditCommand(), a.secretCommand(), a.blobCommand(), a.serviceCommand(), a.storeCommand(), a.backupCommand(), a.jarCommand()}},
		{groupMore, []*cobra.Command{a.configCommand(), a.doctorCommand(), a.benchCommand(), a.versionCommand(),
			a.completionCommand(), a.manCommand()}},
	} {
		for _, c := range g.cmds {
			c.GroupID = g.group
			c.Flags().SortFlags = false
			root.AddCommand(c)
		}
	}
	for _, c := range append(commandsBelow(root), root) {
		c.Long = wrap(c.Long, 79)
	}
}

// wrap breaks the lines of paragraphs anew, so that none is longer than so many columns.
func wrap(text string, columns int) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		var b strings.Builder
		at := 0
		for _, word := range strings.Fields(p) {
			switch {
			case at == 0:
			case at+1+width(word) > columns:
				b.WriteByte('\n')
				at = 0
			default:
				b.WriteByte(' ')
				at++
			}
			b.WriteString(word)
			at += width(word)
		}
		paragraphs[i] = b.String()
	}
	return strings.Join(paragraphs, "\n\n")
}

// helpCommand is what many type instead of --help.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND...]", Short: "Show the help of a command", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return unknownCommand(of, rest[0])
			}
			return of.Help()
		},
	}
}

// nounCommand is a command that only holds others: "rota queue".
func nounCommand(use, short string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return cmd.Help()
	}
	for _, s := range subs {
		s.Flags().SortFlags = false
		cmd.AddCommand(s)
	}
	return cmd
}

// exactly wants so many arguments, and says which.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return rota.Invalid("missing argument %s", names[len(args)]).WithFix("%s", cmd.UseLine())
		case len(args) > len(names):
			return rota.Invalid("argument %q is one too many", args[len(names)]).WithFix("%s", cmd.UseLine())
		}
		return nil
	}
}

// some wants at least one argument.
func some(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return rota.Invalid("missing argument %s", name).WithFix("%s", cmd.UseLine())
		}
		return nil
	}
}

// examples joins lines of a command's help.
func examples(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }

const usageTemplate = `Usage:{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{else}}
  {{.UseLine}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{if eq (len .Groups) 0}}

Commands:{{range $cmds}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{else}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) .IsAvailableCommand)}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 79 | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsagesWrapped 79 | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

"{{.CommandPath}} COMMAND --help" says more.{{end}}
`
