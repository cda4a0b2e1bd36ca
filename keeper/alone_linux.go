package keeper

import "golang.org/x/sys/unix"

// isAlone reports whether nobody else has the file open. The kernel grants a write lease on those terms only; the lease
// is given back at once. Where leases are not to be had the answer is no, and files are not used again.
func isAlone(fd int) bool {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		return false
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK)
	return err == nil
}
