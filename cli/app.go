package cli

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota/config"
)

// app is one run of the command line.
type app struct {
	deps    Deps
	in      io.Reader
	out     io.Writer
	screen  *screen
	now     func() time.Time
	signals func(...os.Signal) (<-chan os.Signal, func())
	console func() (*console, error) // errNoConsole: there is none

	data, server, tokenFile string // the global flags
}

func newApp(deps Deps, stdin io.Reader, stdout, stderr io.Writer) *app {
	s := newScreen(stdout, stderr)
	a := &app{deps: deps, in: stdin, out: screenOut{s}, screen: s, now: clock, signals: notify}
	a.console = a.terminal
	return a
}

// note says something to the person: one line on stderr.
func (a *app) note(format string, args ...any) { a.screen.note(fmt.Sprintf(format, args...)) }

// notify delivers signals, but for those that the process was started to ignore (nohup, a shell's background job).
func notify(sigs ...os.Signal) (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 8)
	for _, s := range sigs {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
	return c, func() { signal.Stop(c) }
}

// load reads the configuration, with the global flags and those of the command.
func (a *app) load(cmd *cobra.Command, more ...config.Flag) (config.Config, config.Settings, error) {
	l := config.Standard()
	for _, f := range []struct{ name, text string }{{"data", a.data}, {"server", a.server}, {"token-file", a.tokenFile}} {
		if cmd.Flags().Changed(f.name) {
			l.Flags = append(l.Flags, config.Flag{Key: f.name, Name: "--" + f.name, Text: f.text})
		}
	}
	l.Flags = append(l.Flags, more...)
	return l.Load()
}
