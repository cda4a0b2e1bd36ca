package jar

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// Submission is a job on its way into a jar.
type Submission struct {
	Text     string // of the executable file; empty: File is copied
	File     string
	Priority int
	Category string // empty: none
	ID       string // becomes a part of the job's name; may be empty
}

// made counts the names that this process has made.
var made atomic.Int64

// UniqueName is a path in limbo for a job to be, which no other job has or will have. Nothing is there yet.
func (j Jar) UniqueName(id string, priority int) (string, error) {
	if err := checkID(id); err != nil {
		return "", err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	o := origin{login: login(), host: host, pid: os.Getpid(), n: int(made.Add(1))}
	return filepath.Join(j.Limbo(), uniqueName(time.Now(), o, id, priority)), nil
}

func login() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}

// Submit puts a job into the jar: a copy of it is made in limbo, and moved from there when it is whole. It returns the
// job's name. A category is made when it is not there yet.
func (j Jar) Submit(s Submission) (name string, err error) {
	if s.Category != "" {
		if err := CheckCategory(s.Category); err != nil {
			return "", err
		}
	}
	path, err := j.UniqueName(s.ID, s.Priority)
	if err != nil {
		return "", err
	}
	if err := s.write(path); err != nil {
		return "", errors.Join(err, removeIfThere(path))
	}
	name = filepath.Base(path)
	folder := j.folder(s.Category)
	if s.Category != "" {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return "", errors.Join(rota.Errorf(rota.ErrUnavailable, "make the category %s: %v", s.Category, err), removeIfThere(path))
		}
	}
	if err := move(path, filepath.Join(folder, name)); err != nil {
		return "", errors.Join(rota.Errorf(rota.ErrUnavailable, "submit %s: %v", name, err), removeIfThere(path))
	}
	return name, nil
}

// write makes the file of a job.
func (s Submission) write(path string) error {
	var from *os.File
	if s.Text == "" {
		var err error
		if from, err = s.open(); err != nil {
			return err
		}
		defer from.Close()
	}
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o777)
	if err != nil {
		return rota.Errorf(rota.ErrUnavailable, "make the job's file: %v", err)
	}
	if from != nil {
		_, err = io.Copy(to, from)
	} else {
		_, err = io.WriteString(to, s.Text)
	}
	if err == nil {
		err = markWhole(to)
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return rota.Errorf(rota.ErrUnavailable, "write the job's file: %v", err)
	}
	return nil
}

func (s Submission) open() (*os.File, error) {
	f, err := os.Open(s.File)
	if err != nil {
		return nil, rota.Errorf(rota.ErrInvalid, "the job's file: %v", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		err = rota.Errorf(rota.ErrInvalid, "the job's file: %v", err)
	case !info.Mode().IsRegular():
		err = rota.Invalid("%s: is no file", s.File)
	case info.Mode()&0o111 == 0:
		err = rota.Invalid("%s: is not executable", s.File).WithFix("chmod +x %s", s.File)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// markWhole sets the time of the last change a little back: a file that was not touched since is one that may still be
// written, and a rename within the grain of the file system's clock would not show.
func markWhole(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	t := unix.NsecToTimeval(info.ModTime().Add(-time.Microsecond).UnixNano())
	return unix.Futimes(int(f.Fd()), []unix.Timeval{t, t})
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
