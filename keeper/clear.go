package keeper

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// Clear does what Recover does, and fails unless it is certain that nothing of the dead keeper's attempts runs: it is for
// who gives them to others. It takes more for theirs than Recover does, so the folder must have been that keeper's alone
// in all its life: every process that was started with the mark of one of its slots is ended, wherever it hid. Several may
// call it at the same time, and again when the folder is gone.
func Clear(dir string, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(dir)
	for range 10 {
		if err == nil {
			_, err = recoverFrom(dir, log)
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
			break
		}
		err = nil // another has just removed it, who clears the folder, too
	}
	if err == nil {
		err = clearMarked(dir, log)
	}
	if err != nil {
		return rota.Errorf(rota.ErrConflict, "keeper folder %s: %v", dir, err)
	}
	return nil
}
