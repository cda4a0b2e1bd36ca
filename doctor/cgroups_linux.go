package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/cgroup"
)

// withoutGroups is what follows for jobs.
const withoutGroups = "jobs are ended by process group, and what leaves it is not followed"

// checkCgroups asks whether jobs can have control groups of their own, out of which nothing hides. A node runs without.
func checkCgroups(context.Context, Place) Finding {
	g, err := cgroup.Unified("/proc/self")
	if err != nil {
		return warn("boot with systemd.unified_cgroup_hierarchy=1; in a container, on a machine with cgroup v2", "%v: %s", err, withoutGroups)
	}
	return judgeGroup(g)
}

func judgeGroup(g cgroup.Group) Finding {
	for _, name := range []string{"", "cgroup.procs"} {
		path := filepath.Join(g.Dir, name)
		if err := unix.Access(path, unix.W_OK); err != nil {
			return warn(mendGroup(err), "cgroup v2 is there, but %s cannot be written (%v): %s", path, err, withoutGroups)
		}
	}
	return ok("cgroup v2 at %s can be written: nothing of a job outlives it", g.Dir)
}

func mendGroup(err error) string {
	if errors.Is(err, unix.EROFS) {
		return "give the container a /sys/fs/cgroup that it can write, or: mount -o remount,rw /sys/fs/cgroup"
	}
	return delegate()
}

// delegate is the command that gives a node a group in which it may do as it likes.
func delegate() string {
	mode := "--user "
	if os.Geteuid() == 0 {
		mode = ""
	}
	return "systemd-run " + mode + "--scope -p Delegate=yes rota up (in a systemd unit: Delegate=yes)"
}
