//go:build !linux

package keeper

import "golang.org/x/sys/unix"

// awaitExit waits until a child has ended, and leaves it to be reaped.
func awaitExit(pid int) { exitEvent(pid, nil) }

// hasExited reports whether a child has ended and was not reaped yet.
func hasExited(pid int) bool { return exitEvent(pid, &unix.Timespec{}) }

func exitEvent(pid int, timeout *unix.Timespec) bool {
	queue, err := unix.Kqueue()
	if err != nil {
		return timeout == nil // the wait that follows waits as well, and only holds the lock for longer
	}
	defer unix.Close(queue)
	unix.CloseOnExec(queue)
	var change unix.Kevent_t
	unix.SetKevent(&change, pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	change.Fflags = unix.NOTE_EXIT
	found := make([]unix.Kevent_t, 1)
	for {
		n, err := unix.Kevent(queue, []unix.Kevent_t{change}, found, timeout)
		if err != unix.EINTR {
			return n > 0 || err == unix.ESRCH // one that has ended already may not be found
		}
	}
}

// leaderStays: a leader is reaped at once.
const leaderStays = false

// outlivesItsLeader reports whether a group whose leader was reaped may be signalled: not if the number is somebody
// else's, for then nothing is left of the group.
func outlivesItsLeader(pid int) bool { return unix.Kill(pid, 0) == unix.ESRCH }

// awaitGrace does nothing here: what outlives its leader keeps its grace when that was reaped.
func (w *watch) awaitGrace(*orphans) {}
