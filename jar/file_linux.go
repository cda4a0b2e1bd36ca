package jar

import "golang.org/x/sys/unix"

// closedHere reports whether nobody on this machine has a file open for writing, and whether that is known: the kernel
// grants a read lease when nobody has, to the file's owner, on file systems that nobody else has at the same time.
func closedHere(path string) (closed, known bool) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return false, false
	}
	defer unix.Close(fd)
	if !isLocal(fd) {
		return false, false
	}
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return err == nil, err == nil || err == unix.EAGAIN
}

// isLocal reports whether a file is on a file system that this machine alone writes to.
func isLocal(fd int) bool {
	const ext4, xfs, btrfs, tmpfs, zfs, f2fs = 0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x2fc12fc1, 0xf2f52010
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return false
	}
	switch uint32(st.Type) {
	case ext4, xfs, btrfs, tmpfs, zfs, f2fs:
		return true
	}
	return false
}
