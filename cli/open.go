package cli

import (
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) openCommand() *cobra.Command {
	var show bool
	cmd := &cobra.Command{
		Use:   "open [flags]",
		Short: "Open the web page, signed in",
		Long: `Opens the web page in the browser, signed in as who asks, by a link that works once and for two minutes. Where there is no
browser, and with --print, it prints the link.`,
		Example: examples("rota open", "rota open --print"),
		Args:    exactly(),
	}
	cmd.Flags().BoolVar(&show, "print", false, "print the link, and open nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := a.connect(cmd, wantWrite)
		if err != nil {
			return err
		}
		defer c.Close()
		status, err := c.Status(cmd.Context())
		if err != nil {
			return err
		}
		base, _, _ := strings.Cut(status.API, "#")
		if a.server != "" {
			base, _, _ = strings.Cut(a.server, "#")
		}
		if base == "" {
			return rota.Errorf(rota.ErrUnavailable, "the node has no address that a browser could reach").
				WithFix("start it with --listen 127.0.0.1:2691, or say by which URL it is reached: --advertise URL")
		}
		link, err := c.CreateLink(cmd.Context())
		if err != nil {
			return err
		}
		at := strings.TrimSuffix(base, "/") + "/login?link=" + url.QueryEscape(link.Secret)
		if show || !a.screen.outTerm || browse(at) != nil {
			_, err = io.WriteString(a.out, at+"\n")
			return err
		}
		a.note("opened %s in the browser", base)
		return nil
	}
	return cmd
}

// browse opens an address in the user's browser.
func browse(address string) error {
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	if err := exec.Command(program, address).Start(); err != nil {
		return fmt.Errorf("open the browser: %w", err)
	}
	return nil
}
