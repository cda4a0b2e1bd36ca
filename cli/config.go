package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota/config"
)

func (a *app) configCommand() *cobra.Command {
	var form form
	check := &cobra.Command{
		Use:   "check",
		Short: "Show all settings, their values and where each comes from",
		Long: `Reads the configuration as every command does, refuses keys that do not exist and values that no node can run with, and shows
what came out. A flag goes before a ROTA_ variable, that before $XDG_CONFIG_HOME/rota/rota.toml, that before /etc/rota/rota.toml.`,
		Example: examples("rota config check", "rota config check -o json"),
		Args:    exactly(),
	}
	form.register(check)
	check.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := form.check(); err != nil {
			return err
		}
		c, settings, err := a.load(cmd)
		if err != nil {
			return err
		}
		if _, err := settingList.print(a, form, each(settings)); err != nil {
			return err
		}
		return c.Check()
	}
	return nounCommand("config", "Settings", check)
}

var settingList = list[config.Setting]{
	id: func(s config.Setting) string { return s.Key },
	columns: []column[config.Setting]{
		{head: "SETTING", cell: func(s config.Setting, _ style) string { return s.Key }},
		{head: "VALUE", cell: func(s config.Setting, _ style) string { return orText(s.Value, "-") }},
		{head: "FROM", cell: func(s config.Setting, _ style) string { return s.Source }, tint: sourceTint},
		{head: "ABOUT", cell: func(s config.Setting, _ style) string { return s.About }},
	},
}

func sourceTint(s config.Setting) string {
	if strings.HasPrefix(s.Source, "default") {
		return tintGrey
	}
	return ""
}
