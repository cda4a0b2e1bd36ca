package cron

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// field says what one place of an expression may hold.
type field struct {
	name      string
	low, high int
	names     []string // in place of numbers; the first one means low
	sunday    int      // this number is another way to write low; 0 if there is none
	starRules bool     // whether a leading * changes the meaning beyond the values it stands for
	hashHigh  int      // the greatest number that H gives, if that is not high
	seed      *uint64  // what H is made of; nil: there is no name to make it of
	also      string   // what else an item may be, which stands for other days in each month; see special.go
}

// What the fields of days may also hold.
const (
	alsoDays     = ", L, L-n, nW, LW"
	alsoWeekdays = ", a#n, aL"
)

var (
	secondField     = field{name: "second", low: 0, high: 59}
	minuteField     = field{name: "minute", low: 0, high: 59}
	hourField       = field{name: "hour", low: 0, high: 23}
	dayOfMonthField = field{name: "day-of-month", low: 1, high: 31, starRules: true, hashHigh: 28, also: alsoDays}
	monthField      = field{name: "month", low: 1, high: 12, names: []string{
		"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}}
	dayOfWeekField = field{name: "day-of-week", low: 0, high: 6, sunday: 7, starRules: true, also: alsoWeekdays, names: []string{
		"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}
)

// value is what a field was found to hold.
type value struct {
	set     set
	special set // days that are others in each month: see specialDay and specialWeekday
	// star: in a field with starRules, the text began with *; in the others, the set is that of some
	// */n of three members or more, however it was written, so that equal sets are equal values.
	star bool
}

// parse reads the field's whole text, a list of items.
func (f field) parse(text string) (value, error) {
	var v value
	for item := range strings.SplitSeq(text, ",") {
		s, special, err := f.parseItem(item)
		if err != nil && item != text {
			return value{}, fmt.Errorf("%s %q in %q: %w", f.name, item, text, err)
		}
		if err != nil {
			return value{}, fmt.Errorf("%s %q: %w", f.name, text, err)
		}
		v.set |= s
		v.special |= special
	}
	if f.starRules {
		v.star = text[0] == '*'
	} else {
		v.star = v.set.len() >= 3 && v.set == f.every(f.starStep(v.set))
	}
	return v, nil
}

// parseItem reads one of *, a, a-b, */n, a-b/n, the same with H, and what is special in the field.
func (f field) parseItem(item string) (s, special set, err error) {
	if special, is, err := f.parseSpecial(item); is {
		return 0, special, err
	}
	body, stepText, stepped := strings.Cut(item, "/")
	step := 1
	if stepped {
		if step, err = f.parseStep(stepText); err != nil {
			return 0, 0, err
		}
	}
	switch {
	case body == "*":
		return f.every(step), 0, nil
	case strings.HasPrefix(strings.ToUpper(body), "H"):
		s, err = f.parseHash(body[1:], step, stepped)
	default:
		s, err = f.parseRange(body, step, stepText)
	}
	return s, 0, err
}

// parseRange reads a or a-b; a step may follow only the latter.
func (f field) parseRange(body string, step int, stepText string) (set, error) {
	first, last, ranged := strings.Cut(body, "-")
	from, err := f.parseNumber(first)
	if err != nil {
		return 0, err
	}
	if !ranged {
		if stepText != "" {
			return 0, fmt.Errorf("a step follows * or a range, for example %s-%d/%s", first, f.high, stepText)
		}
		return f.fold(1 << from), nil
	}
	to, err := f.parseNumber(last)
	if err != nil {
		return 0, err
	}
	if to < from {
		return 0, fmt.Errorf("the range runs backwards; write it as two: %s-%d,%d-%s", first, max(from, f.high), f.low, last)
	}
	return f.fold(progression(from, to, step)), nil
}

// parseStep reads what follows a slash. A step beyond the size of the field is refused, because who writes
// */90 for minutes would get every hour.
func (f field) parseStep(text string) (int, error) {
	size := f.high - f.low + 1
	if !isNumber(text) {
		return 0, fmt.Errorf("step %q is not a number; allowed: 1-%d", text, size)
	}
	if n, err := strconv.Atoi(text); err == nil && 1 <= n && n <= size {
		return n, nil
	}
	return 0, fmt.Errorf("step outside 1-%d", size)
}

// parseNumber reads a number or a name of the field.
func (f field) parseNumber(text string) (int, error) {
	if i := slices.Index(f.names, strings.ToLower(text)); i >= 0 {
		return f.low + i, nil
	}
	if !isNumber(text) {
		return 0, fmt.Errorf("not understood; allowed: %s, *, H, lists a,b, ranges a-b, steps */n and a-b/n%s", f.allowed(), f.also)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.low || n > max(f.high, f.sunday) {
		return 0, fmt.Errorf("outside %s", f.allowed())
	}
	return n, nil
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// allowed is the field's numbers and names, for errors.
func (f field) allowed() string {
	text := fmt.Sprintf("%d-%d", f.low, max(f.high, f.sunday))
	if len(f.names) > 0 {
		text += fmt.Sprintf(" or %s-%s", f.names[0], f.names[len(f.names)-1])
	}
	return text
}

// fold turns the other way to write low into low.
func (f field) fold(s set) set {
	if f.sunday > 0 && s.has(f.sunday) {
		s = s&^(1<<f.sunday) | 1<<f.low
	}
	return s
}

// every is the set that */step stands for.
func (f field) every(step int) set { return progression(f.low, f.high, step) }

// starStep is the smallest n such that s holds all of */n.
func (f field) starStep(s set) int {
	n := 1
	for n <= f.high && !s.contains(f.every(n)) {
		n++
	}
	return n
}
