package main

import (
	"strings"

	"github.com/rotaqueue/rota/config"
)

// byMachine says how the defaults are found that differ from machine to machine.
var byMachine = map[string]string{
	"data":  "root: /var/lib/rota; else $XDG_DATA_HOME/rota or ~/.local/share/rota",
	"name":  "the machine's, without its domain",
	"slots": "the CPUs",
}

// settings are all settings with their variable and default.
func settings() (string, error) {
	nothing := func(string) (string, bool) { return "", false }
	_, all, err := config.Loader{Getenv: nothing}.Load()
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, s := range all {
		variable := "ROTA_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(s.Key))
		standard := byMachine[s.Key]
		if standard == "" && s.Value != "" {
			standard = "`" + s.Value + "`"
		}
		rows = append(rows, []string{"`" + s.Key + "`", "`" + variable + "`", standard, s.About})
	}
	return table([]string{"key", "variable", "default", ""}, rows), nil
}
