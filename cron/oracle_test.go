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

// oracle is an expression of five fields, numbers only, as a table of what matches.
type oracle struct {
	matches          [5][60]bool
	either, interval bool
}

func newOracle(expr string) oracle {
	var o oracle
	texts := strings.Fields(expr)
	for i, bounds := range [5][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}} {
		for item := range strings.SplitSeq(texts[i], ",") {
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

func (o *oracle) matchesDay(year int, month time.Month, day int, weekday time.Weekday) bool {
	ofMonth, ofWeek := o.matches[2][day], o.matches[4][weekday]
	if o.either {
		return o.matches[3][month] && (ofMonth || ofWeek)
	}
	return o.matches[3][month] && ofMonth && ofWeek
}

// face is what a clock on the wall shows: the Unix time of a clock in UTC that shows the same, and its parts.
type face struct {
	wall                      int64
	second, minute, hour, day uint8
	month                     time.Month
	weekday                   time.Weekday
}

func newFace(t time.Time) face {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	wall := time.Date(year, month, day, hour, minute, second, 0, time.UTC).Unix()
	return face{wall, uint8(second), uint8(minute), uint8(hour), uint8(day), month, t.Weekday()}
}

func (o *oracle) matchesFace(f *face) bool {
	return f.second == 0 && o.matches[0][f.minute] && o.matches[1][f.hour] &&
		o.matchesDay(0, f.month, int(f.day), f.weekday)
}

// lead is how long before the time in question a walk begins, so as to know what the clock has shown already.
const lead = 2 * secondsPerDay

// walk is what the clock of a zone shows from one instant to another.
type walk struct {
	from     int64 // what is due at this instant or later is known
	instants []int64
	faces    []face        // at each instant
	minutes  []face        // each minute of the calendar from the first face to the last, whether shown or not
	first    map[int64]int // wall → the first index at which it was shown
}

// newWalk looks once a minute, or once a second where the clock does not keep to whole minutes of UTC.
func newWalk(loc *time.Location, from, to int64) *walk {
	begin := from - lead
	step := int64(60)
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
	for wall := low - low%60 + 60; wall <= high; wall += 60 {
		w.minutes = append(w.minutes, newFace(time.Unix(wall, 0).UTC()))
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
		for i := range w.minutes {
			if o.matchesFace(&w.minutes[i]) {
				due = append(due, w.instants[w.runs(w.minutes[i].wall)])
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
