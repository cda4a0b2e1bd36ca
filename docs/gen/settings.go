package main

import (
	"fmt"
	"strings"

	"github.com/rotaqueue/rota/config"
)

// byMachine says how the defaults are found that differ from machine to machine.
var byMachine = map[string]string{
	"data":  "root: /var/lib/rota; else $XDG_DATA_HOME/rota or ~/.local/share/rota",
	"name":  "the machine's, without its domain",
	"slots": "the CPUs",
}

// settings are all settings with their variable and default. The variables are those that the loader asks for.
func settings() (string, error) {
	var asked []string
	nothing := func(name string) (string, bool) {
		if strings.HasPrefix(name, "ROTA_") {
			asked = append(asked, name)
		}
		return "", false
	}
	_, all, err := config.Loader{Getenv: nothing}.Load()
	if err != nil {
		return "", err
	}
	if len(asked) != len(all) {
		return "", fmt.Errorf("%d settings, and %d variables were asked for", len(all), len(asked))
	}
	var rows [][]string
	for i, s := range all {
		standard := byMachine[s.Key]
		if standard == "" && s.Value != "" {
			standard = "`" + s.Value + "`"
		}
		rows = append(rows, []string{"`" + s.Key + "`", "`" + asked[i] + "`", standard, s.About})
	}
	return table([]string{"key", "variable", "default", ""}, rows), nil
}
