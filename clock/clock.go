// Package clock is the one place where Rota reads elapsed time: a clock that goes forward at the pace of real time,
// also while the machine sleeps, and that readings of other processes of the same machine compare with (P2).
package clock

import (
	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// Elapsed is the reading now. It never fails: the kernels that Rota runs on all have the clock.
func Elapsed() rota.Elapsed {
	var t unix.Timespec
	if err := unix.ClockGettime(source, &t); err != nil {
		panic("the elapsed clock cannot be read: " + err.Error())
	}
	return rota.Elapsed(t.Nano())
}
