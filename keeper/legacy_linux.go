package keeper

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/cgroup"
)

// legacy is a hierarchy of version 1 in which attempts with a limit of its controller get groups. Nothing is made in it
// before the first of them.
type legacy struct {
	controller string
	own        cgroup.Group // where our threads are
	dir        string       // ours, with the attempts' groups in it
	ready      func() error // makes it, and tries whether a thread can go there and back
}

// openLegacy finds the hierarchy of a controller, and kills what an earlier keeper of the folder left in its groups.
func openLegacy(folder, controller string) (*legacy, error) {
	own, err := cgroup.FindLegacy("/proc/self", controller)
	if err != nil {
		return nil, err
	}
	l := &legacy{controller: controller, own: own, dir: filepath.Join(own.Dir, groupName(folder))}
	l.ready = sync.OnceValue(func() error {
		if err := note(folder, l.dir); err != nil {
			return err
		}
		if err := os.Mkdir(l.dir, 0o755); err != nil {
			return err
		}
		g := legacyGroup{l, l.dir}
		return errors.Join(g.enter(), g.leave())
	})
	return l, l.remove()
}

// remove kills all that is in the groups and removes them.
func (l *legacy) remove() error {
	entries, err := os.ReadDir(l.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			err = errors.Join(err, removeLegacy(filepath.Join(l.dir, e.Name())))
		}
	}
	return errors.Join(err, removeGroup(l.dir))
}

// group makes a group for an attempt.
func (l *legacy) group(name string) (legacyGroup, error) {
	if err := l.ready(); err != nil {
		return legacyGroup{}, err
	}
	g := legacyGroup{legacy: l, dir: filepath.Join(l.dir, name)}
	for n := 1; ; n++ {
		err := os.Mkdir(g.dir, 0o755)
		if !errors.Is(err, os.ErrExist) {
			return g, err
		}
		g.dir = filepath.Join(l.dir, name+"."+strconv.Itoa(n)) // in the former one something hangs that cannot be killed
	}
}

// legacyGroup is an attempt's group of version 1. A process cannot be started in one: the thread that forks goes in
// before, its child is where it is, and the thread goes back.
type legacyGroup struct {
	*legacy
	dir string
}

func (g legacyGroup) file(name string) string { return filepath.Join(g.dir, name) }

func (g legacyGroup) enter() error { return put(g.file("tasks"), int64(unix.Gettid())) }

func (g legacyGroup) leave() error {
	return put(filepath.Join(g.own.Dir, "tasks"), int64(unix.Gettid()))
}

// removeLegacy kills whatever is in a group of version 1, which has no word for that, and removes it. What forks while
// it is killed is found by the next look.
func removeLegacy(dir string) error {
	const pause = time.Millisecond
	for waited := time.Duration(0); waited < gone; waited += pause {
		left := false
		for _, pid := range allProcesses(dir) {
			if pid > 1 && pid != os.Getpid() { // a thread of ours that could not leave counts for all of us
				isIn := func() bool { return slices.Contains(allProcesses(dir), pid) }
				left = signalTo(pid, unix.SIGKILL, isIn) || left
			}
		}
		if !left {
			break
		}
		time.Sleep(pause)
	}
	return removeGroup(dir)
}

// allProcesses are those in a group and in the groups in it.
func allProcesses(dir string) []int {
	all, _ := cgroup.Processes(dir)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, allProcesses(filepath.Join(dir, e.Name()))...)
		}
	}
	return all
}
