package cli

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota/jar"
)

// JarDeps is what the commands of a jar need besides its folder: processes, and the program itself.
type JarDeps struct {
	Installed string                 // the jar whose bin the program was called from; empty: none
	Program   func() (string, error) // the file of the program
	Library   fs.FS                  // the Python library

	// Work is a worker, until it has ended; it calls o.Ready with its name once it is one.
	Work func(ctx context.Context, s jar.Settings, o JarWorkerOptions) error
	// Start starts a worker in the background, and returns its name. With atMost, it is none if so many others live on
	// the node: the name is then empty.
	Start func(ctx context.Context, s jar.Settings, atMost int) (name string, err error)
	// Recover gives back what dead workers of the node held, or those that are named.
	Recover func(s jar.Settings, named []string) ([]jar.Recovered, error)
}

// JarWorkerOptions is how a worker is started.
type JarWorkerOptions struct {
	Ready    func(name string)
	Announce bool // the worker is in the background: who started it waits at descriptor 3
	AtMost   int  // see JarDeps.Start; 0: no matter how many there are
}

// jarFlags are what all commands of a jar take.
type jarFlags struct {
	home  string
	given map[string]string
}

func (a *app) jarCommand() *cobra.Command {
	f := &jarFlags{given: map[string]string{}}
	cmd := nounCommand("jar", "A queue that is nothing but a folder on a shared disk",
		a.jarInitCommand(), a.jarWorkerCommand(f), a.jarSubmitCommand(f), a.jarStopCommand(f), a.jarPauseCommand(f), a.jarUnpauseCommand(f),
		a.jarCheckCommand(f), a.jarRecoverCommand(f), a.jarStatusCommand(f), a.jarNameCommand(f))
	cmd.Long = `Job Jar: jobs are executable files in a folder that several machines may share, and workers claim them by renaming. It needs
no node, no database, no open port and no root.
The jar is the one of --jar, else of JJ_HOME, else of a file of settings, else the one in whose bin the program lies.`
	cmd.Example = examples("rota jar init /shared/jar", "rota jar worker --jar /shared/jar LINUX", "/shared/jar/bin/submit_job -c LINUX ./simulate 42",
		"/shared/jar/bin/system_status")
	cmd.PersistentFlags().StringVar(&f.home, "jar", "", "`folder` of the jar (JJ_HOME)")
	return cmd
}

// settings reads how the jar is to be used, and refuses a folder that is none.
func (a *app) jarSettings(cmd *cobra.Command, f *jarFlags) (jar.Settings, error) {
	if cmd.Flags().Changed("jar") {
		home, err := filepath.Abs(f.home)
		if err != nil {
			return jar.Settings{}, fileError("--jar", err)
		}
		f.given["JJ_HOME"] = home
	}
	user, _ := os.UserHomeDir()
	host, _ := os.Hostname()
	s, err := jar.Sources{Given: f.given, Getenv: os.Getenv, ReadFile: os.ReadFile, UserHome: user, Hostname: host, Install: a.deps.Jar.Installed}.Load()
	for _, n := range s.Notes {
		a.note("rota: %s", clean(n))
	}
	if err != nil {
		return s, err
	}
	return s, s.Check()
}
