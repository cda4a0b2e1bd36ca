//go:build !linux

package keeper

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// clearMarked can end nothing here, where no process can be proven to be ours. It fails while there is a process group
// with the number of one that was started and of whose end nothing is written.
func clearMarked(dir string, _ *slog.Logger) error {
	life, err := readJournal(filepath.Join(dir, "journal"))
	if err != nil {
		return nil // it never started anything
	}
	for _, b := range life.runs {
		if b.pid != 0 && unix.Kill(-b.pid, 0) != unix.ESRCH {
			return fmt.Errorf("process group %d may be what was left running; end it, and try again", b.pid)
		}
	}
	return nil
}
