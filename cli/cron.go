package cli

import (
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

const previewed = 5 // due times that are shown ahead

func (a *app) cronCommand() *cobra.Command {
	return nounCommand("cron", "Schedules: jobs again and again", a.cronAddCommand(), a.cronEditCommand(), a.cronLsCommand(), a.cronShowCommand(),
		a.cronNextCommand(), a.cronRunCommand(), a.cronPauseCommand(), a.cronResumeCommand(), a.cronRmCommand(), a.cronImportCommand(), a.cronExportCommand())
}

func (a *app) cronAddCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add [flags] NAME EXPR -- COMMAND [ARG...]",
		Short: "Add a schedule, and show its next times",
		Long: `Adds a schedule that submits a job whenever EXPR is due: five fields as cron has them (minute hour day month weekday), six with
seconds before them, @daily and the like, @every 90s, or @at and a time. Days may be L (the last), LW, 15W, 5#3 (the third Friday)
and 5L; H is a number that is made of NAME, so that schedules spread. It takes the flags of "rota submit" that describe a job, and
-c or -f instead of a command. Failures are not retried unless --retries says so.

A time that the clock skips in spring is made up for right after; one that comes twice in autumn counts once. Expressions that
are due in every hour follow real time.`,
		Example: examples("rota cron add nightly '0 3 * * *' --tz Europe/Berlin -- ./backup.sh",
			"rota cron add poll '@every 90s' --overlap skip -c 'curl -fsS localhost/poll'",
			"rota cron add report 'H 6 L * *' --missed all --deadline 1d -- ./report.sh"),
	}
	flags := newSpecFlags(cmd.Flags(), false).withText()
	timing := newTimingFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		names, command, _ := positional(cmd, args)
		if len(names) > 2 {
			return rota.Invalid("argument %q: the command of a schedule stands behind --", names[2]).
				WithFix("rota cron add %s -- %s", rota.Quoted(names[:2]), rota.Quoted(names[2:]))
		}
		if err := exactly("NAME", "EXPR")(cmd, names); err != nil {
			return err
		}
		s := rota.Schedule{Name: names[0], Expr: names[1], Zone: localZone(os.LookupEnv, os.Readlink)}
		if err := timing.apply(&s); err != nil {
			return err
		}
		return a.cronPut(cmd, s, composing{flags: flags, args: command, dashed: true})
	}
	return cmd
}

// cronPut puts a schedule whose job the flags describe, and shows its next times.
func (a *app) cronPut(cmd *cobra.Command, s rota.Schedule, how composing) error {
	if err := a.checkTiming(&s); err != nil {
		return err
	}
	c, err := a.connect(cmd, wantWrite)
	if err != nil {
		return err
	}
	defer c.Close()
	how.remote = c.target.remote()
	r, err := a.compose(how)
	if err != nil {
		return err
	}
	if r.input {
		return rota.Invalid("--stdin -: a schedule's jobs have no caller whose input they could read").WithFix("--stdin FILE")
	}
	if err := a.bring(cmd.Context(), c, &r); err != nil {
		return err
	}
	s.Spec = r.Spec
	return a.cronPutComposed(cmd, c, s)
}

func (a *app) cronPutComposed(cmd *cobra.Command, c *conn, s rota.Schedule) error {
	s, err := c.PutSchedule(cmd.Context(), s)
	if err != nil {
		return err
	}
	if c.local {
		a.note("rota: no node runs: nothing is due until one does (rota up)")
	}
	_, err = io.WriteString(a.out, s.Name+": "+s.Expr+", "+s.Zone+"; next:\n"+a.coming(&s, "  "))
	return err
}

// checkTiming refuses what the server would refuse of when a schedule is due, before anything is asked.
func (a *app) checkTiming(s *rota.Schedule) error {
	if loc, err := time.LoadLocation(s.Zone); err != nil || loc == time.Local {
		return rota.Invalid("--tz %q: not a time zone", s.Zone).WithFix("write a name such as Europe/Berlin, or UTC")
	}
	timing, err := s.Timing()
	if err != nil {
		return err
	}
	if !timing.Expr.IsOnce() && timing.Next(a.now()).IsZero() {
		return rota.Invalid("expression %q: is never due", s.Expr)
	}
	return nil
}

// coming are a schedule's next times and the odd ones of the year, a line each.
func (a *app) coming(s *rota.Schedule, indent string) (text string) {
	for _, t := range comingOf(s, a.now()) {
		text += indent + zoned(t) + "\n"
	}
	if text == "" {
		text = indent + "never\n"
	}
	if timing, err := s.Timing(); err == nil && !s.Rests() {
		from := a.now().In(timing.Zone)
		for _, odd := range timing.Expr.Odd(from, from.AddDate(1, 0, 0)) {
			text += indent + "! " + odd.String() + "\n"
		}
	}
	return text
}

// zoned is a due time in its schedule's own zone.
func zoned(t time.Time) string { return t.Format("Mon 2006-01-02 15:04:05 MST -07:00") }
