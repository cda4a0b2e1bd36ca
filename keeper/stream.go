package keeper

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// stream is where one of the two outputs of a slot's attempts goes. An attempt that leaves its file empty leaves it to
// the next; one that writes takes it away.
type stream struct {
	name  rota.Stream
	dir   string
	files [2]file // two, since the one just used may for a moment be held by the child that another slot has forked
	at    int     // the one in use
	moved int     // files that had to stay where they were
}

// file is an empty file, or the one in use.
type file struct {
	path string
	fd   int // to look at it with; attempts write through others. -1: there is none yet
}

func newStream(dir string, name rota.Stream) stream {
	path := filepath.Join(dir, string(name))
	return stream{name: name, dir: dir, files: [2]file{{path, -1}, {path + "2", -1}}}
}

// path is the file in use.
func (o *stream) path() string { return o.files[o.at].path }

// open is a descriptor for the next attempt, of a file that nobody else holds open: neither somebody who could still
// write to it nor somebody who would read the next attempt's output as an earlier one's. It is opened for the attempt
// alone, which is how isAlone can tell later whether anybody still has it.
func (o *stream) open() (int, error) {
	if f := &o.files[o.at]; f.fd >= 0 && !isAlone(f.fd) {
		o.at = 1 - o.at
		if f = &o.files[o.at]; f.fd >= 0 && !isAlone(f.fd) {
			f.close()
		}
	}
	f := &o.files[o.at]
	if f.fd < 0 {
		if err := f.create(); err != nil {
			return -1, err
		}
	}
	return unix.Open(f.path, unix.O_WRONLY|unix.O_APPEND|unix.O_CLOEXEC, 0)
}

// renew lets the next attempt have a file that no other ever had.
func (o *stream) renew() { o.files[o.at].close() }

// give makes the file in use somebody's: so that what has it as its output can open it by the names that the system gives
// open files.
func (o *stream) give(uid, gid int) error { return unix.Fchown(o.files[o.at].fd, uid, gid) }

func (f *file) create() error {
	if err := unix.Unlink(f.path); err != nil && err != unix.ENOENT {
		return err
	}
	fd, err := unix.Open(f.path, unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err == nil {
		f.fd = fd
	}
	return err
}

// settle is for when the attempt has ended. What it wrote becomes the file kept, whose path is the answer; it is empty
// when nothing was written. If the file cannot be moved there, it stays where it is, and the stream goes on elsewhere.
// How much was written is told whatever became of the file.
func (o *stream) settle(kept string) (path string, written *int64, err error) {
	f := &o.files[o.at]
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		f.close()
		return "", nil, err
	}
	size := st.Size
	written = &size
	if size == 0 {
		return "", written, nil
	}
	f.close()
	err = unix.Rename(f.path, kept)
	if err == unix.ENOENT && os.MkdirAll(filepath.Dir(kept), 0o700) == nil {
		err = unix.Rename(f.path, kept)
	}
	switch {
	case err == nil:
		return kept, written, nil
	case err == unix.ENOENT:
		return "", written, errors.New("the job removed it")
	}
	left := f.path
	o.moved++
	f.path = filepath.Join(o.dir, string(o.name)+".after"+strconv.Itoa(o.moved))
	return left, written, err
}

func (o *stream) close() {
	for i := range o.files {
		o.files[i].close()
	}
}

func (f *file) close() {
	if f.fd >= 0 {
		_ = unix.Close(f.fd)
		f.fd = -1
	}
}
