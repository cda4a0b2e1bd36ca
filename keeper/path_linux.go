package keeper

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// longestPath is the longest path of a socket, in bytes. The system takes 108, and says "invalid argument" to more.
const longestPath = 100

// shorten is a path by which a socket can be bound or reached however long its own is: through a descriptor of its
// folder. It holds until done.
func shorten(path string) (short string, done func(), err error) {
	if len(path) <= longestPath {
		return path, func() {}, nil
	}
	dir, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir, filepath.Base(path)), func() { _ = unix.Close(dir) }, nil
}
