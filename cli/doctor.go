package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) doctorCommand() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Check this machine, and say what mends what is wrong",
		Example: examples("rota doctor", "rota doctor -o json"),
		Args:    exactly(),
	}
	form.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := form.check(); err != nil {
			return err
		}
		c, _, err := a.load(cmd)
		if err != nil {
			return err
		}
		found := a.deps.Doctor(cmd.Context(), c)
		if _, err := checkList.print(a, form, each(found)); err != nil {
			return err
		}
		failed := 0
		for _, f := range found {
			if f.Level == Fail {
				failed++
			}
		}
		if failed > 0 {
			a.note("rota doctor: %s failed", plural(failed, "check"))
			return &exit{code: 1}
		}
		return nil
	}
	return cmd
}

var checkList = list[Check]{
	id: func(c Check) string { return c.Name },
	columns: []column[Check]{
		{head: "CHECK", cell: func(c Check, _ style) string { return c.Name }},
		{head: "RESULT", cell: func(c Check, _ style) string { return string(c.Level) }, tint: func(c Check) string {
			return map[Level]string{OK: tintGreen, Warn: tintYellow, Fail: tintRed}[c.Level]
		}},
		{head: "FOUND", cell: func(c Check, _ style) string {
			if c.Fix == "" {
				return c.Text
			}
			return fmt.Sprintf("%s; to mend it: %s", c.Text, c.Fix)
		}},
	},
}
