// Package blob is the kind of job that runs an executable file which is kept as a blob. It makes values only.
package blob

import (
	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// Executor runs Spec.Blob with Spec.Argv as its arguments, in which placeholders are replaced. It is called by its file,
// which the node puts in the place of the blob's id when it has fetched it and found it right.
type Executor struct{}

// Name is "blob".
func (Executor) Name() string { return rota.ExecutorBlob }

// Version is the version of the kind.
func (Executor) Version() string { return "1" }

// Command is the blob with its arguments.
func (Executor) Command(a *rota.Assignment) (executor.Command, error) {
	if err := a.Spec.Blob.Check(); err != nil {
		return executor.Command{}, err
	}
	return executor.Command{Argv: append([]string{string(a.Spec.Blob)}, executor.Arguments(a, a.Spec.Argv)...)}, nil
}
