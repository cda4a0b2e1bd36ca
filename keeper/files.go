package keeper

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// token is the file that lets an attempt submit. It stays open, so that it can be written though its mode forbids it.
type token struct {
	path string
	fd   int
	size int
}

func (t *token) write(text string) error {
	var st unix.Stat_t
	if t.fd >= 0 && (unix.Fstat(t.fd, &st) != nil || st.Nlink == 0) {
		t.close() // an attempt removed it
	}
	if t.fd < 0 {
		if err := unix.Unlink(t.path); err != nil && err != unix.ENOENT {
			return err
		}
		fd, err := unix.Open(t.path, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o400)
		if err != nil {
			return err
		}
		t.fd = fd
	}
	if _, err := unix.Pwrite(t.fd, []byte(text), 0); err != nil {
		return err
	}
	if len(text) < t.size {
		if err := unix.Ftruncate(t.fd, int64(len(text))); err != nil {
			return err
		}
	}
	t.size = len(text)
	return nil
}

func (t *token) close() {
	if t.fd >= 0 {
		_ = unix.Close(t.fd)
		t.fd, t.size = -1, 0
	}
}

// writeBody makes the executable file of an attempt. A file that is open for writing cannot be run, so no fork may
// come between opening and closing it: the child would hold it too.
func writeBody(path, text string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Unlink(path); err != nil && err != unix.ENOENT {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o700)
}

// ownFile is the job's own file for a stream; empty when the stream goes to the slot's.
func ownFile(p *executor.Process, name rota.Stream) string {
	if name == rota.Stdout {
		return p.Out
	}
	return p.Err
}

func resolve(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// openFor opens a file that the job names. It never waits for the other end of a named pipe, which may never come: for
// writing, a pipe needs its reader first.
func openFor(what, path string, flags int) (int, *failure) {
	fd, err := unix.Open(path, flags|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0o666)
	if err == nil {
		if err = unix.SetNonblock(fd, false); err == nil {
			return fd, nil
		}
		_ = unix.Close(fd)
	}
	text := err.Error()
	if err == unix.ENXIO {
		text = "a named pipe that nobody reads"
	}
	return -1, fail(err, what+" "+path+": "+text)
}

// needsShell reports whether a body is a text that does not say what runs it.
func needsShell(body string) bool {
	return !strings.HasPrefix(body, "#!") && !strings.ContainsRune(body[:min(len(body), 512)], 0)
}
