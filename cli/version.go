package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

type version struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Platform string `json:"platform"`
	Go       string `json:"go"`
}

func (a *app) versionCommand() *cobra.Command {
	var form string
	cmd := &cobra.Command{Use: "version", Short: "Print the version", Args: exactly(), Example: examples("rota version", "rota version -o json")}
	registerForm(cmd, &form)
	cmd.RunE = func(*cobra.Command, []string) error {
		if err := checkForm(form); err != nil {
			return err
		}
		v := version{Version: rota.Version, Platform: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
		if build, ok := debug.ReadBuildInfo(); ok {
			for _, s := range build.Settings {
				if s.Key == "vcs.revision" {
					v.Commit = s.Value
				}
			}
		}
		if form == formJSON {
			return a.printJSON(v)
		}
		text := fmt.Sprintf("rota %s %s %s", v.Version, v.Platform, v.Go)
		if v.Commit != "" {
			text += " " + v.Commit[:min(12, len(v.Commit))]
		}
		_, err := fmt.Fprintln(a.out, text)
		return err
	}
	return cmd
}
