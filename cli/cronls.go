package cli

import (
	"cmp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

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
			return scheduleState(&s)
		}},
		{head: "NEXT", cell: nextCell},
		{head: "LAST", cell: lastCell},
		{head: "ALARM", cell: alarmCell},
		{head: "ON", cell: func(s rota.Schedule, _ style) string { return cmp.Or(s.On, rota.OnAny) }, wide: true},
		{head: "MISSED", cell: func(s rota.Schedule, _ style) string { return string(s.Missed) }, wide: true},
		{head: "OVERLAP", cell: func(s rota.Schedule, _ style) string { return string(s.Overlap) }, wide: true},
		{head: "USER", cell: func(s rota.Schedule, _ style) string { return s.By }, wide: true},
		{head: "COMMAND", cell: func(s rota.Schedule, _ style) string { return s.Spec.Command() }},
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
	if s.Last == nil {
		return ""
	}
	return st.at(s.Last.Due) + ": " + fireText(s.Last)
}

// comingCell are the next times of a schedule, from the one that the store waits for on.
func comingCell(s rota.Schedule, st style) string {
	var parts []string
	for _, t := range comingOf(&s, st.now) {
		parts = append(parts, zoned(t))
	}
	return strings.Join(parts, ", ")
}

// comingOf are the next times of a schedule, none of one that rests.
func comingOf(s *rota.Schedule, now time.Time) []time.Time {
	timing, err := s.Timing()
	if err != nil || s.Next.IsZero() {
		return nil
	}
	if s.Next.After(now) {
		now = s.Next.Add(-time.Nanosecond)
	}
	return timing.Coming(now, previewed)
}

// scheduleState is a word for how a schedule stands.
func scheduleState(s *rota.Schedule) string {
	switch {
	case s.Ended:
		return "ended"
	case s.Held:
		return "held"
	case s.Paused:
		return "paused"
	case s.Next.IsZero():
		return "finished"
	case len(s.Alarms) > 0:
		return "alarm"
	}
	return "active"
}

func alarmCell(s rota.Schedule, st style) string {
	var parts []string
	for _, a := range s.Alarms {
		parts = append(parts, a.Text)
	}
	return strings.Join(parts, "; ")
}
