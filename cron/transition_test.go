package cron

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// expressions are of every kind that a change of the clock can meet. They are written for the oracle: no names.
var expressions = []string{
	"* * * * *", "*/5 * * * *", "0 * * * *", "30 */1 * * *", "45 0-23 * * *", "17 * */2 * *", "*/20 * * * 0", // intervals
	"0 0 * * *", "30 0 * * *", "59 23 * * *", "30 23 * * *", "0 1 * * *", "30 1 * * *", "15 2 * * *", "30 2 * * *",
	"0 3 * * *", "15,45 0-3 * * *", "*/10 2 * * *", "*/7 1,2,3 * * *", "* 0-4 * * *", "* 22-23 * * *", "30 */2 * * *",
	"0 */6 * * *", "0 12 * * *", "*/30 * 1-31 * 0", "30 2 * * 0", "30 0 1 * *", "30 2 */2 * 0-3", "5 0 1-7 * 0",
	"0 0 L * *", "30 0 LW * *", "30 23 15W * 0", "30 2 * * 0#2", "30 1 * * 0L", "0 0 */2,L * 0#1", // days that differ from month to month
	"0 0 1 * 5", "0 12 30 12 *", "0 0,12 * 3,4,9,10 *", "*/15 0-22 * * *",
}

// Where clocks change in all the ways there are. Of the years in between nothing new would be learned.
func TestNextOverTransitions(t *testing.T) {
	for _, c := range []struct {
		zone     string
		from, to int
	}{
		{"America/New_York", 2026, 2026},
		{"America/New_York", 2040, 2040},
		{"America/Santiago", 2026, 2026},
		{"America/Asuncion", 2023, 2023},
		{"America/Havana", 2026, 2026},
		{"America/St_Johns", 2006, 2006}, // at one minute past midnight
		{"America/Juneau", 1983, 1983},   // back by two hours
		{"America/Caracas", 2007, 2007},  // back by half an hour
		{"America/Scoresbysund", 2024, 2024},
		{"Africa/Cairo", 2026, 2026},
		{"Africa/Casablanca", 2012, 2012},
		{"Africa/Casablanca", 2026, 2026},
		{"Africa/Monrovia", 1972, 1972},
		{"Antarctica/Troll", 2026, 2026},
		{"Antarctica/Casey", 2023, 2023},
		{"Asia/Beirut", 2026, 2026},
		{"Asia/Gaza", 2025, 2025}, // four changes
		{"Asia/Kathmandu", 1985, 1986},
		{"Asia/Pyongyang", 2015, 2018},
		{"Australia/Lord_Howe", 2026, 2026},
		{"Europe/Dublin", 2026, 2026},
		{"Europe/Lisbon", 1992, 1996},
		{"Europe/Moscow", 1991, 1992},
		{"Pacific/Apia", 2011, 2012},
		{"Pacific/Chatham", 2026, 2026},
		{"Pacific/Kwajalein", 1969, 1969},
		{"Pacific/Kwajalein", 1993, 1993},
	} {
		t.Run(c.zone, func(t *testing.T) {
			t.Parallel()
			loc := loadZone(t, c.zone)
			changes := transitions(loc, c.from, c.to)
			if len(changes) == 0 {
				t.Fatalf("no change of the clock from %d to %d", c.from, c.to)
			}
			for _, at := range changes {
				w := newWalk(loc, at-secondsPerDay, at+2*secondsPerDay)
				for _, expr := range expressions {
					w.check(t, expr, loc)
				}
			}
		})
	}
}

// secondly are expressions of six fields, intervals and fixed ones.
var secondly = []string{"*/7 * * * * *", "30 */10 * * * *", "15,45 30 1 * * *", "*/20 59 1,2 * * *", "59 59 23 * * *", "1 0 0 * * *", "*/30 30 2 * * *"}

// Seconds: the oracle looks at each of some hours around a change.
func TestNextSecondsOverTransitions(t *testing.T) {
	for _, c := range []struct {
		zone string
		year int
	}{{"America/New_York", 2026}, {"Africa/Cairo", 2026}, {"Australia/Lord_Howe", 2026}, {"Africa/Monrovia", 1972}} {
		t.Run(c.zone, func(t *testing.T) {
			t.Parallel()
			loc := loadZone(t, c.zone)
			for _, at := range transitions(loc, c.year, c.year) {
				w := newWalkOf(loc, at-2*3600, at+3*3600, 4*3600, 1)
				for _, expr := range secondly {
					w.check(t, expr, loc)
				}
			}
		})
	}
}

// TestNextSoak holds Next against the oracle at every change of every zone's clock from 1970 to 2037, and at the
// end of every leap year. It takes many minutes.
func TestNextSoak(t *testing.T) {
	if os.Getenv("ROTA_SOAK") == "" {
		t.Skip("all zones and years: set ROTA_SOAK=1")
	}
	var zones, changes, checked atomic.Int64
	var seen sync.Map // many names are links to the same zone
	t.Run("zones", func(t *testing.T) {
		for _, name := range zoneNames(t) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				loc := loadZone(t, name)
				all := transitions(loc, 1970, 2037)
				if other, again := seen.LoadOrStore(fingerprint(all, loc), name); again {
					t.Logf("the same as %s", other)
					return
				}
				zones.Add(1)
				changes.Add(int64(len(all)))
				for year := 1972; year <= 2048; year += 4 {
					all = append(all, time.Date(year, 12, 31, 12, 0, 0, 0, time.UTC).Unix())
				}
				for _, at := range all {
					w := newWalk(loc, at-secondsPerDay, at+2*secondsPerDay)
					for _, expr := range expressions {
						checked.Add(int64(w.check(t, expr, loc)))
					}
				}
			})
		}
	})
	t.Logf("%d zones that differ, %d changes of the clock, %d due times asked for", zones.Load(), changes.Load(), checked.Load())
}

// fingerprint tells zones apart by their changes and what they change to.
func fingerprint(changes []int64, loc *time.Location) string {
	text := time.Unix(0, 0).In(loc).Format("-07:00:00")
	for _, at := range changes {
		text += time.Unix(at, 0).In(loc).Format(" 2006-01-02T15:04:05-07:00:00")
	}
	return text
}

// zoneNames reads the names from the toolchain's copy of the time zone database.
func zoneNames(t *testing.T) []string {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("no list of zones: %v", err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skipf("no list of zones: %v", err)
	}
	defer archive.Close()
	var names []string
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, "/") {
			names = append(names, f.Name)
		}
	}
	return names
}
