package jar

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// file is what is known of a file among the waiting jobs.
type file struct {
	size             int64
	changed, touched int64 // contents, and anything of it; nanoseconds by its file system's clock
}

// kind is what a name among the waiting jobs stands for.
type kind int

const (
	isGone  kind = iota // nothing is there
	isJob               // a file that we can run
	isOther             // a file that we cannot run, now
	isNone              // a folder, a link, or what else is never a job
)

// lookAt looks at a file of an open folder.
func lookAt(folder int, name string) (f file, k kind) {
	var st unix.Stat_t
	if err := unix.Fstatat(folder, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		if err == unix.ENOENT {
			return f, isGone
		}
		return f, isOther
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return f, isNone
	}
	f = file{size: st.Size, changed: st.Mtim.Nano(), touched: st.Ctim.Nano()}
	// Others may run what we may not; whose bits count for us only the system knows.
	if st.Mode&0o111 != 0 && (int(st.Uid) == euid && st.Mode&0o100 != 0 || unix.Faccessat(folder, name, unix.X_OK, 0) == nil) {
		return f, isJob
	}
	return f, isOther
}

// lookAtPath looks at a file by its path.
func lookAtPath(path string) (f file, k kind) { return lookAt(unix.AT_FDCWD, filepath.Clean(path)) }

var euid = unix.Geteuid()

// isWhole reports whether the file was renamed, linked or given its mode since it was last written to. One that was not
// may be one that somebody is just copying to where it is.
func (f file) isWhole() bool { return f.touched != f.changed }

// isClosed is closedHere, but for tests of what is done where that cannot be known.
var isClosed = closedHere
