//go:build !linux

package pgtest

import (
	"errors"
	"os/exec"
	"syscall"
)

// launch starts a program. Here it outlives this process when that is killed.
func launch(cmd *exec.Cmd) error { return cmd.Start() }

func giveAway(string) error { return nil }

func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// within cannot be told here: a server that starts again waits until the last of them has gone.
func within(string) []int { return nil }
