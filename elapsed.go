package rota

import "time"

// Elapsed is a reading of a clock that only goes forward, at the pace of real time, also while the machine sleeps
// (CLOCK_BOOTTIME). Readings of one machine since its last boot compare; nothing else does. Leases and the ages
// of attempts are reckoned in it, never in wall time (P1, P2).
type Elapsed int64 // nanoseconds

// Sub is the time from u to e.
func (e Elapsed) Sub(u Elapsed) time.Duration { return time.Duration(e - u) }
