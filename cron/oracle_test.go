package cron

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The oracle is the rule of Next once more, as plainly as can be: it walks through real time, minute by
// minute, looks at the clock, and shares nothing with the package, neither parser nor arithmetic.

// oracle is an expression of five or six fields, numbers only, as a table of what matches.
type oracle struct {
	matches          [5][60]bool
	seconds          [60]bool
	special          [2][]string // L, L-n, nW and LW of the month; a#n and aL of the week
	either, interval bool
}

func newOracle(expr string) oracle {
	var o oracle
	texts := strings.Fields(expr)
	o.seconds[0] = true
	if len(texts) == 6 {
		o.seconds = newOracle(texts[0] + " * * * *").matches[0]
		texts = texts[1:]
	}
	for i, bounds := range [5][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}} {
		for item := range strings.SplitSeq(texts[i], ",") {
			if strings.ContainsAny(item, "LW#") {
				o.special[i/4] = append(o.special[i/4], item)
				continue
			}
			body, stepText, _ := strings.Cut(item, "/")
			from, to, ranged := strings.Cut(body, "-")
			if !ranged {
				to = from
			}
			low, high, step := number(from, 0), number(to, 0), number(stepText, 1)
			if body == "*" {
				low, high = bounds[0], bounds[1]
			}
			for n := low; n <= high; n += step {
				o.matches[i][n] = true
			}
		}
	}
	o.matches[4][0] = o.matches[4][0] || o.matches[4][7]
	o.either = texts[2][0] != '*' && texts[4][0] != '*'
	o.interval = !slices.Contains(o.matches[1][:24], false)
	return o
}

func number(text string, without int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return without
}

// matchesDay looks at a day on the calendar.
func (o *oracle) matchesDay(day time.Time) bool {
	ofMonth, ofWeek := o.matches[2][day.Day()], o.matches[4][day.Weekday()]
	for _, item := range o.special[0] {
		ofMonth = ofMonth || isSpecialDay(item, day)
	}
	for _, item := range o.special[1] {
		ofWeek = ofWeek || isSpecialWeekday(item, day)
	}
	if o.either {
		return o.matches[3][day.Month()] && (ofMonth || ofWeek)
	}
	return o.matches[3][day.Month()] && ofMonth && ofWeek
}

// isSpecialDay asks of one day, by looking at its neighbours, what the package finds by reckoning.
func isSpecialDay(item string, day time.Time) bool {
	ahead := func(days int) time.Time { return day.AddDate(0, 0, days) }
	isLast := func(t time.Time) bool { return t.AddDate(0, 0, 1).Month() != t.Month() }
	works := day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
	if item == "LW" {
		return works && (isLast(day) || day.Weekday() == time.Friday && (isLast(ahead(1)) || isLast(ahead(2))))
	}
	if text, near := strings.CutSuffix(item, "W"); near {
		n := number(text, 0)
		is := func(t time.Time) bool { return t.Month() == day.Month() && t.Day() == n }
		return works && (is(day) ||
			day.Weekday() == time.Friday && is(ahead(1)) ||
			day.Weekday() == time.Monday && is(ahead(-1)) ||
			day.Weekday() == time.Monday && is(ahead(-2)) && n == 1 ||
			day.Weekday() == time.Friday && is(ahead(2)) && isLast(ahead(2)))
	}
	before, _ := strings.CutPrefix(item, "L-")
	return isLast(ahead(number(before, 0))) && ahead(number(before, 0)).Month() == day.Month()
}

func isSpecialWeekday(item string, day time.Time) bool {
	if text, last := strings.CutSuffix(item, "L"); last {
		return int(day.Weekday()) == number(text, 0)%7 && day.AddDate(0, 0, 7).Month() != day.Month()
	}
	text, nth, _ := strings.Cut(item, "#")
	return int(day.Weekday()) == number(text, 0)%7 && (day.Day()+6)/7 == number(nth, 0)
}

// face is what a clock on the wall shows: the Unix time of a clock in UTC that shows the same, and its parts.
type face struct {
	wall                 int64
	second, minute, hour uint8
}

func newFace(t time.Time) face {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	wall := time.Date(year, month, day, hour, minute, second, 0, time.UTC).Unix()
	return face{wall, uint8(second), uint8(minute), uint8(hour)}
}

func (o *oracle) matchesFace(f *face) bool {
	return o.seconds[f.second] && o.matches[0][f.minute] && o.matches[1][f.hour] && o.matchesDay(time.Unix(f.wall, 0).UTC())
}

// lead is how long before the time in question a walk begins, so as to know what the clock has shown already.
const lead = 2 * secondsPerDay

