package keeper

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/cgroup"
)

// groups are control groups (cgroup v2) for the slots: whatever an attempt leaves behind is in its slot's, wherever it
// hid, and can be killed as a whole. They lie in one that is named after the keeper's folder, which lies below the
// keeper's own group, or below the root where that alone has controllers: nobody else's processes are ever in there.
type groups struct {
	dir         string // empty: there are none to be had
	controllers []string
	why         error // why they have not all of the controllers
}

// The controllers that limits need, and the one that tells of devices.
const (
	memoryController = "memory"
	cpuController    = "cpu"
	pidsController   = "pids"
	ioController     = "io"
)

// has reports whether the slots' groups have a controller.
func (g groups) has(controller string) bool { return slices.Contains(g.controllers, controller) }

// groupName is the name of all groups of a keeper's folder.
func groupName(folder string) string {
	sum := sha256.Sum256([]byte(folder))
	return "rota-" + hex.EncodeToString(sum[:8])
}

// openGroups makes the groups of a folder, of which there are none.
func openGroups(folder string) (groups, error) {
	own, err := cgroup.Unified("/proc/self")
	if err != nil {
		return groups{why: err}, err
	}
	parent := cgroup.Find(own, []string{memoryController, cpuController, pidsController, ioController})
	g := groups{dir: filepath.Join(parent.Dir, groupName(folder)), why: parent.Err}
	if err := g.remove(); err != nil {
		return groups{why: err}, err
	}
	if err := note(folder, g.dir); err != nil {
		return groups{why: err}, err
	}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return groups{why: err}, err
	}
	if len(parent.Controllers) > 0 {
		given, err := parent.Enable()
		g.controllers, _ = cgroup.Give(g.dir, given)
		g.why = errors.Join(g.why, err)
	}
	if err := g.probe(); err != nil {
		return groups{why: err}, errors.Join(err, g.remove())
	}
	return g, nil
}

// placesFile, in the keeper's folder, lists the folders of its control groups: whoever recovers from it may stand
// elsewhere in the hierarchies than it did.
const placesFile = "groups"

