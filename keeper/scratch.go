package keeper

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/clock"
)

// scratch is the working folder of a slot's attempts. Each finds it empty.
type scratch struct {
	path  string
	stamp stamp // as it was left for the attempt
}

// stamp tells whether a folder was touched. The time of its last change is set far back, where no touch puts it; the
// time of the change of its attributes, which nobody can set, tells of those who put it back.
type stamp struct {
	inode   uint64
	mode    uint32
	touched unix.Timespec
	changed unix.Timespec
}

func stampOf(path string) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return stamp{}, err
	}
	return stamp{uint64(st.Ino), uint32(st.Mode), st.Mtim, st.Ctim}, nil
}

// make makes the folder, in the place of whatever is there. What cannot be removed is moved to trash.
func (s *scratch) make(trash string) error {
	if err := removeAll(s.path, trash); err != nil {
		return err
	}
	if err := os.Mkdir(s.path, 0o700); err != nil {
		return err
	}
	return s.mark()
}

func (s *scratch) mark() error {
	var longAgo [2]unix.Timespec
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, s.path, longAgo[:], unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	var err error
	s.stamp, err = stampOf(s.path)
	return err
}

// clear makes the folder empty for the next attempt. One that was left untouched costs one look.
func (s *scratch) clear(trash string) error {
	now, err := stampOf(s.path)
	if err == nil && now == s.stamp {
		return nil
	}
	if err == nil && now.inode == s.stamp.inode && now.mode == s.stamp.mode && isEmpty(s.path) {
		return s.mark()
	}
	return s.make(trash)
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

// removeAll removes a tree, also one whose folders do not allow it. What can still not be removed is moved to trash,
// out of the way of those who come after.
func removeAll(path, trash string) error {
	err := os.RemoveAll(path)
	if err == nil {
		return nil
	}
	_ = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil // go on: as much as possible
	})
	if err = os.RemoveAll(path); err == nil {
		return nil
	}
	if os.Rename(path, filepath.Join(trash, "undeletable."+strconv.FormatInt(int64(clock.Elapsed()), 10))) == nil {
		return nil
	}
	return err
}
