// Package shell is the kind of job that is a text for /bin/sh. It makes values only.
package shell

import (
	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// Executor runs Spec.Shell by /bin/sh -c, with Spec.Argv as $1 and on. No placeholder is replaced in the text: what
// comes from outside reaches it as arguments and as ROTA_LINE and ROTA_TASK_INDEX, which cannot become code.
type Executor struct{}

// Name is "shell".
func (Executor) Name() string { return rota.ExecutorShell }

// Version is the version of the kind.
func (Executor) Version() string { return "1" }

// Command is the shell with the text. $0, with which the shell begins its complaints, is the job's name.
func (Executor) Command(a *rota.Assignment) (executor.Command, error) {
	if a.Spec.Shell == "" {
		return executor.Command{}, rota.Invalid("task %v: nothing to run: the shell text is empty", a.Task)
	}
	name := a.Spec.Name
	if name == "" {
		name = "sh"
	}
	argv := append([]string{"/bin/sh", "-c", a.Spec.Shell, name}, executor.Arguments(a, a.Spec.Argv)...)
	return executor.Command{Argv: argv}, nil
}
