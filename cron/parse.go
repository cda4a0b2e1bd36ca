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
//	@hourly                                        0 * * * *
//	@daily, @midnight                              0 0 * * *
//	@weekly                                        0 0 * * 0
//	@monthly                                       0 0 1 * *
//	@yearly, @annually                             0 0 1 1 *
//	@every DURATION                                such as @every 90s
//
// The fields are minute 0-59, hour 0-23, day-of-month 1-31, month 1-12 or jan-dec, and day-of-week 0-7 or
// sun-sat, where both 0 and 7 are Sunday. A field is a list, separated by commas, of numbers or names, ranges
// a-b, the whole range *, and a range or * with a step: */5, 10-50/7. Case does not matter. As in Vixie's cron a
// step follows only a range or *, so 3/5 is refused (write 3-59/5); so are ranges that run backwards and steps
// larger than the field.
//
// Days are chosen as Vixie's cron does: a day must match both day fields if one of them begins with * (it is
// then unrestricted, although */2 still picks its values); if neither does, matching one of them is enough.
//
// The DURATION of @every is written as time.ParseDuration has it, in whole seconds and at least one.
//
// Errors are made to be read by whoever wrote the expression: they name the field and its text, and what is
// allowed there.
func Parse(expr string) (Schedule, error) {
	if len(expr) > maxLength {
		return Schedule{}, fmt.Errorf("expression of %d bytes: longer than the %d allowed", len(expr), maxLength)
	}
	words := strings.Fields(expr)
	if len(words) > 0 && words[0][0] == '@' {
		return parseMacro(words)
	}
	return parseFields(expr, words)
}

func parseFields(expr string, words []string) (Schedule, error) {
	if len(words) != 5 {
		return Schedule{}, fmt.Errorf("expression %q has %d fields; allowed: the five fields "+
			"minute hour day-of-month month day-of-week, or one of %s", expr, len(words), macroNames)
	}
	var s Schedule
	for i, place := range []struct {
		field field
		value *value
	}{
		{minuteField, &s.minute},
		{hourField, &s.hour},
		{dayOfMonthField, &s.dayOfMonth},
		{monthField, &s.month},
		{dayOfWeekField, &s.dayOfWeek},
	} {
		v, err := place.field.parse(words[i])
		if err != nil {
			return Schedule{}, err
		}
		*place.value = v
	}
	return s, nil
}

const macroNames = "@hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, @every DURATION"

func parseMacro(words []string) (Schedule, error) {
	name := strings.ToLower(words[0])
	if name == "@every" {
		return parseEvery(strings.Join(words[1:], " "))
	}
	if len(words) > 1 {
		return Schedule{}, fmt.Errorf("%q after macro %q: only @every is followed by something",
			strings.Join(words[1:], " "), words[0])
	}
	switch name {
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
