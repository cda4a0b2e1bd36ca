//go:build !linux

package keeper

import (
	"log/slog"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// limiter can do nothing here but be nice: what else is to hold has no means.
type limiter struct{}

func openLimiter(string, groups, bool, *slog.Logger) *limiter { return &limiter{} }

func (*limiter) remove() error { return nil }

// confined is what holds the limits of one attempt.
type confined struct {
	limits  rota.Limits
	watched rota.Limits
}

// confine refuses an attempt whose limits nothing here can hold, instead of running it without.
func (*limiter) confine(_ int, limits rota.Limits) (*confined, *failure) {
	if limits == (rota.Limits{}) {
		return nil, nil
	}
	if limits.Memory > 0 || limits.CPUs > 0 || limits.PIDs > 0 {
		return nil, refused(notExecutable, "limits of memory, CPUs and processes cannot be held on this system ("+runtime.GOOS+")")
	}
	return &confined{limits: limits}, nil
}

func (*confined) attr() *syscall.SysProcAttr { return nil }

func (*confined) enter() *failure { return nil }

func (*confined) leave() error { return nil }

// settle: threads have no place of their own here, so the program may have begun when it gets its own.
func (c *confined) settle(pid int) error { return unix.Setpriority(unix.PRIO_PGRP, pid, c.limits.Nice) }

func (*confined) account(*death) {}

func (*confined) folder() string { return "" }

func (*confined) close() error { return nil }
