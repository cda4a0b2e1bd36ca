package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota/jar"
)

// jarLimits are the settings of a worker that are flags too.
var jarLimits = []struct{ name, key, about string }{
	{"timeout", "JJ_TIMEOUT", "end a job that runs longer than this `time`: 90m, 01:30:00"},
	{"grace", "JJ_GRACE", "`time` between TERM and KILL (default 10s)"},
	{"mem", "JJ_MEM", "`size` of memory that all processes of a job may use together: 2G"},
	{"cpus", "JJ_CPUS", "`CPUs` whose time they may use together: 1.5"},
	{"pids", "JJ_PIDS", "`processes` and threads that it may have at once"},
	{"nice", "JJ_NICE", "`niceness`, from -20 (first) to 19 (last)"},
}

func (a *app) jarWorkerCommand(f *jarFlags) *cobra.Command {
	var (
		foreground bool
		o          JarWorkerOptions
	)
	cmd := &cobra.Command{
		Use:   "worker [flags] [CATEGORY...]",
		Short: "Start a worker, in the background",
		Long: `Starts a worker, which runs the jobs of its own node's category, then those of the categories that are named, in that order, then
those without one; in each the highest priority first, then the oldest. Without names it takes those of JJ_CATEGORIES. It prints
the worker's name, which is that of its directory.
It ends when it is told to by "rota jar stop". TERM and Ctrl-C let it end after its job; a second one ends the job, which goes
back to where it was.`,
		Example: examples("rota jar worker", "rota jar worker --foreground LINUX AMD64"),
	}
	cmd.Flags().BoolVar(&foreground, "foreground", false, "work in this process, until it is told to stop")
	for _, l := range jarLimits {
		cmd.Flags().String(l.name, "", l.about)
	}
	cmd.Flags().BoolVar(&o.Announce, "announce", false, "")
	cmd.Flags().IntVar(&o.AtMost, "at-most", 0, "")
	_ = cmd.Flags().MarkHidden("announce")
	_ = cmd.Flags().MarkHidden("at-most")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, l := range jarLimits {
			if flag := cmd.Flags().Lookup(l.name); flag.Changed {
				f.given[l.key] = flag.Value.String()
			}
		}
		for _, c := range args {
			if err := jar.CheckCategory(c); err != nil {
				return err
			}
		}
		s, err := a.jarSettings(cmd, f)
		if err != nil {
			return err
		}
		if len(args) > 0 {
			s.Categories = args
		}
		ready := func(name string) { _, _ = fmt.Fprintln(a.out, name) }
		if foreground {
			o.Ready = ready
			return a.deps.Jar.Work(cmd.Context(), s, o)
		}
		name, err := a.deps.Jar.Start(cmd.Context(), s, 0)
		if err == nil {
			ready(name)
		}
		return err
	}
	return cmd
}
