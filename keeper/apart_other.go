//go:build !linux

package keeper

import "syscall"

// apart: a process group of its own. Nothing here ends it with its keeper.
var apart = syscall.SysProcAttr{Setpgid: true}