// walk is what the clock of a zone shows from one instant to another.
type walk struct {
	from     int64 // what is due at this instant or later is known
	instants []int64
	faces    []face        // at each instant
	calendar []face        // each minute (or second) of the calendar from the first face to the last, whether shown or not
	first    map[int64]int // wall → the first index at which it was shown
}

// newWalk looks once a minute, or once a second where the clock does not keep to whole minutes of UTC.
func newWalk(loc *time.Location, from, to int64) *walk { return newWalkOf(loc, from, to, lead, 60) }

// newWalkOf looks at each unit of the calendar, 60 or 1, which must be 60 for expressions of five fields and 1 for those of six.
func newWalkOf(loc *time.Location, from, to, lead, unit int64) *walk {
	begin := from - lead
	step := unit
	for at := begin; at <= to; at += 900 {
		if _, offset := time.Unix(at, 0).In(loc).Zone(); offset%60 != 0 {
			step = 1
		}
	}
	size := (to-begin)/step + 2
	w := &walk{from: from, instants: make([]int64, 0, size), faces: make([]face, 0, size), first: make(map[int64]int, size)}
	for at := begin - begin%60; at <= to; at += step {
		f := newFace(time.Unix(at, 0).In(loc))
		if _, shown := w.first[f.wall]; !shown {
			w.first[f.wall] = len(w.faces)
		}
		w.instants = append(w.instants, at)
		w.faces = append(w.faces, f)
	}
	low, high := w.faces[0].wall, w.faces[0].wall
	for _, f := range w.faces {
		low, high = min(low, f.wall), max(high, f.wall)
	}
	for wall := low - low%unit + unit; wall <= high; wall += unit {
		w.calendar = append(w.calendar, newFace(time.Unix(wall, 0).UTC()))
	}
	return w
}

// due lists the instants, from w.from on, at which the expression is due.
func (w *walk) due(o *oracle) []int64 {
	var due []int64
	if o.interval {
		for i := range w.faces {
			if o.matchesFace(&w.faces[i]) {
				due = append(due, w.instants[i])
			}
		}
	} else {
		for i := range w.calendar {
			if o.matchesFace(&w.calendar[i]) {
				due = append(due, w.instants[w.runs(w.calendar[i].wall)])
			}
		}
	}
	slices.Sort(due)
	due = slices.Compact(due)
	known, _ := slices.BinarySearch(due, w.from)
	return due[known:]
}

// runs is the index at which a minute of the wall counts: when it is first shown, else after the gap that it is in.
func (w *walk) runs(wall int64) int {
	if i, shown := w.first[wall]; shown {
		return i
	}
	for i := 1; i < len(w.faces); i++ {
		if w.faces[i-1].wall < wall && wall < w.faces[i].wall {
			return i
		}
	}
	panic("a minute neither shown nor skipped")
}

// transitions finds by looking every half hour, then at every second, when a zone's clock was changed.
func transitions(loc *time.Location, fromYear, toYear int) []int64 {
	var changes []int64
	offset := func(at int64) int {
		_, seconds := time.Unix(at, 0).In(loc).Zone()
		return seconds
	}
	at := time.Date(fromYear, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	end := time.Date(toYear+1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for before := offset(at); at < end; at += 1800 {
		after := offset(at + 1800)
		if before == after {
			continue
		}
		for second := at + 1; second <= at+1800; second++ {
			if offset(second) == after {
				changes = append(changes, second)
				break
			}
		}
		before = after
	}
	return changes
}

// check holds Next against the oracle from w.from on: over the chain of due times, and from instants between.
func (w *walk) check(t *testing.T, expr string, loc *time.Location) (checked int) {
	t.Helper()
	s, o := mustParse(t, expr), newOracle(expr)
	end := w.instants[len(w.instants)-1]
	due := w.due(&o)
	probe := func(from time.Time) {
		checked++
		i, found := slices.BinarySearch(due, from.Unix())
		if found { // due at the whole second at which, or within which, we ask
			i++
		}
		next := s.Next(from)
		switch {
		case i < len(due) && next.Unix() != due[i]:
			t.Fatalf("%q in %s: Next(%s) = %s, want %s", expr, loc, from, next, time.Unix(due[i], 0).In(loc))
		case i == len(due) && !next.IsZero() && next.Unix() <= end:
			t.Fatalf("%q in %s: Next(%s) = %s, want none until %s", expr, loc, from, next, time.Unix(end, 0).In(loc))
		}
	}
	for _, at := range due {
		probe(time.Unix(at-1, 999_999_999).In(loc))
		probe(time.Unix(at, 0).In(loc))
	}
	for at := w.from; at < end; at += 47 * 60 {
		probe(time.Unix(at, 0).In(loc))
		probe(time.Unix(at, 1).In(loc))
	}
	return checked
}
