package keeper

import "syscall"

// apart: a process group of its own, and the end with the thread that started it (P11).
var apart = syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
