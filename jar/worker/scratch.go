package worker

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/jar"
)

// scratch makes the folders in which jobs run, each under a name of its own. One that a job has left as it was becomes
// the next one's: a folder made and removed for each costs a good part of a short job.
type scratch struct {
	dir   string // they are in it
	spare string // one that is left over; empty: there is none
	stamp stamp  // of the one in use, as it was given to the job
}

// stamp tells whether a folder was touched. The time of its last change is set far back, where no touch puts it; the
// time of the change of its attributes, which nobody can set, tells of those who put it back.
type stamp struct {
	inode            uint64
	mode, owner      uint32
	changed, touched int64
}

func stampOf(path string) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return stamp{}, err
	}
	return stamp{uint64(st.Ino), uint32(st.Mode), st.Uid, st.Mtim.Nano(), st.Ctim.Nano()}, nil
}

// make makes the folder of a job.
func (s *scratch) make(number int64) (path string, err error) {
	path = filepath.Join(s.dir, strconv.FormatInt(number, 10))
	if spare := s.spare; spare != "" {
		s.spare = ""
		if unix.Rename(spare, path) == nil {
			s.stamp, err = stampOf(path)
			return path, err
		}
	}
	if err = os.MkdirAll(s.dir, 0o700); err == nil {
		if err = os.Mkdir(path, 0o700); err == nil {
			err = s.mark(path)
		}
	}
	return path, err
}

func (s *scratch) mark(path string) error {
	var longAgo [2]unix.Timespec
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, longAgo[:], unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	var err error
	s.stamp, err = stampOf(path)
	return err
}

// clear makes an end of a job's folder: when it returns there is none of that name any more.
func (s *scratch) clear(path string) error {
	now, err := stampOf(path)
	if err == nil && now != s.stamp && now.inode == s.stamp.inode && now.mode == s.stamp.mode && now.owner == s.stamp.owner && isEmpty(path) {
		now, err = s.stamp, s.mark(path)
	}
	if spare := filepath.Join(s.dir, "spare"); err == nil && now == s.stamp && unix.Rename(path, spare) == nil {
		s.spare = spare
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the job removed it
	}
	return jar.RemoveTree(path)
}

func isEmpty(path string) bool {
	d, err := os.Open(path)
	if err != nil {
		return false
	}
	defer d.Close()
	_, err = d.Readdirnames(1)
	return errors.Is(err, io.EOF)
}
