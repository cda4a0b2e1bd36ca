package cli

import (
	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) benchCommand() *cobra.Command {
	var (
		o    BenchOptions
		form string
	)
	cmd := &cobra.Command{
		Use:   "bench [NAME...]",
		Short: "Measure this machine: Rota beside its limits",
		Long: `Measures how fast Rota works here, each figure beside its limit measured in the same run. It uses a folder of its own,
and of a PostgreSQL server databases of its own, which the user in the URL must be allowed to make.`,
		Example: examples("rota bench", "rota bench --quick -o json", "rota bench --store postgres://postgres@db.example.org/postgres waiting"),
	}
	registerForm(cmd, &form)
	cmd.Flags().StringVar(&o.Store, "store", "", "`URL` of a PostgreSQL server, to measure with databases made there instead of the embedded store")
	cmd.Flags().IntVar(&o.Slots, "slots", 4, "how many tasks run at once")
	cmd.Flags().BoolVar(&o.Quick, "quick", false, "shorter and less exact")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkForm(form); err != nil {
			return err
		}
		if o.Slots < 1 {
			return rota.Invalid("--slots %d: at least 1", o.Slots)
		}
		if err := hidePassword("--store", o.Store, "put the password into the file that PGPASSFILE names, or into PGPASSWORD"); err != nil {
			return err
		}
		o.Only, o.JSON = args, form == formJSON
		return a.deps.Bench(cmd.Context(), o, a.out)
	}
	return cmd
}
