package jar

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rotaqueue/rota/crash/at"
)

// What is kept beside a job that has ended. A stream that was empty has no file.
const (
	kindOut  = "out"
	kindErr  = "err"
	kindExit = "exit"

	kindClaim = "claim" // in the worker's directory only: a link that says where it is from, and a key
)

// End is how a job ended.
type End struct {
	Code     int    // its exit code: 128 and the signal's number if one ended it
	Out, Err string // files of its output, which are moved; empty: there was none
	Note     string // a sentence that is added to the error output: why it was ended, or could not be run
}

// Complete moves the job to the completed jar, with what it wrote and its exit code beside it, and tells the name that it
// has there: its own, unless an earlier job has that. First of all the exit code is kept in the worker's directory: from
// then on the job has ended, and whoever finds it there only moves it.
func (c *Claim) Complete(e End) (name string, err error) {
	for _, step := range []func() error{
		func() error { return c.keep(kindOut, e.Out) },
		func() error { return c.keep(kindErr, e.Err) },
		func() error { return c.keepNote(e.Note) },
		func() error { return c.keepCode(e.Code) },
	} {
		if err := step(); err != nil {
			return "", c.failed("complete", err)
		}
	}
	at.Point("jar: exit kept")
	return c.finish()
}

// keep puts a file of output beside the job. One that was put there before stays.
func (c *Claim) keep(kind, path string) error {
	if path == "" {
		return nil
	}
	c.wrote = true
	to := filepath.Join(c.dir, kept(c.Name, kind))
	if err := put(path, to); err != nil && !(errors.Is(err, fs.ErrNotExist) && isThere(to)) {
		return err
	}
	// It was made for its owner; others may read it who may read what else is made here.
	if like, err := os.Stat(filepath.Join(c.dir, lifeFile)); err == nil {
		return os.Chmod(to, like.Mode().Perm())
	}
	return nil
}

func (c *Claim) keepNote(note string) error {
	if note == "" {
		return nil
	}
	c.wrote = true
	f, err := os.OpenFile(filepath.Join(c.dir, kept(c.Name, kindErr)), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "rota: %s\n", note)
	return errors.Join(err, f.Close())
}

// keepCode keeps the code, if it is not kept yet. It is a further name of a file that all jobs of the worker with that
// code share: to make one for each costs as much as a short job.
func (c *Claim) keepCode(code int) error {
	own := filepath.Join(c.dir, kept(c.Name, kindExit))
	shared := filepath.Join(c.dir, codeFile+strconv.Itoa(code))
	err := os.Link(shared, own)
	switch {
	case err == nil || errors.Is(err, fs.ErrExist) && c.hasEnded():
		return nil
	case errors.Is(err, fs.ErrExist):
		if err := os.Remove(own); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EMLINK): // no second names here
		return writeCode(own, code)
	}
	if err := writeCode(shared, code); err != nil {
		return err
	}
	return linkNew(shared, own)
}

// codeFile and a code are the name of the file for it in a worker's directory.
const codeFile = ".code"

// writeCode makes a file with a code, whole or not at all.
func writeCode(path string, code int) error {
	return replace(path, 0o666, func(to *os.File) error {
		if _, err := fmt.Fprintln(to, code); err != nil {
			return err
		}
		return to.Sync() // many may depend on it, and it is made once
	})
}

// hasEnded reports whether the exit code is there, which a machine that crashed may have lost in part.
func (c *Claim) hasEnded() bool {
	text, err := os.ReadFile(filepath.Join(c.dir, kept(c.Name, kindExit)))
	if err != nil {
		return false
	}
	_, err = strconv.Atoi(strings.TrimSuffix(string(text), "\n"))
	return err == nil && strings.HasSuffix(string(text), "\n")
}

// finish moves a job that has ended. Whatever of that was done before, by whomever, is not done again.
func (c *Claim) finish() (name string, err error) {
	if name, err = c.reserve(); errors.Is(err, errFinished) {
		return c.Name, nil
	} else if err != nil {
		return "", c.failed("complete", err)
	}
	at.Point("jar: name taken")
	for _, kind := range c.streams() {
		from := filepath.Join(c.dir, kept(c.Name, kind))
		if err := rename(from, filepath.Join(c.jar.Completed(), kept(name, kind))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", c.failed("complete", err)
		}
	}
	// It is no error if the job is not there: it may have moved or removed itself.
	if err := move(c.Path(), filepath.Join(c.jar.Completed(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", c.failed("complete", err)
	}
	at.Point("jar: completed")
	if err := c.unlink(); err != nil {
		return "", c.failed("complete", err)
	}
	at.Point("jar: unlinked")
	c.drop(kindExit)
	if c.key != "" {
		c.drop(kindClaim)
	}
	return name, nil
}

// streams are the kinds of output that may be kept beside the job.
func (c *Claim) streams() []string {
	if !c.wrote && !c.unsure {
		return nil
	}
	return []string{kindOut, kindErr}
}

// errFinished is for a job that is gone, and so is its kept code, which goes last of all: another who recovers has moved it.
var errFinished = errors.New("another has finished it")

// reserve finds a name in the completed jar, and makes it this job's by linking the exit code there: of two that want the
// same name one gets it. Several who recover may do so at the same time with one job.
func (c *Claim) reserve() (string, error) {
	own := filepath.Join(c.dir, kept(c.Name, kindExit))
	for n := 1; ; n++ {
		name := variant(c.Name, n)
		code, job := filepath.Join(c.jar.Completed(), kept(name, kindExit)), filepath.Join(c.jar.Completed(), name)
		waits, taken := isThere(c.Path()), isThere(job)
		err := linkNew(own, code)
		switch {
		case err != nil && !isThere(own) && !isThere(c.Path()):
			return "", errFinished
		case err == nil && !taken:
			return name, nil
		case err == nil: // by somebody who keeps no codes
			if err := os.Remove(code); err != nil {
				return "", err
			}
		case !errors.Is(err, fs.ErrExist):
			return "", err
		case sameFile(own, code) && (taken != waits || isThere(c.Path()) != waits):
			// The code is one of this worker's, which ends one job at a time: it was put there for this one, before the job
			// was moved or after, or while this was looked at.
			return name, nil
		}
	}
}

// linkNew gives a file a second name, if that is free. Where there are no second names it is a copy.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	for _, cannot := range []error{syscall.EPERM, syscall.ENOTSUP, syscall.ENOSYS, syscall.EMLINK, syscall.EXDEV} {
		if errors.Is(err, cannot) {
			return copyNew(from, to)
		}
	}
	return err
}

func copyNew(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

func sameFile(a, b string) bool {
	x, err := os.Lstat(a)
	if err != nil {
		return false
	}
	y, err := os.Lstat(b)
	return err == nil && os.SameFile(x, y)
}