// note writes down where groups are about to be made.
func note(folder, dir string) error {
	f, err := os.OpenFile(filepath.Join(folder, placesFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(dir + "\n")
	return errors.Join(err, f.Close())
}

// removeGroups kills what a dead keeper left in its groups, and removes them.
func removeGroups(folder string) error {
	text, err := os.ReadFile(filepath.Join(folder, placesFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		dir := strings.TrimSuffix(line, "\n")
		if filepath.Base(dir) != groupName(folder) {
			continue // cut short
		}
		if _, legacyIs := os.Stat(filepath.Join(dir, "cgroup.kill")); legacyIs == nil {
			err = errors.Join(err, groups{dir: dir}.remove())
		} else {
			err = errors.Join(err, (&legacy{dir: dir}).remove())
		}
	}
	if err == nil {
		err = os.Remove(filepath.Join(folder, placesFile))
	}
	return err
}

// probe tries whether a process can be started in a group, and killed by it: kernels before 5.14 cannot, and some
// sandboxes do not let us.
func (g groups) probe() error {
	s, err := g.slot("probe")
	if err != nil {
		return err
	}
	defer s.close()
	pid, err := syscall.ForkExec("/bin/true", []string{"true"}, &syscall.ProcAttr{Sys: s.attr})
	if err != nil {
		return err
	}
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			break
		}
	}
	if used, err := s.kill(); used || err != nil {
		return errors.Join(err, errors.New("a process that has ended is still in its group"))
	}
	return s.remove()
}

// remove kills all that is in the groups, waits until it is dead, and removes them.
func (g groups) remove() error {
	if g.dir == "" {
		return nil
	}
	err := os.WriteFile(filepath.Join(g.dir, "cgroup.kill"), []byte("1"), 0)
	if errors.Is(err, os.ErrNotExist) {
		if _, gone := os.Stat(g.dir); errors.Is(gone, os.ErrNotExist) {
			return nil
		}
	}
	if err != nil {
		return err
	}
	return removeGroup(g.dir)
}

// removeGroup removes a group, and those that its processes made in it, when the last of them is dead.
func removeGroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeGroup(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	for waited := time.Duration(0); ; waited += time.Millisecond {
		err := unix.Rmdir(dir)
		if err != unix.EBUSY || waited > gone {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// slot makes a group for a slot.
func (g groups) slot(name string) (*group, error) {
	if g.dir == "" {
		return &group{attr: &apart, events: -1, memory: -1}, nil
	}
	s := &group{dir: filepath.Join(g.dir, name), events: -1, memory: -1}
	for n := 1; ; n++ {
		err := os.Mkdir(s.dir, 0o755)
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		s.dir = filepath.Join(g.dir, name+"."+strconv.Itoa(n)) // in the former one something hangs that cannot be killed
	}
	fd, err := unix.Open(s.dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	attr := apart
	attr.UseCgroupFD, attr.CgroupFD = true, fd
	s.attr = &attr
	s.events, err = unix.Open(filepath.Join(s.dir, "cgroup.events"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		s.close()
		return nil, err
	}
	if g.has(memoryController) {
		s.memory, err = unix.Open(filepath.Join(s.dir, "memory.events"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// group is a slot's control group, if it has one.
type group struct {
	dir    string
	attr   *syscall.SysProcAttr // what is started so is in it
	events int                  // cgroup.events, open for reading
	memory int                  // memory.events likewise; -1: no such controller
	killed int64                // by the system for want of memory, as far as is known
}

// starved reports whether the system has killed a process in the group for want of memory since it was last asked.
func (s *group) starved() bool {
	if s.memory < 0 {
		return false
	}
	var b [256]byte
	n, err := unix.Pread(s.memory, b[:], 0)
	if err != nil {
		return false
	}
	before := s.killed
	s.killed = figure(b[:n], "oom_kill")
	return s.killed > before
}

// kill kills whatever is in the group and waits until it is dead. Most groups are empty, which one reading tells. A
// group that something was killed in is removed and not used again: a kernel that was seen (6.18) kills every process
// that is later started in it.
func (s *group) kill() (used bool, err error) {
	if s.events < 0 {
		return false, nil
	}
	for waited := time.Duration(0); ; {
		left, err := s.populated()
		switch {
		case err != nil || !left && !used:
			return used, err
		case !left:
			return true, s.remove()
		case !used:
			if err := os.WriteFile(filepath.Join(s.dir, "cgroup.kill"), []byte("1"), 0); err != nil {
				return true, err
			}
			used = true
			continue
		case waited > gone:
			return true, errors.New("killed, but processes remain in " + s.dir)
		}
		const step = 100 * time.Millisecond
		fds := []unix.PollFd{{Fd: int32(s.events), Events: unix.POLLPRI}}
		if n, _ := unix.Poll(fds, int(step/time.Millisecond)); n == 0 {
			waited += step
		}
	}
}

func (s *group) populated() (bool, error) {
	var b [128]byte
	n, err := unix.Pread(s.events, b[:], 0)
	if err != nil {
		return false, err
	}
	return bytes.Contains(b[:n], []byte("populated 1")), nil
}

func (s *group) close() {
	if s.events >= 0 {
		_ = unix.Close(s.events)
	}
	if s.memory >= 0 {
		_ = unix.Close(s.memory)
	}
	if s.attr != nil && s.attr.UseCgroupFD {
		_ = unix.Close(s.attr.CgroupFD)
	}
	s.attr, s.events, s.memory = nil, -1, -1
}

// discard removes a group that is not used any more. What still hangs in it keeps it.
func (s *group) discard() {
	if s != nil && s.dir != "" {
		_ = unix.Rmdir(s.dir)
	}
}

// folder is where the group is; empty: there is none.
func (s *group) folder() string { return s.dir }

func (s *group) remove() error { return removeGroup(s.dir) }
