package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota/jar"
)

func (a *app) jarInitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init DIR",
		Short: "Make a jar, or bring its programs up to date",
		Long: `Makes a jar in a folder: the folders for jobs and workers; in bin the program itself, under the names start_worker, stop_worker,
pause_worker, unpause_worker, check_workers, submit_job, unique_job_name and system_status too; examples for cron in crontabs; a
Python library in python; and config.ini with all settings, each switched off. In a jar that is there already, jobs and config.ini
stay as they are.`,
		Example: examples("rota jar init /shared/jar"),
		Args:    exactly("DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			home, err := filepath.Abs(args[0])
			if err != nil {
				return fileError("folder", err)
			}
			program, err := a.deps.Jar.Program()
			if err != nil {
				return err
			}
			if err := jar.Install(home, jar.Installation{Program: program, Library: a.deps.Jar.Library}); err != nil {
				return err
			}
			a.note("rota: %s is a jar; %s starts a worker", home, filepath.Join(home, "bin", "start_worker"))
			_, err = fmt.Fprintln(a.out, home)
			return err
		},
	}
}
