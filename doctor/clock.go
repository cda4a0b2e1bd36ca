package doctor

import (
	"context"
	"time"
)

// The years that a clock can sensibly show. A machine without a battery for its clock wakes up in 1970.
const (
	firstYear = 2025
	lastYear  = 2099
)

// checkClock reads the clocks: elapsed time bears the leases (P2), the time of day what is due.
func checkClock(context.Context, Place) Finding {
	elapsed, awake, err := uptime()
	if err != nil {
		return fail("a kernel with the clock CLOCK_BOOTTIME (Linux 2.6.39 and later) is needed", "the clock of elapsed time cannot be read: %v", err)
	}
	return judgeClock(time.Now(), elapsed, awake)
}

func judgeClock(now time.Time, elapsed, awake time.Duration) Finding {
	if y := now.Year(); y < firstYear || y > lastYear {
		return fail("timedatectl set-ntp true, or date -s 'YYYY-MM-DD HH:MM'", "the time of day is wrong: it shows the year %d", y)
	}
	return ok("it is %s; the machine has been up for %v, %v of it asleep",
		now.UTC().Format("2006-01-02 15:04:05 UTC"), elapsed.Round(time.Second), max(elapsed-awake, 0).Round(time.Second))
}
