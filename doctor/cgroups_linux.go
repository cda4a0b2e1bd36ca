package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// wanted are the controllers that limits of jobs need.
var wanted = []string{"cpu", "memory", "pids"}

// withoutGroups is what follows for jobs.
const withoutGroups = "limits cannot be enforced; jobs are ended by process group"

// group is the control group of this process.
type group struct {
	point string // where the hierarchy is mounted
	dir   string // the group's folder; point or below
}

var (
	errNoHierarchy = errors.New("no cgroup v2 is mounted")
	errOutside     = errors.New("this process is in no group of the cgroup v2 that is mounted")
)

// checkCgroups asks whether jobs can have control groups of their own. A node runs without.
func checkCgroups(context.Context, Place) Finding {
	g, err := findGroup("/proc/self")
	if err != nil {
		return warn("boot with systemd.unified_cgroup_hierarchy=1; in a container, on a machine with cgroup v2", "%v: %s", err, withoutGroups)
	}
	return judgeGroup(g)
}

// findGroup finds the group of a process, given its folder in /proc.
func findGroup(proc string) (group, error) {
	mounts, err := readMounts(filepath.Join(proc, "mountinfo"))
	if err != nil {
		return group{}, err
	}
	i := slices.IndexFunc(mounts, func(m mount) bool { return m.kind == "cgroup2" })
	if i < 0 {
		return group{}, errNoHierarchy
	}
	m := mounts[i]
	text, err := os.ReadFile(filepath.Join(proc, "cgroup"))
	if err != nil {
		return group{}, err
	}
	for line := range strings.Lines(string(text)) {
		if path, found := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); found {
			// A group above the root of our namespace is written /../other; it is mounted nowhere.
			below, err := filepath.Rel(m.root, path)
			if err != nil || strings.HasPrefix(path, "/..") || strings.HasPrefix(below, "..") {
				return group{}, errOutside
			}
			return group{point: m.point, dir: filepath.Join(m.point, below)}, nil
		}
	}
	return group{}, errOutside
}

func judgeGroup(g group) Finding {
	for _, name := range []string{"", "cgroup.procs", "cgroup.subtree_control"} {
		path := filepath.Join(g.dir, name)
		if err := unix.Access(path, unix.W_OK); err != nil {
			return warn(mendGroup(err), "cgroup v2 is there, but %s cannot be written (%v): %s", path, err, withoutGroups)
		}
	}
	text, err := os.ReadFile(filepath.Join(g.dir, "cgroup.controllers"))
	if err != nil {
		return warn(mendGroup(err), "cgroup v2 is there, but its controllers are not known: %v: %s", err, withoutGroups)
	}
	has := strings.Fields(string(text))
	missing := slices.DeleteFunc(slices.Clone(wanted), func(c string) bool { return slices.Contains(has, c) })
	if len(missing) > 0 {
		return warn("boot with systemd.unified_cgroup_hierarchy=1 where cgroup v1 has them; else Delegate=yes in the node's systemd unit",
			"cgroup v2 at %s does not have %s: limits cannot be enforced; nothing of a job outlives it, though", g.dir, strings.Join(missing, ", "))
	}
	return ok("cgroup v2 at %s can be written and has %s", g.dir, strings.Join(wanted, ", "))
}

func mendGroup(err error) string {
	if errors.Is(err, unix.EROFS) {
		return "give the container a /sys/fs/cgroup that it can write, or: mount -o remount,rw /sys/fs/cgroup"
	}
	mode := "--user "
	if os.Geteuid() == 0 {
		mode = ""
	}
	return fmt.Sprintf("systemd-run %s--scope -p Delegate=yes rota up (in a systemd unit: Delegate=yes)", mode)
}
