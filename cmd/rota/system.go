package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rotaqueue/rota"
)

// systemLock is held by the system's node: there is one on a machine (D5). ROTA_SYSTEM_LOCK is for tests.
func systemLock() string {
	if path := os.Getenv("ROTA_SYSTEM_LOCK"); path != "" {
		return path
	}
	return "/run/rota-system.lock"
}

// beTheSystems takes the lock, which is held until it is closed. The file says whose data folder it is. Where that folder is the
// caller's own there is no lock, for the folder's says the rest.
func beTheSystems(data string) (lock *os.File, err error) {
	f, err := lockFile(systemLock(), 0o644)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		text, _ := os.ReadFile(systemLock())
		other := strings.TrimSpace(string(text))
		if other == filepath.Clean(data) {
			return nil, nil
		}
		return nil, rota.Errorf(rota.ErrConflict, "the system's node serves %s, and there is one on a machine", other).
			WithFix("use that one, or start this one beside it: rota up, without --system")
	}
	if err != nil {
		return nil, rota.Errorf(rota.ErrDenied, "be the system's node: %v", err).WithFix("leave --system out")
	}
	_ = f.Truncate(0)
	if _, err := f.WriteAt([]byte(filepath.Clean(data)+"\n"), 0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
