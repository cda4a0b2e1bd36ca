package doctor

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota/cgroup"
)

// systemBounds are the limits that the kernel and the control groups above us set for all.
func systemBounds() []bound {
	var all []bound
	for _, b := range []struct{ file, name string }{
		{"/proc/sys/kernel/pid_max", "kernel.pid_max"},
		{"/proc/sys/kernel/threads-max", "kernel.threads-max"},
	} {
		if most, known := readLimit(b.file); known {
			all = append(all, bound{most, b.name, "sysctl -w " + b.name + "=%d"})
		}
	}
	if g, err := cgroup.Unified("/proc/self"); err == nil {
		all = append(all, groupBounds(g)...)
	}
	return all
}

// groupBounds are the limits of a control group and of all above it.
func groupBounds(g cgroup.Group) []bound {
	var all []bound
	for dir := g.Dir; ; dir = filepath.Dir(dir) {
		file := filepath.Join(dir, "pids.max")
		if most, known := readLimit(file); known {
			all = append(all, bound{most, file, "raise the limit of the service or container (in a systemd unit: TasksMax=%d)"})
		}
		if dir == g.Point || dir == filepath.Dir(dir) {
			return all
		}
	}
}

// readLimit reads a file with a number; "max" and what is not there is no limit.
func readLimit(path string) (uint64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
