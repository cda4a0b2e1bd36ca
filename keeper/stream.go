package keeper

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// stream is the file that one of the two outputs of a slot's attempts goes to. An attempt that leaves it empty leaves
// it to the next; one that writes takes it away.
type stream struct {
	name    rota.Stream
	dir     string
	path    string
	fd      int // to look at it with; the attempts write through others. -1: the next gets a new file
	changes int // of the path
}

func newStream(dir string, name rota.Stream) stream {
	return stream{name: name, dir: dir, path: filepath.Join(dir, string(name)), fd: -1}
}

// open is a descriptor for the next attempt. It is another open file than fd, which is how isAlone can tell whether
// anybody still has it.
func (o *stream) open() (int, error) {
	if o.fd < 0 {
		if err := unix.Unlink(o.path); err != nil && err != unix.ENOENT {
			return -1, err
		}
		fd, err := unix.Open(o.path, unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return -1, err
		}
		o.fd = fd
	}
	return unix.Open(o.path, unix.O_WRONLY|unix.O_APPEND|unix.O_CLOEXEC, 0)
}

// settle is for when the attempt has ended. An empty file stays, if nobody else holds it open: neither somebody who
// could write to it late nor somebody who would read the next attempt's output as this one's. Otherwise the file
// becomes kept, whose path is the answer. If that cannot be, it stays where it is, and the stream moves elsewhere.
func (o *stream) settle(kept string) (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(o.fd, &st); err != nil {
		o.close()
		return "", err
	}
	if st.Size == 0 {
		if !isAlone(o.fd) {
			o.close()
		}
		return "", nil
	}
	o.close()
	err := unix.Rename(o.path, kept)
	if err == unix.ENOENT && os.MkdirAll(filepath.Dir(kept), 0o700) == nil {
		err = unix.Rename(o.path, kept)
	}
	switch {
	case err == nil:
		return kept, nil
	case err == unix.ENOENT:
		return "", errors.New("the job removed it")
	}
	left := o.path
	o.changes++
	o.path = filepath.Join(o.dir, string(o.name)+"."+strconv.Itoa(o.changes))
	return left, err
}

func (o *stream) close() {
	if o.fd >= 0 {
		_ = unix.Close(o.fd)
		o.fd = -1
	}
}
