package cron

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// specialItems are items of the fields of days, by the bounds of the field, as the oracle reads them.
var specialItems = map[[2]int][]string{
	{1, 31}: {"L", "L-1", "L-3", "L-27", "1W", "2W", "15W", "28W", "30W", "31W", "LW"},
	{0, 7}:  {"0#1", "1#5", "3#2", "5#3", "7#4", "0L", "1L", "5L", "6L", "7L"},
}

// fieldText draws the text of a field, in numbers, so that the oracle can read it too.
func fieldText(low, high int) *rapid.Generator[string] {
	item := rapid.Custom(func(t *rapid.T) string {
		from := rapid.IntRange(low, high).Draw(t, "from")
		to := rapid.IntRange(from, high).Draw(t, "to")
		step := rapid.IntRange(1, high-low).Draw(t, "step")
		return rapid.SampledFrom([]string{
			strconv.Itoa(from),
			fmt.Sprintf("%d-%d", from, to),
			fmt.Sprintf("%d-%d/%d", from, to, step),
			fmt.Sprintf("*/%d", step),
		}).Draw(t, "item")
	})
	others := specialItems[[2]int{low, high}]
	list := rapid.Custom(func(t *rapid.T) string {
		items := rapid.SliceOfN(item, 1, 4).Draw(t, "items")
		if others != nil && rapid.Bool().Draw(t, "special") {
			items = append(items[:rapid.IntRange(0, len(items)).Draw(t, "of them")], rapid.SampledFrom(others).Draw(t, "special item"))
		}
		return strings.Join(items, ",")
	})
	return rapid.OneOf(rapid.Just("*"), list)
}

func expressionText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join([]string{
			fieldText(0, 59).Draw(t, "minute"),
			fieldText(0, 23).Draw(t, "hour"),
			fieldText(1, 31).Draw(t, "day-of-month"),
			fieldText(1, 12).Draw(t, "month"),
			fieldText(0, 7).Draw(t, "day-of-week"),
		}, " ")
	})
}

// instant draws a time of the years 1970 to 2037, half of them near a change of the zone's clock.
func instant(changes []int64, loc *time.Location) *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		at := rapid.Int64Range(0, 2_145_916_800).Draw(t, "at")
		if len(changes) > 0 && rapid.Bool().Draw(t, "near a change") {
			at = rapid.SampledFrom(changes).Draw(t, "change") +
				rapid.Int64Range(-secondsPerDay, secondsPerDay).Draw(t, "beside it")
		}
		return time.Unix(at, rapid.SampledFrom([]int64{0, 0, 1, 999_999_999}).Draw(t, "nanoseconds")).In(loc)
	})
}

func TestNextProperties(t *testing.T) {
	zones := map[string][]int64{}
	for _, name := range []string{
		"UTC", "America/New_York", "America/Santiago", "Africa/Casablanca", "Asia/Beirut",
		"Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "Antarctica/Troll", "Asia/Kolkata",
	} {
		zones[name] = transitions(loadZone(t, name), 1970, 2037)
	}
	names := slices.Sorted(maps.Keys(zones))
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "zone")
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		expr := expressionText().Draw(t, "expression")
		s, err := Parse(expr)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(s.String()); err != nil || again != s {
			t.Fatalf("%q is %q, which is %q, %v", expr, s, again, err)
		}
		from := instant(zones[name], loc).Draw(t, "from")
		next := s.Next(from)
		o := newOracle(expr)
		if next.IsZero() {
			if o.everMatches() {
				t.Fatalf("%q is never due after %s", expr, from)
			}
			return
		}
		checkNext(t, s, &o, from, next)
	})
}

// everMatches looks for a matching day through all of the calendar.
func (o *oracle) everMatches() bool {
	day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for range 400*365 + 97 {
		if o.matchesDay(day) {
			return true
		}
		day = day.AddDate(0, 0, 1)
	}
	return false
}

func checkNext(t *rapid.T, s Schedule, o *oracle, from, next time.Time) {
	loc := from.Location()
	if !next.After(from) || next.Location() != loc {
		t.Fatalf("Next(%s) = %s", from, next)
	}
	_, offset := next.Zone()
	_, before := next.Add(-time.Second).Zone()
	if (next.Second() != 0 || next.Nanosecond() != 0) && offset <= before {
		t.Fatalf("Next(%s) = %s: neither a whole minute nor the end of a gap", from, next)
	}
	between := from.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(from))-1).Draw(t, "between")))
	if again := s.Next(between); !again.Equal(next) {
		t.Fatalf("Next(%s) = %s, but Next(%s) = %s", from, next, between, again)
	}
	// The oracle is too slow to walk through years: it looks at three days after from and two before next.
	end := next.Unix()
	for _, w := range []*walk{
		newWalk(loc, from.Unix()+1, min(end, from.Unix()+3*secondsPerDay)),
		newWalk(loc, max(from.Unix()+1, end-2*secondsPerDay), end),
	} {
		for _, due := range w.due(o) {
			if due != end {
				t.Fatalf("Next(%s) = %s, but it is due at %s", from, next, time.Unix(due, 0).In(loc))
			}
		}
	}
	if due := newWalk(loc, end, end).due(o); !slices.Equal(due, []int64{end}) {
		t.Fatalf("Next(%s) = %s, but the oracle has %v then", from, next, due)
	}
}

func TestNextEveryProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(1, 100*365*secondsPerDay).Draw(t, "seconds")
		s, err := Parse(fmt.Sprintf("@every %ds", seconds))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(s.String()); err != nil || again != s {
			t.Fatalf("%q, parsed again %q, %v", s, again, err)
		}
		from := time.Unix(rapid.Int64Range(-1e10, 1e10).Draw(t, "from"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
		next := s.Next(from)
		if wait := next.Sub(from); wait <= 0 || wait > time.Duration(seconds)*time.Second || next.Unix()%seconds != 0 || next.Nanosecond() != 0 {
			t.Fatalf("%q: Next(%s) = %s", s, from, next)
		}
	})
}
