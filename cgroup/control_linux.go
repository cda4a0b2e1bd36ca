package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// leaf is the group that we move into so that the one that was given to us may have controllers for its children: one
// that has both processes and such children is not allowed in version 2 (the root alone is).
const leaf = "rota.keeper"

// Parent is a group of version 2 in which a process may make groups of its own.
type Parent struct {
	Dir         string
	Controllers []string // of the wanted: those that the groups made in it can have
	Err         error    // why not all of them
}

// Find looks for the best place for groups of our own: our group, if it was delegated to us, or the root of what is
// mounted, if that lets us have more.
func Find(own Group, wanted []string) Parent {
	dir := own.Dir
	if filepath.Base(dir) == leaf && dir != own.Point {
		dir = filepath.Dir(dir) // we moved there in an earlier life
	}
	best := look(dir, wanted)
	if root := own.Point; len(best.Controllers) < len(wanted) && root != dir {
		if p := look(root, wanted); len(p.Controllers) > len(best.Controllers) {
			return p
		}
	}
	return best
}

func look(dir string, wanted []string) Parent {
	p := Parent{Dir: dir}
	for _, name := range []string{"", "cgroup.procs", "cgroup.subtree_control"} {
		path := filepath.Join(dir, name)
		if err := unix.Access(path, unix.W_OK); err != nil {
			p.Err = fmt.Errorf("%s cannot be written: %w", path, err)
			return p
		}
	}
	has, err := words(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		p.Err = err
		return p
	}
	given, _ := words(filepath.Join(dir, "cgroup.subtree_control"))
	crowded := strangers(dir)
	for _, c := range wanted {
		switch {
		case slices.Contains(given, c), slices.Contains(has, c) && crowded == nil:
			p.Controllers = append(p.Controllers, c)
		case slices.Contains(has, c):
			p.Err = crowded
		case p.Err == nil:
			p.Err = fmt.Errorf("%s does not have the controller %s", dir, c)
		}
	}
	return p
}

// strangers says that in a group that is not the root there are processes that are not ours to move.
func strangers(dir string) error {
	if isRoot(dir) {
		return nil
	}
	pids, err := Processes(dir)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if !isOurs(pid) {
			return fmt.Errorf("%s has processes of others, and so cannot give controllers on", dir)
		}
	}
	return nil
}

// isRoot: the root of all groups, be it that of a container, has no events.
func isRoot(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "cgroup.events"))
	return errors.Is(err, os.ErrNotExist)
}

// isOurs reports whether a process runs our own program.
func isOurs(pid int) bool {
	own, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false
	}
	its, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/exe")
	return err == nil && os.SameFile(own, its)
}

// Enable lets the groups that are made in a parent have its controllers. Where that needs a parent without processes,
// ours move to a group of their own in it. It returns those that they can have.
func (p Parent) Enable() ([]string, error) {
	given, err := words(filepath.Join(p.Dir, "cgroup.subtree_control"))
	if err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(slices.Clone(p.Controllers), func(c string) bool { return slices.Contains(given, c) })
	if len(missing) > 0 && !isRoot(p.Dir) {
		if err := p.vacate(); err != nil {
			return nil, err
		}
	}
	return Give(p.Dir, p.Controllers)
}

func (p Parent) vacate() error {
	pids, err := Processes(p.Dir)
	if err != nil || len(pids) == 0 {
		return err
	}
	home := filepath.Join(p.Dir, leaf)
	if err := os.Mkdir(home, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	for _, pid := range pids {
		err := os.WriteFile(filepath.Join(home, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}

// Give lets the children of a group have controllers, and returns those that they can have.
func Give(dir string, controllers []string) (given []string, err error) {
	for _, c := range controllers {
		failed := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0)
		if failed == nil {
			given = append(given, c)
		}
		err = errors.Join(err, failed)
	}
	return given, err
}

// Processes are those in a group; one of another namespace is 0.
func Processes(dir string) ([]int, error) {
	all, err := words(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	pids := make([]int, 0, len(all))
	for _, w := range all {
		pid, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no process", dir, w)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

func words(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	return strings.Fields(string(text)), err
}

// legacyFiles are what sets the limit in a group of version 1.
var legacyFiles = map[string]string{"memory": "memory.limit_in_bytes", "cpu": "cpu.cfs_quota_us", "pids": ""}

// FindLegacy is our group in the hierarchy of version 1 that has a controller, if groups can be made in it and threads
// moved there and back.
func FindLegacy(proc, controller string) (Group, error) {
	g, err := Legacy(proc, controller)
	if err != nil {
		return g, err
	}
	for _, name := range []string{"", "tasks"} {
		path := filepath.Join(g.Dir, name)
		if err := unix.Access(path, unix.W_OK); err != nil {
			return g, fmt.Errorf("cgroup v1: %s cannot be written: %w", path, err)
		}
	}
	if file := legacyFiles[controller]; file != "" {
		if _, err := os.Stat(filepath.Join(g.Dir, file)); err != nil {
			return g, fmt.Errorf("cgroup v1: this kernel sets no such limit: %w", err)
		}
	}
	return g, nil
}
