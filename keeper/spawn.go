package keeper

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/crash/at"
)

// fork makes the process. It does not go by os/exec, which would wait for the child in its own way (P12), and belongs
// on the thread of a slot (P11).
func (l *launch) fork() (int, *failure) {
	attr := &syscall.ProcAttr{Dir: l.dir, Env: l.env, Sys: l.sys,
		Files: []uintptr{uintptr(l.files[0]), uintptr(l.files[1]), uintptr(l.files[2])}}
	if l.tells != nil {
		attr.Files = append(attr.Files, l.tells.Fd())
	}
	for pause := time.Millisecond; ; pause *= 2 {
		pid, err := forkExec(l.path, l.argv, attr)
		if err == nil {
			return pid, nil
		}
		// A child that another slot has just forked holds for a moment whatever we had open, a body being written
		// too; and a program that is being copied is soon whole.
		if err != unix.ETXTBSY || pause > 500*time.Millisecond {
			return 0, l.as.do(func() *failure { return l.diagnose(err) })
		}
		time.Sleep(pause)
	}
}

func forkExec(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
	if err := at.Fail("keeper: fork"); err != nil {
		return 0, err
	}
	return syscall.ForkExec(path, argv, attr)
}
