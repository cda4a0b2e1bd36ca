package jar

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rotaqueue/rota"
)

// Claim is a job that is a worker's: its file lies in the worker's directory. A claim ends by Complete or GiveBack; both
// may be called again when they have failed.
type Claim struct {
	Name     string // of the file in the worker's directory
	Category string // empty: it has none
	Priority int
	key      string // see Key
	jar      Jar
	dir      string // the worker's
	shelf    *shelf // it was taken from; nil: not by this worker
	linked   string // name of the link in claimed; empty: none was made
	wrote    bool   // something of its output is kept beside it
	unsure   bool   // there may be a link, or output, that was made before
}

// Path is the job's file.
func (c *Claim) Path() string { return filepath.Join(c.dir, c.Name) }

// kept is the name of what is kept beside a job, which no listing counts: hidden files never are jobs.
func kept(name, kind string) string { return "." + name + "." + kind }

// Show makes the link in claimed, by which others see what is claimed. A job is none the less claimed without, and
// nothing is the matter when there is no room for it.
func (c *Claim) Show() {
	if c.linked != "" {
		return
	}
	target := c.target()
	for n := 1; ; n++ {
		name := variant(c.Name, n)
		path := filepath.Join(c.jar.Claimed(), name)
		err := os.Symlink(target, path)
		if errors.Is(err, fs.ErrExist) {
			if to, err := os.Readlink(path); err != nil || to != target {
				continue // another job of that name; if it is the same, the answer was lost
			}
			err = nil
		}
		if err == nil {
			c.linked = name
		}
		return
	}
}

// target is what the link says: a path from where it is, if the worker's directory is in the jar. Machines may have the
// jar in different places.
func (c *Claim) target() string {
	if rel, err := filepath.Rel(c.jar.Claimed(), c.Path()); err == nil && strings.HasPrefix(c.dir, c.jar.Home+string(filepath.Separator)) {
		return rel
	}
	return c.Path()
}

// unlink removes the link in claimed. Where it is not known whether there is one all are looked at, which are as many as
// jobs are claimed.
func (c *Claim) unlink() error {
	if c.linked == "" && !c.unsure {
		return nil
	}
	if c.linked != "" {
		err := os.Remove(filepath.Join(c.jar.Claimed(), c.linked))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		c.linked = ""
		return nil
	}
	names, err := namesIn(c.jar.Claimed())
	if err != nil {
		return err
	}
	target := c.target()
	for _, name := range names {
		path := filepath.Join(c.jar.Claimed(), name)
		if to, err := os.Readlink(path); err == nil && (to == target || to == c.Path()) {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// GiveBack moves the job to where it was claimed from, with the place in the order that it had. It is no error when it
// is not the worker's any more.
func (c *Claim) GiveBack() error {
	folder := c.jar.folder(c.Category)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return c.failed("give back", err)
	}
	for n := 1; ; n++ {
		err := move(c.Path(), filepath.Join(folder, variant(c.Name, n)))
		switch {
		case errors.Is(err, errTaken):
			continue
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return c.failed("give back", err)
		}
		break
	}
	if c.shelf != nil {
		c.shelf.took = 0 // it is among those that wait again, in its place
	}
	c.drop(kindOut, kindErr, kindExit, kindClaim)
	if err := c.unlink(); err != nil {
		return c.failed("give back", err)
	}
	return nil
}

// drop removes what was kept of a run that does not count.
func (c *Claim) drop(kinds ...string) {
	for _, kind := range kinds {
		_ = os.Remove(filepath.Join(c.dir, kept(c.Name, kind)))
	}
}

func (c *Claim) failed(what string, err error) error {
	kind := rota.ErrUnavailable
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		kind = rota.ErrFull
	}
	return rota.Errorf(kind, "%s %s: %v", what, c.Name, err)
}

// isNotOurs reports whether a file may not be moved by us, in a folder where others' may.
func isNotOurs(err error) bool { return errors.Is(err, syscall.EPERM) }

// namesIn are the names in a folder that are not hidden.
func namesIn(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	all, err := d.Readdirnames(-1)
	names := all[:0]
	for _, name := range all {
		if IsName(name) {
			names = append(names, name)
		}
	}
	return names, err
}
