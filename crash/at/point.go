//go:build crashpoints

package at

import (
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
)

// What a process is told by its environment: which place, at which time that it comes there, and the file to leave. Where
// that file is there already nothing happens any more, so that whoever comes next does not crash again.
var (
	place  = os.Getenv("ROTA_CRASH_AT")
	mark   = os.Getenv("ROTA_CRASH_MARK")
	visit  = number(os.Getenv("ROTA_CRASH_VISIT"))
	visits atomic.Int64
)

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return max(n, 1)
}

// Point is a place at which a process may crash.
func Point(name string) {
	if name != place || visits.Add(1) != visit {
		return
	}
	f, err := os.OpenFile(mark, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return
	}
	_ = f.Close()
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// What the system is to refuse, with which error, and the file that says that it does as long as it is there.
var (
	refusal = os.Getenv("ROTA_FAIL_AT")
	errno   = number(os.Getenv("ROTA_FAIL_WITH"))
	while   = os.Getenv("ROTA_FAIL_WHILE")
)

// Fail is a place at which the system may refuse something: nil when it is to be asked.
func Fail(name string) error {
	if name != refusal {
		return nil
	}
	if _, err := os.Stat(while); err != nil {
		return nil
	}
	return syscall.Errno(errno)
}
