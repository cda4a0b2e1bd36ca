// Package pipeline is the kind of job that is several commands, each reading what the one before it writes, with no shell
// between. It makes values only.
package pipeline

import (
	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// Executor runs Spec.Pipe as it stands, but for the placeholders of tasks of many.
type Executor struct{}

// Name is "pipeline".
func (Executor) Name() string { return rota.ExecutorPipeline }

// Version is the version of the kind.
func (Executor) Version() string { return "1" }

// Command is the argument vectors.
func (Executor) Command(a *rota.Assignment) (executor.Command, error) {
	var c executor.Command
	for i, stage := range a.Spec.Pipe {
		argv := executor.Arguments(a, stage)
		if len(argv) == 0 || argv[0] == "" {
			return c, rota.Invalid("task %v: stage %d: nothing to run: the program's name is empty", a.Task, i+1)
		}
		c.Pipe = append(c.Pipe, argv)
	}
	return c, nil
}
