//go:build !linux

package keeper

import (
	"log/slog"

	"github.com/rotaqueue/rota"
)

// boot names the life of the machine, which cannot be known here.
func boot() string { return "unknown" }

// end can prove of no process here that it is ours, and so ends none.
func (l life) end(log *slog.Logger) error {
	for _, b := range l.runs {
		log.Warn("may have been left running by an earlier node, and cannot be ended on this system",
			"task", b.Task, "attempt", b.Attempt, "group", b.pid)
	}
	return nil
}

// isRunning cannot be known here: what can be seen of a group is taken for running.
func isRunning(int, rota.Elapsed) bool { return true }
