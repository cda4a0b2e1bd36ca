package keeper

import (
	"log/slog"
	"path/filepath"

	"github.com/rotaqueue/rota"
)

// Clear does what Recover does, and fails unless it is certain that nothing of the dead keeper's attempts runs: it is for
// who gives them to others. It takes more for theirs than Recover does, so the folder must have been that keeper's alone
// in all its life: every process that was started with the mark of one of its slots is ended, wherever it hid. It may be
// called again, also when the folder is gone.
func Clear(dir string, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if _, err := Recover(dir, log); err != nil {
		return err
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = clearMarked(dir, log)
	}
	if err != nil {
		return rota.Errorf(rota.ErrConflict, "keeper folder %s: %v", dir, err)
	}
	return nil
}
