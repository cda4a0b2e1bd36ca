package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) jarNameCommand(f *jarFlags) *cobra.Command {
	var (
		priority int
		id       string
	)
	cmd := &cobra.Command{
		Use:   "name [flags]",
		Short: "Print a name for a job that no other has",
		Long: `Prints an absolute path in limbo, which no other job has or will have. Write an executable file there, and move it to unclaimed, or
to the folder of a category in it, when it is whole.`,
		Example: examples("job=$(rota jar name -p 15)", "cp ./job.sh $job && mv $job $JJ_HOME/unclaimed/"),
		Args:    exactly(),
	}
	registerNaming(cmd.Flags(), &priority, &id)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := a.jarSettings(cmd, f)
		if err != nil {
			return err
		}
		path, err := s.UniqueName(id, priority)
		if err == nil {
			_, err = fmt.Fprintln(a.out, path)
		}
		return err
	}
	return cmd
}
