package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cron"
)

const previewed = 5 // due times that are shown ahead

func (a *app) cronCommand() *cobra.Command {
	return nounCommand("cron", "Schedules: jobs again and again", a.cronAddCommand(), a.cronLsCommand(), a.cronRmCommand())
}

func (a *app) cronAddCommand() *cobra.Command {
	var zone, overlap string
	cmd := &cobra.Command{
		Use:   "add [flags] NAME EXPR -- COMMAND [ARG...]",
		Short: "Add a schedule, and show its next times",
		Long: `Adds a schedule that submits a job whenever EXPR is due: five fields as cron has them (minute hour day month weekday), @daily and
the like, or @every 90s. It takes the flags of "rota submit" that describe a job, and -c or -f instead of a command.`,
		Example: examples("rota cron add nightly '0 3 * * *' --tz Europe/Berlin -- ./backup.sh",
			"rota cron add poll '@every 90s' --overlap skip -c 'curl -fsS localhost/poll'"),
	}
	flags := newSpecFlags(cmd.Flags(), false).withText()
	cmd.Flags().StringVar(&zone, "tz", "", "time `zone` of EXPR, such as Europe/Berlin (default: this machine's)")
	cmd.Flags().StringVar(&overlap, "overlap", string(rota.OverlapSkip), "`skip` a time while the job before runs, or allow both")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		names, command, _ := positional(cmd, args)
		if len(names) > 2 {
			return rota.Invalid("argument %q: the command of a schedule stands behind --", names[2]).
				WithFix("rota cron add %s -- %s", quoted(names[:2]), quoted(names[2:]))
		}
		if err := exactly("NAME", "EXPR")(cmd, names); err != nil {
			return err
		}
		if err := oneOf("--overlap", overlap, string(rota.OverlapSkip), string(rota.OverlapAllow)); err != nil {
			return err
		}
		s := rota.Schedule{Name: names[0], Expr: names[1], Zone: zone, Overlap: rota.Overlap(overlap)}
		return a.cronAdd(cmd, s, flags, command)
	}
	return cmd
}

func (a *app) cronAdd(cmd *cobra.Command, s rota.Schedule, flags *specFlags, command []string) error {
	if s.Zone == "" {
		s.Zone = localZone(os.LookupEnv, os.Readlink)
	}
	loc, err := time.LoadLocation(s.Zone)
	if err != nil || s.Zone == "Local" {
		return rota.Invalid("--tz %q: not a time zone", s.Zone).WithFix("write a name such as Europe/Berlin, or UTC")
	}
	expr, err := cron.Parse(s.Expr)
	if err != nil {
		return rota.Invalid("%v", err)
	}
	if expr.Next(a.now().In(loc)).IsZero() {
		return rota.Invalid("expression %q: is never due", s.Expr)
	}
	c, err := a.connect(cmd, wantWrite)
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := a.compose(composing{flags: flags, args: command, dashed: true, remote: c.target.remote()})
	if err != nil {
		return err
	}
	if r.input {
		return rota.Invalid("--stdin -: a schedule's jobs have no caller whose input they could read").WithFix("--stdin FILE")
	}
	s.Spec = r.Spec
	if s, err = c.PutSchedule(cmd.Context(), s); err != nil {
		return err
	}
	if c.local {
		a.note("rota: no node runs: nothing is due until one does (rota up)")
	}
	text := fmt.Sprintf("%s: %s, %s; next:\n", s.Name, s.Expr, s.Zone)
	for _, t := range nextTimes(expr, a.now(), loc) {
		text += "  " + zoned(t) + "\n"
	}
	_, err = io.WriteString(a.out, text)
	return err
}

// nextTimes are the next due times of an expression.
func nextTimes(expr cron.Schedule, now time.Time, loc *time.Location) []time.Time {
	var out []time.Time
	t := now.In(loc)
	for range previewed {
		if t = expr.Next(t); t.IsZero() {
			break
		}
		out = append(out, t)
	}
	return out
}

