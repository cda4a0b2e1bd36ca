//go:build !linux

package clock

import "golang.org/x/sys/unix"

// On macOS this clock goes on while the machine sleeps; on FreeBSD it stands still.
const source = unix.CLOCK_MONOTONIC
