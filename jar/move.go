package jar

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// errTaken is that a name is another file's.
var errTaken error = fs.ErrExist

// move renames a file to a name that no other file has. A rename whose answer was lost is done: the file is there, and
// not where it was. If it is in neither place, the error is fs.ErrNotExist.
func move(from, to string) error {
	err := renameNew(from, to)
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errTaken) {
		return err
	}
	if isThere(to) && !isThere(from) {
		return nil
	}
	return err
}

func isThere(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil
}

// rename is what the system calls so; os.Rename looks first.
func rename(from, to string) error {
	if err := unix.Rename(from, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// renameIfFree renames by looking first, where the system cannot do both in one. Who could take the name between has
// chosen the same name for another job at the same moment.
func renameIfFree(from, to string) error {
	if isThere(to) {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: errTaken}
	}
	return rename(from, to)
}

// put moves a file to a place that is ours alone, perhaps on another file system.
func put(from, to string) error {
	if rename(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	fresh := filepath.Join(filepath.Dir(to), ".part"+filepath.Base(to))
	out, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err == nil {
		err = rename(fresh, to)
	}
	if err != nil {
		_ = os.Remove(fresh)
		return err
	}
	return os.Remove(from)
}

// replace puts a file in the place of another, whole or not at all: somebody may be using that.
func replace(path string, mode fs.FileMode, write func(*os.File) error) error {
	fresh := path + ".new"
	if err := removeIfThere(fresh); err != nil {
		return err
	}
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if err = errors.Join(write(f), f.Close()); err == nil {
		err = rename(fresh, path)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(fresh))
	}
	return nil
}
