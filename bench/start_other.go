//go:build !linux

package main

import (
	"os/exec"
	"syscall"
)

// mortal has nothing end with this process where that cannot be had.
func mortal(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{} }