// zoned is a due time in its schedule's own zone.
func zoned(t time.Time) string { return t.Format("Mon 2006-01-02 15:04:05 MST") }

// localZone is the name of this machine's time zone.
func localZone(getenv func(string) (string, bool), readlink func(string) (string, error)) string {
	if name, ok := getenv("TZ"); ok {
		name = strings.TrimPrefix(name, ":")
		if name == "" {
			return "UTC"
		}
		if _, err := time.LoadLocation(name); err == nil {
			return name
		}
	}
	if path, err := readlink("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(path, "zoneinfo/"); ok {
			if _, err := time.LoadLocation(name); err == nil {
				return name
			}
		}
	}
	return "UTC"
}

func (a *app) cronLsCommand() *cobra.Command {
	return nounLs(a, &cobra.Command{Short: "List schedules", Long: `Lists schedules; -o wide shows the next five times of each.`,
		Example: examples("rota cron ls", "rota cron ls -o wide")}, "schedules", scheduleList, rota.Service.Schedules)
}

var scheduleList = list[rota.Schedule]{
	id: func(s rota.Schedule) string { return s.Name },
	columns: []column[rota.Schedule]{
		{head: "NAME", cell: func(s rota.Schedule, _ style) string { return s.Name }},
		{head: "EXPR", cell: func(s rota.Schedule, _ style) string { return s.Expr }},
		{head: "ZONE", cell: func(s rota.Schedule, _ style) string { return s.Zone }},
		{head: "STATE", cell: func(s rota.Schedule, _ style) string {
			return map[bool]string{true: "paused", false: "active"}[s.Paused]
		}},
		{head: "NEXT", cell: nextCell},
		{head: "LAST", cell: lastCell},
		{head: "OVERLAP", cell: func(s rota.Schedule, _ style) string { return string(s.Overlap) }, wide: true},
		{head: "USER", cell: func(s rota.Schedule, _ style) string { return s.By }, wide: true},
		{head: "COMMAND", cell: func(s rota.Schedule, _ style) string { return commandOf(&s.Spec) }},
		{head: "NEXT TIMES", cell: comingCell, wide: true},
	},
}

func nextCell(s rota.Schedule, st style) string {
	if loc, err := time.LoadLocation(s.Zone); err == nil && st.exact && !s.Next.IsZero() {
		return zoned(s.Next.In(loc))
	}
	return st.at(s.Next)
}

func lastCell(s rota.Schedule, st style) string {
	switch {
	case s.Last == nil:
		return ""
	case s.Last.Skipped != "":
		return st.at(s.Last.Due) + ": skipped, " + s.Last.Skipped
	}
	return st.at(s.Last.Due) + ": job " + s.Last.Job.String()
}

// comingCell are the next times of a schedule, from the one that the store waits for on.
func comingCell(s rota.Schedule, st style) string {
	loc, err := time.LoadLocation(s.Zone)
	if err != nil {
		return ""
	}
	expr, err := cron.Parse(s.Expr)
	if err != nil || s.Paused {
		return ""
	}
	from := st.now
	if !s.Next.IsZero() {
		from = s.Next.Add(-time.Nanosecond)
	}
	var parts []string
	for _, t := range nextTimes(expr, from, loc) {
		parts = append(parts, zoned(t))
	}
	return strings.Join(parts, ", ")
}

func (a *app) cronRmCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rm NAME...", Short: "Remove schedules; their jobs stay", Example: examples("rota cron rm nightly"), Args: some("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.connect(cmd, wantChange)
			if err != nil {
				return err
			}
			defer c.Close()
			for _, name := range args {
				if err := c.DropSchedule(cmd.Context(), name); err != nil {
					return err
				}
				a.note("schedule %s removed", clean(name))
			}
			return nil
		},
	}
}
