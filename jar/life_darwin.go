package jar

import (
	"golang.org/x/sys/unix"
)

func bootOf() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid")
	return id
}

func machineOf() string {
	id, _ := unix.Sysctl("kern.uuid")
	return id
}

func namespaceOf() string { return "" }

// startOf is when a process was started, in microseconds since 1970, and whether it is there.
func startOf(pid int) (start int64, there bool) {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(p.Proc.P_pid) != pid {
		return 0, unix.Kill(pid, 0) != unix.ESRCH
	}
	const zombie = 5
	return p.Proc.P_starttime.Sec*1e6 + int64(p.Proc.P_starttime.Usec), p.Proc.P_stat != zombie
}
