//go:build !linux

package doctor

import (
	"time"

	"golang.org/x/sys/unix"
)

// uptime is the time since the machine started. How much of it the machine slept is not known here.
func uptime() (elapsed, awake time.Duration, err error) {
	var t unix.Timespec
	err = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return time.Duration(t.Nano()), time.Duration(t.Nano()), err
}
