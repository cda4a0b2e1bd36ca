package cli

import (
	"testing"
	"time"

	_ "time/tzdata"
)

func TestParseWhen(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 28, 14, 30, 15, 0, berlin) // a Saturday; the clock goes forward in the night
	for text, want := range map[string]string{
		"2026-05-01T10:00:00Z":      "2026-05-01T10:00:00Z",
		"2026-05-01t10:00:00+02:00": "2026-05-01T10:00:00+02:00",
		"2026-05-01 10:00:00Z":      "2026-05-01T10:00:00Z",
		"2026-05-01T10:00:00.5Z":    "2026-05-01T10:00:00.5Z",
		"2026-05-01 10:00":          "2026-05-01T10:00:00+02:00",
		"2026-01-02 15:04:05":       "2026-01-02T15:04:05+01:00",
		"2026-05-01":                "2026-05-01T00:00:00+02:00",
		"17:30":                     "2026-03-28T17:30:00+01:00",
		"9:00":                      "2026-03-29T09:00:00+02:00",
		"14:30":                     "2026-03-29T14:30:00+02:00",
		"5pm":                       "2026-03-28T17:00:00+01:00",
		"tomorrow 9:00":             "2026-03-29T09:00:00+02:00",
		"Tomorrow  Noon":            "2026-03-29T12:00:00+02:00",
		"tomorrow":                  "2026-03-29T00:00:00+01:00",
		"today 8:00":                "2026-03-28T08:00:00+01:00",
		"noon":                      "2026-03-29T12:00:00+02:00",
		"midnight":                  "2026-03-29T00:00:00+01:00",
		"monday 9:00":               "2026-03-30T09:00:00+02:00",
		"sat 8:00":                  "2026-04-04T08:00:00+02:00",
		"sat 18:00":                 "2026-03-28T18:00:00+01:00",
		"now":                       "2026-03-28T14:30:15+01:00",
		"now + 5 minutes":           "2026-03-28T14:35:15+01:00",
		"now+5min":                  "2026-03-28T14:35:15+01:00",
		"+90m":                      "2026-03-28T16:00:15+01:00",
		"+01:30:00":                 "2026-03-28T16:00:15+01:00",
		"in 2 hours":                "2026-03-28T16:30:15+01:00",
		"now + 1 day":               "2026-03-29T14:30:15+02:00", // of the calendar
		"+24h":                      "2026-03-29T15:30:15+02:00", // of time
		"now + 2 weeks":             "2026-04-11T14:30:15+02:00",
	} {
		got, err := parseWhen(text, now)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q = %v, %v; want %s", text, got.Format(time.RFC3339Nano), err, want)
		}
	}
	for _, text := range []string{"", "soon", "25:00", "tomorrow 25:00", "monday tuesday", "now +", "+", "now 5", "in", "-5m", "now - 5m", "2026-13-01", "+99999999999 days", "5", "::"} {
		if got, err := parseWhen(text, now); err == nil {
			t.Errorf("%q = %v, want an error", text, got)
		}
	}
}

func FuzzParseWhen(f *testing.F) {
	f.Add("now + 5 minutes")
	f.Add("tomorrow 9:00")
	now := time.Date(2026, 3, 28, 14, 30, 15, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseWhen(text, now); err == nil && got.IsZero() && text != "0001-01-01" {
			t.Skip()
		}
	})
}

func TestTimesAreShown(t *testing.T) {
	now := time.Date(2026, 3, 28, 14, 30, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{-90 * time.Second: "1m ago", -time.Second: "now", 300 * time.Millisecond: "now", 0: "now", 5 * time.Hour: "in 5h",
		-49 * time.Hour: "2d ago", 30 * time.Second: "in 30s"} {
		if got := relative(now.Add(d), now); got != want {
			t.Errorf("relative(%v) = %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-1: "0s", 300 * time.Microsecond: "<1ms", 12 * time.Millisecond: "12ms", 1234 * time.Millisecond: "1.2s",
		59 * time.Second: "59s", 61 * time.Second: "1m01s", 3700 * time.Second: "1h01m", 50 * time.Hour: "2d02h"} {
		if got := brief(d); got != want {
			t.Errorf("brief(%v) = %q, want %q", d, got, want)
		}
	}
}
