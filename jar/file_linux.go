package jar

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func touchedOf(st *syscall.Stat_t) int64 { return st.Ctim.Nano() }

// isWritten reports whether somebody on this machine has a file open for writing. The kernel grants a read lease when
// nobody has, to the file's owner. Where that cannot be asked the answer is no.
func isWritten(path string) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return err == unix.EAGAIN && grantsLeases(fd)
}

// grantsLeases reports whether a refused lease says something: some file systems refuse them all.
func grantsLeases(fd int) bool {
	const nfs, smb, cifs, smb2, ceph, plan9, fuse = 0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x00c36400, 0x01021997, 0x65735546
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return false
	}
	switch uint32(st.Type) {
	case nfs, smb, cifs, smb2, ceph, plan9, fuse:
		return false
	}
	return true
}
