package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/jar"
)

// registerNaming defines the flags that go into a job's name.
func registerNaming(fs *pflag.FlagSet, priority *int, id *string) {
	fs.IntVarP(priority, "priority", "p", 0, "higher is claimed earlier; may be negative")
	fs.StringVarP(id, "id", "i", "", "`text` that becomes a part of the job's name")
}

func (a *app) jarSubmitCommand(f *jarFlags) *cobra.Command {
	var s jar.Submission
	cmd := &cobra.Command{
		Use:   "submit [flags] (COMMAND [ARG...] | -f FILE)",
		Short: "Put a job into the jar",
		Long: `Puts a job into the jar: a script with the words of a command, joined by single spaces, or a copy of an executable file. Its name is
made of the date and time, the submitter, and what else makes it the only one; it is printed. The job lies in limbo until it is
whole. A category is made by its first job.
Quotes are read by the shell that you type to. Put the whole command into quotes if the job is to see some.`,
		Example: examples("rota jar submit ./simulate 42", "rota jar submit -p 10 -c LINUX -i test_run -f ./job.sh", `rota jar submit 'sort "my file" > sorted'`),
	}
	cmd.Flags().SetInterspersed(false) // what comes behind the command is its own
	registerNaming(cmd.Flags(), &s.Priority, &s.ID)
	cmd.Flags().StringVarP(&s.Category, "category", "c", "", "`category` of the job")
	cmd.Flags().StringVarP(&s.File, "file", "f", "", "executable `file` to copy, instead of a command")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if s.File != "" && len(args) > 0 {
			return rota.Invalid("argument %q: a file is run without arguments", args[0]).WithFix("write a script that calls it with them, or leave out -f")
		}
		if s.File == "" {
			if s.Text, err = jar.Script(args); err != nil {
				return err
			}
		}
		set, err := a.jarSettings(cmd, f)
		if err != nil {
			return err
		}
		name, err := set.Submit(s)
		if err == nil {
			_, err = fmt.Fprintln(a.out, name)
		}
		return err
	}
	return cmd
}
