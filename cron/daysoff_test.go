package cron

import (
	"strings"
	"testing"
	"time"
)

const holidays = `# of the office
2026-12-24..2027-01-02 between the years
12-25   Christmas
05-01   # Labour Day

2026-04-03 Good Friday
`

func TestDaysOff(t *testing.T) {
	c, err := ParseDaysOff(holidays)
	if err != nil {
		t.Fatal(err)
	}
	berlin := loadZone(t, "Europe/Berlin")
	for _, tt := range []struct{ name, expr, after, want string }{
		{"not on a day off", "0 9 * * *", "2026-04-02T10:00:00+02:00", "2026-04-04T09:00:00+02:00"},
		{"over a range", "0 9 * * *", "2026-12-23T10:00:00+01:00", "2027-01-03T09:00:00+01:00"},
		{"each year", "0 9 25 12 *", "2030-01-01T00:00:00+01:00", ""},
		{"each year, on other days too", "0 9 25,26 12 *", "2030-01-01T00:00:00+01:00", "2030-12-26T09:00:00+01:00"},
		{"not on the day before", "30 23 * * *", "2026-04-02T10:00:00+02:00", "2026-04-02T23:30:00+02:00"},
		{"from midnight on", "* * * * *", "2026-04-02T23:59:00+02:00", "2026-04-04T00:00:00+02:00"},
		{"every", "@every 1h", "2026-04-30T21:30:00Z", "2026-05-01T22:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := c.Next(mustParse(t, tt.expr), mustTime(t, tt.after).In(berlin))
			if tt.want == "" && !got.IsZero() || tt.want != "" && !got.Equal(mustTime(t, tt.want)) {
				t.Errorf("due %s, want %s", got, tt.want)
			}
		})
	}
	var none DaysOff
	if got, want := none.Next(mustParse(t, "@daily"), time.Unix(0, 0).UTC()), time.Unix(secondsPerDay, 0); !got.Equal(want) {
		t.Errorf("without days off: %s", got)
	}
}

func TestDaysOffErrors(t *testing.T) {
	for text, want := range map[string]string{
		"\n2026-02-30":             `calendar, line 2: "2026-02-30": not a day; allowed: 2026-12-25, 12-25 for each year, 2026-12-24..2027-01-02`,
		"Christmas":                `calendar, line 1: "Christmas": not a day; allowed: 2026-12-25, 12-25 for each year, 2026-12-24..2027-01-02`,
		"12-24..12-26":             `calendar, line 1: "12-24..12-26": a range names years`,
		"2026-02-02..2026-02-01":   `calendar, line 1: "2026-02-02..2026-02-01": runs backwards`,
		strings.Repeat(" ", 1<<17): `calendar of 131072 bytes: longer than the 65536 allowed`,
	} {
		if _, err := ParseDaysOff(text); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func FuzzDaysOff(f *testing.F) {
	f.Add(holidays)
	s := mustParse(f, "30 2 * * *")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseDaysOff(text)
		if err != nil {
			return
		}
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if next := c.Next(s, from); !next.IsZero() && (!next.After(from) || c.Has(next)) {
			t.Fatalf("%q: Next is %s", text, next)
		}
	})
}
