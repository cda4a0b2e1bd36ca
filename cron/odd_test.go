package cron

import (
	"testing"
	"time"
)

func TestOdd(t *testing.T) {
	for _, c := range []struct {
		name, zone, expr, after string
		want                    []string
	}{
		{"skipped and made up for", "America/New_York", "30 2 * * *", "2026-01-01T00:00:00-05:00",
			[]string{"Sun 2026-03-08 02:30 is skipped by the clock, which goes forward: due once, at 03:00:00 EDT -04:00"}},
		{"twice on the wall", "America/New_York", "30 1 * * *", "2026-01-01T00:00:00-05:00",
			[]string{"Sun 2026-11-01 01:30 comes twice, as the clock goes back: due the first time only, at 01:30:00 EDT -04:00"}},
		{"interval", "Europe/Berlin", "*/20 * * * *", "2026-01-01T00:00:00+01:00",
			[]string{"Sun 2026-03-29 02:00 is skipped by the clock, which goes forward: not due then",
				"Sun 2026-10-25 02:00 comes twice, as the clock goes back: due both times"}},
		{"seconds", "Europe/Berlin", "15 30 2 * * *", "2026-01-01T00:00:00+01:00",
			[]string{"Sun 2026-03-29 02:30:15 is skipped by the clock, which goes forward: due once, at 03:00:00 CEST +02:00",
				"Sun 2026-10-25 02:30:15 comes twice, as the clock goes back: due the first time only, at 02:30:15 CEST +02:00"}},
		{"midnight skipped", "America/Santiago", "@daily", "2026-06-01T00:00:00-04:00",
			[]string{"Sun 2026-09-06 00:00 is skipped by the clock, which goes forward: due once, at 01:00:00 -03 -03:00"}},
		{"never near a change", "America/New_York", "0 12 * * *", "2026-01-01T00:00:00-05:00", nil},
		{"not on that day", "America/New_York", "30 2 * * mon", "2026-01-01T00:00:00-05:00", nil},
		{"no changes", "UTC", "30 2 * * *", "2026-01-01T00:00:00Z", nil},
		{"elapsed time", "America/New_York", "@every 1h", "2026-01-01T00:00:00-05:00", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			after := mustTime(t, c.after).In(loadZone(t, c.zone))
			odd := mustParse(t, c.expr).Odd(after, after.AddDate(1, 0, 0))
			if len(odd) != len(c.want) {
				t.Fatalf("odd times %v, want %q", odd, c.want)
			}
			for i, o := range odd {
				if o.String() != c.want[i] {
					t.Errorf("%s\nwant %s", o, c.want[i])
				}
			}
		})
	}
}

// What Odd says is what Next does.
func TestOddAgreesWithNext(t *testing.T) {
	for _, zone := range []string{"America/New_York", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca", "Antarctica/Troll"} {
		loc := loadZone(t, zone)
		for _, expr := range expressions {
			s := mustParse(t, expr)
			for _, o := range s.Odd(time.Date(2026, 1, 1, 0, 0, 0, 0, loc), time.Date(2027, 1, 1, 0, 0, 0, 0, loc)) {
				if o.Due.IsZero() {
					continue
				}
				if next := s.Next(o.Due.Add(-time.Second)); !next.Equal(o.Due) {
					t.Errorf("%q in %s: %s, but Next says %s", expr, zone, o, next)
				}
				if again := s.Next(o.Due); !o.Gap && !o.Interval && again.Before(o.Due.Add(30*time.Minute)) && again.UTC().Format("04") == o.Due.UTC().Format("04") {
					t.Errorf("%q in %s: %s, but once more at %s", expr, zone, o, again)
				}
			}
		}
	}
}
