package keeper

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/clock"
)

// awaitExit waits until a child has ended, and leaves it to be reaped.
func awaitExit(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// hasExited reports whether a child has ended and was not reaped yet.
func hasExited(pid int) bool {
	var found unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &found, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	return err == nil && found.Signo != 0
}

// leaderStays: a leader is not reaped while the rest of its group has its grace.
const leaderStays = true

// outlivesItsLeader reports whether a group whose leader was reaped may be signalled.
func outlivesItsLeader(int) bool { return false }

// awaitGrace waits until nothing of a group runs whose leader is dead and was asked to end, or the grace is over; then
// all of the group was killed. It is called with the lock, and lets go of it meanwhile.
//
// Every member has lost the leader as an ancestor: where orphans come to us and there are none, the group is empty.
// Elsewhere, or when others have some, all processes of the machine are looked at.
func (w *watch) awaitGrace(o *orphans) {
	const first, rarest = 2 * time.Millisecond, 100 * time.Millisecond
	for pause := first; !w.killed; pause = min(2*pause, rarest) {
		w.mu.Unlock()
		o.reap()
		empty := o.none() || !isRunning(w.pid, clock.Elapsed())
		if !empty {
			time.Sleep(pause)
		}
		w.mu.Lock()
		if empty {
			break
		}
	}
	w.signal(unix.SIGKILL) // of what is so new that the look has missed it
}
