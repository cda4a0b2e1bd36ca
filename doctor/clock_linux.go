package doctor

import (
	"time"

	"golang.org/x/sys/unix"
)

// uptime is the time since the machine started, with and without the time that it slept.
func uptime() (elapsed, awake time.Duration, err error) {
	// In this order, or a machine that never slept seems to have slept for less than nothing.
	var mono, boot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono); err != nil {
		return 0, 0, err
	}
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot); err != nil {
		return 0, 0, err
	}
	return time.Duration(boot.Nano()), time.Duration(mono.Nano()), nil
}
