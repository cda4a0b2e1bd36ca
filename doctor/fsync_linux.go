package doctor

import (
	"os"

	"golang.org/x/sys/unix"
)

// fdatasync is what the store's commits wait for.
func fdatasync(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}
