package jar

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// file is what is known of a file among the waiting jobs.
type file struct {
	size             int64
	changed, touched int64 // contents, and anything of it; nanoseconds by its file system's clock
}

// lookAt looks at a file. runs says that it is one that can be run by us.
func lookAt(path string, info fs.FileInfo) (f file, runs bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return f, false
	}
	f = file{size: info.Size(), changed: info.ModTime().UnixNano(), touched: touchedOf(st)}
	// Others may run what we may not; whose bits count for us only the system knows.
	return f, int(st.Uid) == unix.Geteuid() && st.Mode&0o100 != 0 || unix.Access(path, unix.X_OK) == nil
}

// isWhole reports whether the file was renamed, linked or given its mode since it was last written to. One that was not
// may be one that somebody is just copying to where it is.
func (f file) isWhole() bool { return f.touched != f.changed }
