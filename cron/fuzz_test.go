package cron

import (
	"testing"
	"time"
)

func FuzzParse(f *testing.F) {
	for _, expr := range []string{
		"* * * * *", "*/5 0-7 1,15 jan-mar MON", "10-50/7 */2 */10,5 2 0-7", "0 0 30 2 *", "0 0 */28 2 1",
		"@daily", "@every 1h30m", "@every 2540400h", "@reboot", "61 * * * *", "3/5 * * * *", "0 0 L * 5#3", "",
		"*/10 5 4 LW,15W,L-3 2 0L", "H H(2-5) H * H/2", "@at 2026-12-24T18:00:00.5+01:00", "@once", "H(1-9)/3 * 31W 2 *",
	} {
		f.Add(expr, int64(1_772_953_000))
	}
	zones := []*time.Location{time.UTC, loadZone(f, "America/New_York"), loadZone(f, "Pacific/Kwajalein")}
	f.Fuzz(func(t *testing.T, expr string, unix int64) {
		s, err := ParseFor("fuzz", expr)
		if err != nil {
			if err.Error() == "" || s != (Schedule{}) {
				t.Fatalf("Parse(%q) = %+v, %q", expr, s, err)
			}
			return
		}
		again, err := Parse(s.String())
		if err != nil || again != s || again.String() != s.String() {
			t.Fatalf("Parse(%q) = %q, parsed again %q, %v", expr, s, again, err)
		}
		for _, loc := range zones {
			from := time.Unix(unix, 0).In(loc)
			if next := s.Next(from); !next.IsZero() && !next.After(from) {
				t.Fatalf("%q: Next(%v) = %v", expr, from, next)
			}
		}
	})
}
