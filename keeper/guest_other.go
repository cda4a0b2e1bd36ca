//go:build !linux || 386 || arm

package keeper

import (
	"syscall"

	"github.com/rotaqueue/rota/executor"
)

func (s *slot) receive(*launch, *executor.Process) *failure {
	return refused(notExecutable, "this system cannot run jobs as other users")
}

func (s *slot) dismiss(*executor.Identity) {}

func (g *guest) do(f func() *failure) *failure { return f() }

func (g *guest) attr(of *syscall.SysProcAttr) *syscall.SysProcAttr { return of }
