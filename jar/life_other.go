//go:build !linux && !darwin

package jar

import "golang.org/x/sys/unix"

// bootOf cannot be known: a process with the number of one before the machine's last start is taken for that one.
func bootOf() string { return "" }

func machineOf() string {
	id, _ := unix.Sysctl("kern.hostuuid")
	return id
}

func namespaceOf() string { return "" }

// startOf is whether a process is there; when it was started is not known.
func startOf(pid int) (start int64, there bool) { return 0, unix.Kill(pid, 0) != unix.ESRCH }
