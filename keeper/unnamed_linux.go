package keeper

import (
	"os"

	"golang.org/x/sys/unix"
)

// unnamedFile is a file that nobody else can find.
func unnamedFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("rota", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "rota"), nil
}
