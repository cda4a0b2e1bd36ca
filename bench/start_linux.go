package main

import (
	"os/exec"
	"runtime"
	"syscall"
)

// init keeps the first thread, which starts all servers: they end when it does.
func init() { runtime.LockOSThread() }

// mortal has a program end with this process, also when that is killed.
func mortal(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT} }
