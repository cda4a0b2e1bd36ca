package clock_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rotaqueue/rota/clock"
)

func TestElapsedNeverGoesBack(t *testing.T) {
	last := clock.Elapsed()
	for range 1000 {
		now := clock.Elapsed()
		if now < last {
			t.Fatalf("%d came after %d", now, last)
		}
		last = now
	}
}

// The kernel's uptime is the boot-time clock, time asleep included: what is read must be that clock and no other.
func TestP2ElapsedIsTheClockSinceBoot(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc/uptime, which only Linux has")
	}
	before := clock.Elapsed()
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	after := clock.Elapsed()
	uptime, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	const hundredth = 10_000_000 // what uptime is rounded down to
	if up := int64(uptime * 1e9); up < int64(before)-2*hundredth || up > int64(after)+hundredth {
		t.Errorf("uptime %d is not between %d and %d", up, before, after)
	}
}
