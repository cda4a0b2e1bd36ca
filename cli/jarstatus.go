package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota/jar"
)

func (a *app) jarStatusCommand(f *jarFlags) *cobra.Command {
	var form string
	cmd := &cobra.Command{
		Use:   "status [flags]",
		Short: "Print a summary of the jar",
		Long: `Prints what waits in each category, by priority; what is claimed, has ended, or lies in limbo; which workers there are and what they
do; and which jobs are stranded with dead workers of this machine. Of workers of other machines it tells what they said last.`,
		Example: examples("rota jar status", "rota jar status -o json"),
		Args:    exactly(),
	}
	registerForm(cmd, &form)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkForm(form); err != nil {
			return err
		}
		set, err := a.jarSettings(cmd, f)
		if err != nil {
			return err
		}
		s, err := set.Status(jar.Here(set.Node))
		if err != nil {
			return err
		}
		if form == formJSON {
			return a.printJSON(s)
		}
		return a.printJar(s)
	}
	return cmd
}

func (a *app) printJar(s jar.Status) error {
	var f fields
	f.add("jar", clean(s.Home))
	f.add("unclaimed", number(s.Unclaimed))
	f.add("claimed", number(s.Claimed))
	f.add("completed", number(s.Completed))
	f.add("limbo", number(s.Limbo))
	f.add("stranded", number(len(s.Stranded)))
	if s.StopAll {
		f.add("STOP_ALL", "all workers stop, and those that come")
	}
	if s.PauseAll {
		f.add("PAUSE_ALL", "all workers pause, and those that come")
	}
	if _, err := io.WriteString(a.out, f.String()); err != nil {
		return err
	}
	table := form{name: formTable}
	if len(s.Categories) > 0 {
		fmt.Fprintln(a.out)
		if _, err := jarCategories.print(a, table, each(s.Categories)); err != nil {
			return err
		}
	}
	if len(s.Workers) > 0 {
		fmt.Fprintln(a.out)
		if _, err := jarWorkers.print(a, table, each(s.Workers)); err != nil {
			return err
		}
	}
	for i, job := range s.Stranded {
		if i == 0 {
			fmt.Fprintln(a.out, "\nStranded; rota jar recover gives them back:")
		}
		fmt.Fprintf(a.out, "  %s in %s\n", clean(job.Job), job.Worker)
	}
	return nil
}

var jarCategories = list[jar.CategoryStatus]{
	columns: []column[jar.CategoryStatus]{
		{head: "CATEGORY", cell: func(c jar.CategoryStatus, _ style) string { return orText(c.Name, "(none)") }},
		{head: "JOBS", cell: func(c jar.CategoryStatus, _ style) string { return number(c.Jobs) }, right: true},
		{head: "OLDEST", cell: func(c jar.CategoryStatus, s style) string { return s.at(c.Oldest) }},
		{head: "JOBS BY PRIORITY", cell: func(c jar.CategoryStatus, _ style) string {
			var parts []string
			for _, p := range c.Priorities {
				parts = append(parts, fmt.Sprintf("%d: %s", p.Priority, number(p.Jobs)))
			}
			if c.Others > 0 {
				parts = append(parts, plural(c.Others, "file")+" not executable")
			}
			return strings.Join(parts, ", ")
		}},
	},
}

var jarWorkers = list[jar.WorkerStatus]{
	columns: []column[jar.WorkerStatus]{
		{head: "WORKER", cell: func(w jar.WorkerStatus, _ style) string { return w.Name }},
		{head: "STATE", cell: func(w jar.WorkerStatus, _ style) string {
			if w.Told != "" {
				return w.State + ", to " + w.Told
			}
			return w.State
		}, tint: jarTint},
		{head: "SEEN", cell: func(w jar.WorkerStatus, s style) string { return s.at(w.Seen) }},
		{head: "CATEGORIES", cell: func(w jar.WorkerStatus, _ style) string { return strings.Join(w.Categories, " ") }, maybe: true},
		{head: "JOB", cell: func(w jar.WorkerStatus, _ style) string {
			text := strings.Join(w.Jobs, " ")
			if w.Rota {
				text = strings.TrimSpace(text + " (a Rota node)")
			}
			return text
		}},
	},
}

func jarTint(w jar.WorkerStatus) string {
	switch w.State {
	case jar.Working, jar.Waiting:
		return tintGreen
	case jar.Paused:
		return tintYellow
	case jar.Stopped:
		return tintGrey
	}
	return tintRed
}
