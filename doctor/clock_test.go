package doctor

import (
	"runtime"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	now := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	expect(t, judgeClock(now, 3*time.Hour, time.Hour), OK, "2026-03-29 01:30:00 UTC", "up for 3h0m0s", "2h0m0s of it asleep")
	expect(t, judgeClock(now, time.Hour, time.Hour+1), OK, " 0s of it asleep")
	expect(t, judgeClock(time.Unix(0, 0), 0, 0), Fail, "year 1970")
	expect(t, judgeClock(now.AddDate(100, 0, 0), 0, 0), Fail, "year 2126")
}

func TestP2ClocksCanBeRead(t *testing.T) {
	elapsed, awake, err := uptime()
	if err != nil || awake <= 0 || elapsed < awake {
		t.Errorf("up %v, awake %v, %v", elapsed, awake, err)
	}
	if f := checkClockSync(t.Context(), Place{}); runtime.GOOS != "linux" {
		expect(t, f, OK, "not known")
	}
}
