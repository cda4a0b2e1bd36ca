package cron

import (
	"math"
	"testing"
	"time"
	_ "time/tzdata"
)

// dueTimes is a named case: the due times that follow one another after a start.
type dueTimes struct {
	name, expr, after string
	want              []string // none: never due
}

func (c dueTimes) run(t *testing.T, loc *time.Location) {
	t.Run(c.name, func(t *testing.T) {
		s := mustParse(t, c.expr)
		at := mustTime(t, c.after).In(loc)
		if len(c.want) == 0 {
			if got := s.Next(at); !got.IsZero() {
				t.Errorf("%q: Next(%s) = %s, want none", c.expr, at, got)
			}
		}
		for _, text := range c.want {
			want := mustTime(t, text)
			got := s.Next(at)
			if !got.Equal(want) || got.Location() != loc {
				t.Fatalf("%q: Next(%s) = %s, want %s", c.expr, at, got, want.In(loc))
			}
			if reads := got.Format(time.RFC3339); reads != text {
				t.Fatalf("the case says %s, the zone's clock %s", text, reads)
			}
			at = got
		}
	})
}

func mustParse(t testing.TB, expr string) Schedule {
	t.Helper()
	s, err := Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustTime(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func loadZone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestNext(t *testing.T) {
	for _, c := range []dueTimes{
		{"every minute", "* * * * *", "2026-01-01T00:00:00Z", []string{"2026-01-01T00:01:00Z"}},
		{"strictly after", "5 * * * *", "2026-01-01T00:05:00Z", []string{"2026-01-01T01:05:00Z"}},
		{"within the second before", "5 * * * *", "2026-01-01T00:04:59.999999999Z", []string{"2026-01-01T00:05:00Z"}},
		{"a nanosecond after", "5 * * * *", "2026-01-01T00:05:00.000000001Z", []string{"2026-01-01T01:05:00Z"}},
		{"within a minute", "*/5 * * * *", "2026-01-01T00:04:30Z", []string{"2026-01-01T00:05:00Z"}},
		{"before the epoch", "30 * * * *", "1969-12-31T22:45:10Z", []string{"1969-12-31T23:30:00Z", "1970-01-01T00:30:00Z"}},
		{"end of the hour", "10,50 * * * *", "2026-01-01T00:50:00Z", []string{"2026-01-01T01:10:00Z"}},
		{"end of the day", "30 9,17 * * *", "2026-01-01T17:30:00Z", []string{"2026-01-02T09:30:00Z"}},
		{"end of the month", "0 0 1 * *", "2026-01-01T00:00:00Z", []string{"2026-02-01T00:00:00Z"}},
		{"end of the year", "59 23 31 12 *", "2026-12-31T23:59:00Z", []string{"2027-12-31T23:59:00Z"}},
		{"steps start over", "*/7 * * * *", "2026-01-01T00:49:00Z", []string{"2026-01-01T00:56:00Z", "2026-01-01T01:00:00Z"}},
		{"months without a 31st", "0 12 31 * *", "2026-01-31T12:00:00Z",
			[]string{"2026-03-31T12:00:00Z", "2026-05-31T12:00:00Z", "2026-07-31T12:00:00Z", "2026-08-31T12:00:00Z"}},
		{"working days", "0 9 * * mon-fri", "2026-10-01T10:00:00Z", []string{"2026-10-02T09:00:00Z", "2026-10-05T09:00:00Z"}},
		{"Sunday as 7", "0 9 * * 7", "2026-10-01T10:00:00Z", []string{"2026-10-04T09:00:00Z", "2026-10-11T09:00:00Z"}},
		{"both days restricted: either", "0 0 13 * fri", "2026-02-01T00:00:00Z",
			[]string{"2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z", "2026-02-27T00:00:00Z",
				"2026-03-06T00:00:00Z", "2026-03-13T00:00:00Z"}},
		{"all days as a range are restricted: either", "0 0 1-31 * fri", "2026-02-01T00:00:00Z", []string{"2026-02-02T00:00:00Z"}},
		{"star in day-of-month: both", "0 0 */2 * fri", "2026-02-01T00:00:00Z", []string{"2026-02-13T00:00:00Z", "2026-02-27T00:00:00Z"}},
		{"star in day-of-week: both", "0 0 1-7 * */6", "2026-02-02T00:00:00Z", []string{"2026-02-07T00:00:00Z", "2026-03-01T00:00:00Z"}},
		{"leap day", "0 0 29 2 *", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		{"leap day over a century", "0 0 29 2 *", "2096-03-01T00:00:00Z", []string{"2104-02-29T00:00:00Z"}},
		{"every minute of a leap day over a century", "* * 29 2 *", "2096-03-01T00:00:00Z", []string{"2104-02-29T00:00:00Z", "2104-02-29T00:01:00Z"}},
		{"30 February", "0 0 30 2 *", "2026-01-01T00:00:00Z", nil},
		{"every minute of 30 February", "* * 30 2 *", "2026-01-01T00:00:00Z", nil},
		{"31st of the short months", "0 0 31 2,4,6,9,11 *", "2026-01-01T00:00:00Z", nil},
		{"30 February or a Monday in it", "0 0 30 2 1", "2026-01-01T00:00:00Z", []string{"2026-02-02T00:00:00Z"}},
		{"last year", "0 0 1 1 *", "9998-06-01T00:00:00Z", []string{"9999-01-01T00:00:00Z"}},
		{"after the last year", "0 0 1 1 *", "9999-06-01T00:00:00Z", nil},
		{"every after the last year", "@every 24h", "9999-12-31T00:00:01Z", nil},
		{"every", "@every 90s", "2026-01-01T00:00:00Z", []string{"2026-01-01T00:01:30Z", "2026-01-01T00:03:00Z"}},
		{"every follows the epoch", "@every 7h", "1970-01-01T00:00:01Z", []string{"1970-01-01T07:00:00Z", "1970-01-01T14:00:00Z"}},
		{"every before the epoch", "@every 7h", "1969-12-31T12:00:00Z", []string{"1969-12-31T17:00:00Z", "1970-01-01T00:00:00Z"}},
		{"every within a second", "@every 1s", "2026-01-01T00:00:00.5Z", []string{"2026-01-01T00:00:01Z"}},
		{"every before the epoch within a second", "@every 1s", "1969-12-31T23:59:58.5Z", []string{"1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"}},
	} {
		c.run(t, time.UTC)
	}
}

func TestNextZeroSchedule(t *testing.T) {
	var s Schedule
	if next := s.Next(time.Unix(0, 0)); !next.IsZero() || s.String() != "" {
		t.Errorf("zero schedule %q is due %s", s, next)
	}
}

// The ends of what a time.Time can hold: an answer of some kind, soon.
func TestNextExtremes(t *testing.T) {
	for _, expr := range []string{"* * * * *", "0 3 * * *", "0 0 30 2 *", "@every 2540400h"} {
		s := mustParse(t, expr)
		for _, loc := range []*time.Location{time.UTC, loadZone(t, "America/New_York"), time.FixedZone("far", 1e6)} {
			for _, unix := range []int64{math.MinInt64, math.MinInt64 / 2, -1 << 40, 0, 1 << 40, math.MaxInt64 / 2, math.MaxInt64} {
				from := time.Unix(unix, 0).In(loc)
				if next := s.Next(from); !next.IsZero() && !next.After(from) {
					t.Errorf("%q: Next(%s) = %s", expr, from, next)
				}
			}
		}
	}
	if next := mustParse(t, "* * * * *").Next(time.Time{}); !next.Equal(time.Time{}.Add(time.Minute)) {
		t.Errorf("after the zero time: %s", next)
	}
}

// Zones of our own making, farther from UTC than any on earth.
func TestNextFixedZone(t *testing.T) {
	for _, offset := range []int{-1e6, -90000, -12345, 1, 3600, 12345, 90000, 1e6} {
		loc := time.FixedZone("", offset)
		from := time.Date(2026, 1, 1, 12, 0, 0, 0, loc)
		want := time.Date(2026, 1, 2, 2, 30, 0, 0, loc)
		if got := mustParse(t, "30 2 * * *").Next(from); !got.Equal(want) {
			t.Errorf("UTC%+ds: due %s, want %s", offset, got, want)
		}
		want = time.Date(2026, 1, 1, 12, 30, 0, 0, loc)
		if got := mustParse(t, "30 * * * *").Next(from); !got.Equal(want) {
			t.Errorf("UTC%+ds: due %s, want %s", offset, got, want)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	loc := loadZone(b, "America/New_York")
	from := time.Date(2026, 3, 7, 12, 0, 0, 0, loc)
	for _, expr := range []string{"*/5 * * * *", "30 2 * * *", "0 0 1 1 *", "0 0 29 2 *", "* * 29 2 *", "0 0 31 2,4,6,9,11 *", "@every 90s"} {
		b.Run(expr, func(b *testing.B) {
			s := mustParse(b, expr)
			for b.Loop() {
				s.Next(from)
			}
		})
	}
}
