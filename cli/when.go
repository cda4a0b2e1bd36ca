package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// parseWhen reads a time as people write it: RFC 3339, "2026-01-02 15:04", "15:04" (the next one), "tomorrow 9:00",
// "friday 17:30", "noon", "now + 5 minutes", "+90m". A time without a zone is the zone of now.
func parseWhen(text string, now time.Time) (time.Time, error) {
	s := strings.ToLower(strings.Join(strings.Fields(text), " "))
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04Z07:00",
		"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, strings.ToUpper(s), now.Location()); err == nil {
			return t, nil
		}
	}
	if t, ok := parseOffset(s, now); ok {
		return t, nil
	}
	if t, ok := parseDay(s, now); ok {
		return t, nil
	}
	return time.Time{}, rota.Invalid("time %q: not understood", text).
		WithFix("write 15:04, tomorrow 9:00, friday 17:30, 2026-01-02 15:04, 2026-01-02T15:04:05Z, now + 5 minutes or +90m")
}

// parseOffset reads "now", "now + 5 minutes", "+90m" and "in 2 days". Days and weeks are those of the calendar.
func parseOffset(s string, now time.Time) (time.Time, bool) {
	rest, isNow := strings.CutPrefix(s, "now")
	rest = strings.TrimSpace(rest)
	if isNow && rest == "" {
		return now, true
	}
	after, plus := strings.CutPrefix(rest, "+")
	if in, ok := strings.CutPrefix(rest, "in "); ok && !isNow {
		after, plus = in, true
	}
	if !plus {
		return time.Time{}, false
	}
	after = strings.TrimSpace(after)
	count, unit, spaced := strings.Cut(after, " ")
	if !spaced {
		unit = strings.TrimLeft(after, "0123456789")
		count = strings.TrimSuffix(after, unit)
	}
	if n, err := strconv.ParseUint(count, 10, 31); err == nil {
		if t, ok := addUnits(now, int(n), unit); ok {
			return t, true
		}
	}
	d, err := rota.ParseDuration(after)
	return now.Add(d.D()), err == nil && after != ""
}

func addUnits(t time.Time, n int, unit string) (time.Time, bool) {
	switch unit {
	case "s", "sec", "secs", "second", "seconds":
		return t.Add(time.Duration(n) * time.Second), true
	case "m", "min", "mins", "minute", "minutes":
		return t.Add(time.Duration(n) * time.Minute), true
	case "h", "hour", "hours":
		return t.Add(time.Duration(n) * time.Hour), true
	case "d", "day", "days":
		return t.AddDate(0, 0, n), n < 100_000
	case "w", "week", "weeks":
		return t.AddDate(0, 0, 7*n), n < 10_000
	}
	return t, false
}

// parseDay reads a time of day, a day, or both: "15:04", "tomorrow", "friday 9:00".
func parseDay(s string, now time.Time) (time.Time, bool) {
	day, clockText, two := strings.Cut(s, " ")
	ahead, named := dayAhead(day, now)
	if !named {
		if two {
			return time.Time{}, false
		}
		clockText = day
	}
	hour, minute, second, ok := parseClock(clockText)
	if !ok && !(named && clockText == "") {
		return time.Time{}, false
	}
	at := func(ahead int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+ahead, hour, minute, second, 0, now.Location())
	}
	t := at(ahead)
	if !named && !t.After(now) {
		t = at(1)
	}
	if named && ahead == 0 && day != "today" && !t.After(now) {
		t = at(7) // a weekday that is today, at a time that is over
	}
	return t, true
}

// dayAhead is how many days ahead a named day is.
func dayAhead(name string, now time.Time) (int, bool) {
	switch name {
	case "today":
		return 0, true
	case "tomorrow":
		return 1, true
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if full := strings.ToLower(d.String()); name == full || name == full[:3] {
			return int(d-now.Weekday()+7) % 7, true
		}
	}
	return 0, false
}

func parseClock(s string) (hour, minute, second int, ok bool) {
	switch s {
	case "noon":
		return 12, 0, 0, true
	case "midnight":
		return 0, 0, 0, true
	}
	for _, layout := range []string{"15:04:05", "15:04", "3:04pm", "3:04 pm", "3pm", "3 pm"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Hour(), t.Minute(), t.Second(), true
		}
	}
	return 0, 0, 0, false
}
