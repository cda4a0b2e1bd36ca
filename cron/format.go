package cron

import (
	"strconv"
	"strings"
	"time"
)

// String is the schedule's canonical text. Parsing it gives an equal Schedule.
func (s Schedule) String() string {
	switch {
	case s == Schedule{}:
		return ""
	case s.every > 0:
		return "@every " + formatPeriod(s.every)
	case s.at != 0:
		return "@at " + time.UnixMicro(s.at).UTC().Format(time.RFC3339Nano)
	case s.once:
		return "@once"
	}
	text := strings.Join([]string{
		minuteField.format(s.minute),
		hourField.format(s.hour),
		dayOfMonthField.format(s.dayOfMonth),
		monthField.format(s.month),
		dayOfWeekField.format(s.dayOfWeek),
	}, " ")
	if s.second.set != onTheMinute {
		text = secondField.format(s.second) + " " + text
	}
	return text
}

// formatPeriod is the text of a duration without the zeros that time.Duration puts at its end.
func formatPeriod(seconds int64) string {
	text := (time.Duration(seconds) * time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (f field) format(v value) string {
	var items []string
	switch {
	case v.star:
		step := f.starStep(v.set)
		text := "*"
		if step > 1 {
			text += "/" + strconv.Itoa(step)
		}
		items = append(items, text)
		if rest := v.set &^ f.every(step); rest != 0 {
			items = append(items, formatList(rest))
		}
	case v.set != 0:
		items = append(items, formatList(v.set))
	}
	items = append(items, f.formatSpecial(v.special)...)
	return strings.Join(items, ",")
}

// formatList writes a set as one range with a step if it is one, else as numbers and ranges.
func formatList(s set) string {
	if text, ok := formatProgression(s); ok {
		return text
	}
	var items []string
	for s != 0 {
		from := s.min()
		to := from
		for s.has(to + 1) {
			to++
		}
		if to < from+2 { // two neighbours are shorter as numbers
			to = from
		}
		items = append(items, formatRange(from, to))
		s &^= progression(from, to, 1)
	}
	return strings.Join(items, ",")
}

// formatProgression writes sets of three or more members at equal distances.
func formatProgression(s set) (string, bool) {
	if s.len() < 3 {
		return "", false
	}
	from, to := s.min(), s.max()
	next, _ := s.from(from + 1)
	step := next - from
	if s != progression(from, to, step) {
		return "", false
	}
	if step == 1 {
		return formatRange(from, to), true
	}
	return formatRange(from, to) + "/" + strconv.Itoa(step), true
}

func formatRange(from, to int) string {
	if from == to {
		return strconv.Itoa(from)
	}
	return strconv.Itoa(from) + "-" + strconv.Itoa(to)
}
