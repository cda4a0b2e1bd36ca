package doctor

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// checkClockSync asks the kernel whether something keeps its time of day right.
func checkClockSync(context.Context, Place) Finding {
	var t unix.Timex // nothing in it is asked to be set
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return ok("whether the clock is synchronised is not known: %v", err)
	}
	return judgeClockSync(state, t.Status, time.Duration(t.Maxerror)*time.Microsecond)
}

func judgeClockSync(state int, status int32, off time.Duration) Finding {
	const timeError = 5 // of adjtimex(2); x/sys does not have it
	if state == timeError || status&unix.STA_UNSYNC != 0 {
		return warn("timedatectl set-ntp true, or install a time service: apt-get install chrony",
			"nothing keeps the clock right, as far as the kernel knows: what is due at a time of day may start at a wrong one")
	}
	return ok("the clock is synchronised, to within %v", off.Round(time.Millisecond))
}
