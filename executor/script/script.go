// Package script is the kind of job that is the text of an executable file. It makes values only.
package script

import (
	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// Executor runs Spec.Script as a file of its own, with Spec.Argv as its arguments. A text without a #! line is run by
// /bin/sh. The text stays as it is; placeholders are replaced in the arguments.
type Executor struct{}

// Name is "script".
func (Executor) Name() string { return rota.ExecutorScript }

// Version is the version of the kind.
func (Executor) Version() string { return "1" }

// Command is the text with its arguments; it is called by the job's name.
func (Executor) Command(a *rota.Assignment) (executor.Command, error) {
	if a.Spec.Script == "" {
		return executor.Command{}, rota.Invalid("task %v: nothing to run: the script is empty", a.Task)
	}
	name := a.Spec.Name
	if name == "" {
		name = "script"
	}
	argv := append([]string{name}, executor.Arguments(a, a.Spec.Argv)...)
	return executor.Command{Argv: argv, Body: a.Spec.Script, Interpreter: a.Spec.Interpreter}, nil
}
