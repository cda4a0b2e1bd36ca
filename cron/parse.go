package cron

import (
	"fmt"
	"strings"
	"time"
)

// maxLength bounds what Parse reads, in bytes. The longest useful expression, every second number of every
// field written out, is far shorter.
const maxLength = 1000

// Parse reads a cron expression. These are allowed:
//
//	minute hour day-of-month month day-of-week     such as 30 9 * * mon-fri
//	second minute hour …                           the same with seconds before it, such as */10 * * * * *
//	@hourly                                        0 * * * *
//	@daily, @midnight                              0 0 * * *
//	@weekly                                        0 0 * * 0
//	@monthly                                       0 0 1 * *
//	@yearly, @annually                             0 0 1 1 *
//	@every DURATION                                such as @every 90s
//	@at TIME                                       once, at a time such as 2026-12-24T18:00:00+01:00
//	@once                                          once, as soon as it is made: see [Schedule.IsOnce]
//
// The fields are second 0-59, minute 0-59, hour 0-23, day-of-month 1-31, month 1-12 or jan-dec, and day-of-week 0-7 or
// sun-sat, where both 0 and 7 are Sunday. A field is a list, separated by commas, of numbers or names, ranges
// a-b, the whole range *, and a range or * with a step: */5, 10-50/7. Case does not matter. As in Vixie's cron a
// step follows only a range or *, so 3/5 is refused (write 3-59/5); so are ranges that run backwards and steps
// larger than the field.
//
// Some items stand for other days in each month. Days of the month may be L, the last; L-3, three days before it; 15W,
// the weekday (Monday to Friday) that is nearest to the 15th within the month; LW, the last weekday. Days of the week may be
// 5#3, the third Friday of the month, and 5L, its last Friday.
//
// H is a number that is made of the schedule's name, so that schedules spread without anybody choosing: see [ParseFor].
//
// Days are chosen as Vixie's cron does: a day must match both day fields if one of them begins with * (it is
// then unrestricted, although */2 still picks its values); if neither does, matching one of them is enough.
//
// The DURATION of @every is written as time.ParseDuration has it, in whole seconds and at least one.
//
// Errors are made to be read by whoever wrote the expression: they name the field and its text, and what is
// allowed there.
func Parse(expr string) (Schedule, error) { return parse(expr, nil) }

// ParseFor is Parse for the schedule of that name, of which H is made: the same number for the same name, always and
// everywhere. H is one number of the field (of days of the month 1 to 28), H(a-b) one of a range; H/n and H(a-b)/n are every
// n-th one, from where in the first n the name says.
func ParseFor(name, expr string) (Schedule, error) { return parse(expr, &name) }

func parse(expr string, name *string) (Schedule, error) {
	if len(expr) > maxLength {
		return Schedule{}, fmt.Errorf("expression of %d bytes: longer than the %d allowed", len(expr), maxLength)
	}
	words := strings.Fields(expr)
	if len(words) > 0 && words[0][0] == '@' {
		return parseMacro(words)
	}
	return parseFields(expr, words, name)
}

// onTheMinute are the seconds of an expression that has no field for them.
const onTheMinute set = 1

func parseFields(expr string, words []string, name *string) (Schedule, error) {
	if len(words) != 5 && len(words) != 6 {
		return Schedule{}, fmt.Errorf("expression %q has %d fields; allowed: the five fields "+
			"minute hour day-of-month month day-of-week, six with seconds before them, or one of %s", expr, len(words), macroNames)
	}
	s := Schedule{second: value{set: onTheMinute}}
	places := []struct {
		field field
		value *value
	}{
		{secondField, &s.second},
		{minuteField, &s.minute},
		{hourField, &s.hour},
		{dayOfMonthField, &s.dayOfMonth},
		{monthField, &s.month},
		{dayOfWeekField, &s.dayOfWeek},
	}
	for i, place := range places[6-len(words):] {
		if name != nil {
			place.field.seed = seedOf(*name, place.field.name)
		}
		v, err := place.field.parse(words[i])
		if err != nil {
			return Schedule{}, err
		}
		*place.value = v
	}
	return s, nil
}

const macroNames = "@hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, @every DURATION, @at TIME, @once"

func parseMacro(words []string) (Schedule, error) {
	name := strings.ToLower(words[0])
	if name == "@every" {
		return parseEvery(strings.Join(words[1:], " "))
	}
	if name == "@at" {
		return parseAt(strings.Join(words[1:], " "))
	}
	if len(words) > 1 {
		return Schedule{}, fmt.Errorf("%q after macro %q: only @every and @at are followed by something",
			strings.Join(words[1:], " "), words[0])
	}
	switch name {
	case "@once":
		return Schedule{once: true}, nil
	case "@hourly":
		return Parse("0 * * * *")
	case "@daily", "@midnight":
		return Parse("0 0 * * *")
	case "@weekly":
		return Parse("0 0 * * 0")
	case "@monthly":
		return Parse("0 0 1 * *")
	case "@yearly", "@annually":
		return Parse("0 0 1 1 *")
	}
	return Schedule{}, fmt.Errorf("macro %q: not known; allowed: %s", words[0], macroNames)
}

func parseEvery(text string) (Schedule, error) {
	d, err := time.ParseDuration(text)
	wrong := ""
	switch {
	case err != nil:
		wrong = "not a duration"
	case d < time.Second:
		wrong = "shorter than 1s"
	case d%time.Second != 0:
		wrong = "not in whole seconds"
	default:
		return Schedule{every: int64(d / time.Second)}, nil
	}
	return Schedule{}, fmt.Errorf("@every %q: %s; allowed: whole seconds, 1s or more, such as 90s, 5m or 1h30m", text, wrong)
}

func parseAt(text string) (Schedule, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return Schedule{}, fmt.Errorf("@at %q: not a time; allowed: a date, a time and where, such as 2026-12-24T18:00:00+01:00", text)
	}
	if y := at.UTC().Year(); y < 1970 || y > lastYear || at.UnixMicro() <= 0 {
		return Schedule{}, fmt.Errorf("@at %q: outside the years 1970 to %d", text, lastYear)
	}
	return Schedule{at: at.UnixMicro()}, nil
}
