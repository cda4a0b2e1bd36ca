package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// locksVar names, for the program that a process becomes, the descriptors of the locks that it had and keeps.
const locksVar = "ROTA_LOCKS"

// handed are locks that this process had before it became this program, until they are taken. Only who starts does that.
var handed = readHanded()

// lockFile opens a file, makes it if need be, and takes its lock, which it has until it is closed. One that the process
// had already before it became this program is taken from there. syscall.EWOULDBLOCK means that another process has it.
func lockFile(path string, mode os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, mode)
	if err != nil {
		return nil, err
	}
	if had := takeHanded(f); had != nil {
		f.Close()
		f = had
	}
	for tries := 1; ; tries++ {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if tries == 3 || err != syscall.EWOULDBLOCK {
			f.Close()
			return nil, err
		}
		time.Sleep(5 * time.Millisecond) // whoever only looks (taken) has it for less
	}
}

// takeHanded is the lock of a file that was handed to this program; nil: none was.
func takeHanded(of *os.File) *os.File {
	want, err := of.Stat()
	if err != nil {
		return nil
	}
	for i, f := range handed {
		if is, err := f.Stat(); err == nil && os.SameFile(is, want) {
			handed = slices.Delete(handed, i, i+1)
			return f
		}
	}
	return nil
}

func readHanded() (files []*os.File) {
	for word := range strings.SplitSeq(os.Getenv(locksVar), ",") {
		if fd, err := strconv.Atoi(word); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "lock"))
		}
	}
	os.Unsetenv(locksVar)
	return files
}

// dropHanded lets those locks go that were handed to this program, and are not what it is configured for now.
func dropHanded() {
	for _, f := range handed {
		f.Close()
	}
	handed = nil
}

// become makes this process another program, with the same arguments, which has these locks all the while: to others the
// node is one that does not answer yet.
func become(program string, locks ...*os.File) error {
	syscall.ForkLock.Lock() // nothing that is being started gets them, too
	defer syscall.ForkLock.Unlock()
	var fds []string
	for _, f := range locks {
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); err == nil {
			fds = append(fds, strconv.Itoa(int(f.Fd())))
		}
	}
	err := syscall.Exec(program, os.Args, append(os.Environ(), locksVar+"="+strings.Join(fds, ",")))
	return rota.Errorf(rota.ErrUnavailable, "start %s in the place of this process: %v", program, err).WithFix("rota up")
}
