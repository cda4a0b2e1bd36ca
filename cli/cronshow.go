package cli

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) cronShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show [flags] NAME", Short: "Show a schedule, its next times, latest fires and alarms", Example: examples("rota cron show nightly"),
		Args: exactly("NAME"),
	}
	return nounShow(a, cmd, func(cmd *cobra.Command, c *conn, args []string, form string) error {
		r, err := c.Schedule(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if form == formJSON {
			return a.printJSON(r)
		}
		_, err = io.WriteString(a.out, a.describeSchedule(&r))
		return err
	})
}

// describeSchedule is a schedule in lines of what and how.
func (a *app) describeSchedule(r *rota.ScheduleRecord) string {
	var b strings.Builder
	s := &r.Schedule
	line := func(what, how string) {
		if how != "" {
			fmt.Fprintf(&b, "%-10s %s\n", what, how)
		}
	}
	line("schedule", clean(s.Name)+", "+scheduleState(s)+", by "+clean(s.By))
	line("due", clean(s.Expr)+", "+clean(s.Zone))
	line("runs", cleanLines(s.Spec.Command()))
	line("on", cmp.Or(clean(s.On), rota.OnAny))
	line("overlap", string(s.Overlap))
	line("missed", string(s.Missed)+", within "+s.Deadline.String())
	if s.Spread > 0 {
		line("spread", s.Spread.String())
	}
	if s.Jitter > 0 {
		line("jitter", s.Jitter.String())
	}
	line("alarms", alarmText(s.Alarm))
	line("origin", clean(s.Origin))
	if n := len(strings.Fields(s.Calendar)); n > 0 {
		line("calendar", fmt.Sprintf("%d lines of days off", strings.Count(strings.TrimRight(s.Calendar, "\n"), "\n")+1))
	}
	b.WriteString("next\n" + a.coming(s, "  "))
	if len(r.Fires) > 0 {
		b.WriteString("latest fires\n")
	}
	for _, f := range r.Fires {
		b.WriteString("  " + both(f.Due, a.now()) + "  " + fireText(&f) + "\n")
	}
	if len(r.Log) > 0 {
		b.WriteString("latest alarms\n")
	}
	for _, l := range r.Log {
		until := "since " + both(l.Since, a.now())
		if !l.Until.IsZero() {
			until += ", over " + both(l.Until, a.now())
		}
		b.WriteString("  " + until + ": " + clean(l.Text) + "\n")
	}
	return b.String()
}

func alarmText(al rota.Alarm) string {
	var parts []string
	if al.Late > 0 {
		parts = append(parts, "when it has not run "+al.Late.String()+" after it was due")
	}
	if al.Long > 0 {
		parts = append(parts, "when a job runs longer than "+al.Long.String())
	}
	if al.Fails > 0 {
		parts = append(parts, fmt.Sprintf("when it has failed %d times in a row", al.Fails))
	}
	text := strings.Join(parts, "; ")
	if len(al.To) > 0 {
		text += "; told to " + clean(strings.Join(al.To, ", "))
	}
	return text
}

func fireText(f *rota.Fire) string {
	switch {
	case f.Job == 0:
		return "skipped, " + clean(f.Skipped)
	case f.Jobs > 1:
		return strings.TrimRight(fmt.Sprintf("jobs %d-%d %s", f.Job, f.Job+rota.JobID(f.Jobs)-1, f.Result), " ")
	}
	return strings.TrimRight("job "+f.Job.String()+" "+string(f.Result), " ")
}

func (a *app) cronNextCommand() *cobra.Command {
	var zone string
	var count int
	cmd := &cobra.Command{
		Use:   "next [flags] NAME|EXPR",
		Short: "Show when a schedule, or an expression, is due next",
		Long: `Shows the next times of a schedule, or of an expression that no schedule has yet, with zone and offset, and the odd ones of the
year to come: those that a change of the clock skips or repeats. Needs no node for an expression.`,
		Example: examples("rota cron next nightly", "rota cron next '30 2 L * *' --tz America/New_York", "rota cron next @daily -n 3"),
		Args:    exactly("NAME|EXPR"),
	}
	cmd.Flags().StringVar(&zone, "tz", "", "time `zone` of an expression (default: this machine's)")
	cmd.Flags().IntVarP(&count, "count", "n", previewed, "how many")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if count < 1 || count > 1000 {
			return rota.Invalid("--count %d: from 1 to 1000", count)
		}
		s := rota.Schedule{Name: "this", Expr: args[0], Zone: cmp.Or(zone, localZone(os.LookupEnv, os.Readlink))}
		if !strings.ContainsAny(args[0], " @") {
			c, err := a.connect(cmd, wantRead)
			if err != nil {
				return err
			}
			defer c.Close()
			r, err := c.Schedule(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			s = r.Schedule
		} else if err := a.checkTiming(&s); err != nil {
			return err
		}
		return a.printNext(&s, count)
	}
	return cmd
}

func (a *app) printNext(s *rota.Schedule, count int) error {
	timing, err := s.Timing()
	if err != nil {
		return err
	}
	var text string
	times := timing.Coming(a.now(), count)
	for _, t := range times {
		text += zoned(t) + "\n"
	}
	if s.Rests() {
		a.note("rota: schedule %s is %s: it would be due then", clean(s.Name), scheduleState(s))
	}
	from := a.now().In(timing.Zone)
	for _, odd := range timing.Expr.Odd(from, from.AddDate(1, 0, 0)) {
		a.note("rota: %s", odd)
	}
	_, err = io.WriteString(a.out, text)
	return err
}
