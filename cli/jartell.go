package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota/jar"
)

// jarTell is a command that tells workers something: by name (NODE.PID), by node, or all of them.
func (a *app) jarTell(f *jarFlags, verb, short, long string, tell func(jar.Jar, ...string) ([]string, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use: verb + " (all | NODE | WORKER)...", Short: short, Long: long,
		Example: examples("rota jar "+verb+" all", "rota jar "+verb+" rain flower.13764 meadow"),
		Args:    some("all, NODE or WORKER"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := a.jarSettings(cmd, f)
		if err != nil {
			return err
		}
		told, err := tell(s.Jar, args...)
		for _, name := range told {
			_, _ = fmt.Fprintln(a.out, name)
		}
		if len(told) == 0 && err == nil {
			a.note("rota: there are no workers to be told")
		}
		if path, still := s.StillPaused(); still && verb == "unpause" {
			a.note("rota: all stay paused for as long as there is %s", path)
		}
		return err
	}
	return cmd
}

func (a *app) jarStopCommand(f *jarFlags) *cobra.Command {
	return a.jarTell(f, "stop", "Tell workers to end after their job",
		`Tells workers to end when the job that they run has. It writes a file STOP into each one's directory, so workers that come later are
not affected; a file STOP_ALL beside those directories, made by hand, stops those too, until it is removed.`, jar.Jar.Stop)
}

func (a *app) jarPauseCommand(f *jarFlags) *cobra.Command {
	return a.jarTell(f, "pause", "Tell workers to claim nothing more",
		`Tells workers to claim nothing more when the job that they run has ended, and to wait. It writes a file PAUSE into each one's
directory; a file PAUSE_ALL beside those directories, made by hand, pauses workers that come later, too, until it is removed.`, jar.Jar.Pause)
}

func (a *app) jarUnpauseCommand(f *jarFlags) *cobra.Command {
	return a.jarTell(f, "unpause", "Let paused workers go on",
		`Lets workers claim jobs again, unless they are told to stop. It is fine for those that are not paused.`, jar.Jar.Unpause)
}
