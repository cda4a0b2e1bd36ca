// Package exec is the kind of job that is a command: a program and its arguments, with no shell between. It makes
// values only.
package exec

import (
	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// Executor runs Spec.Argv as it stands, but for the placeholders of tasks of many.
type Executor struct{}

// Name is "exec".
func (Executor) Name() string { return rota.ExecutorExec }

// Version is the version of the kind.
func (Executor) Version() string { return "1" }

// Command is the argument vector.
func (Executor) Command(a *rota.Assignment) (executor.Command, error) {
	argv := executor.Arguments(a, a.Spec.Argv)
	if len(argv) == 0 || argv[0] == "" {
		return executor.Command{}, rota.Invalid("task %v: nothing to run: the program's name is empty", a.Task).
			WithFix("name a program before its arguments; with {line} in its place, no line may be empty")
	}
	return executor.Command{Argv: argv}, nil
}
