package clock

import "golang.org/x/sys/unix"

const source = unix.CLOCK_BOOTTIME
