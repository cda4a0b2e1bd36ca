//go:build linux

package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestClockSync(t *testing.T) {
	expect(t, judgeClockSync(0, 0, 12*time.Millisecond), OK, "within 12ms")
	expect(t, judgeClockSync(5, 0, 0), Warn, "nothing keeps the clock right")
	expect(t, judgeClockSync(0, unix.STA_UNSYNC, 0), Warn, "nothing keeps the clock right")
}

// groupProc makes a folder like /proc/self, of a process in the group /mine of a hierarchy mounted at point.
func groupProc(t *testing.T, kind, point, groups string) string {
	t.Helper()
	proc := t.TempDir()
	write(t, filepath.Join(proc, "mountinfo"), fmt.Sprintf("22 1 0:1 / / rw - ext4 /dev/sda rw\n30 22 0:2 / %s rw - %s %s rw\n", point, kind, kind))
	write(t, filepath.Join(proc, "cgroup"), groups)
	return proc
}

func TestFindGroup(t *testing.T) {
	g, err := findGroup(groupProc(t, "cgroup2", "/sys/fs/cgroup", "0::/user.slice/mine\n"))
	if want := (group{"/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/mine"}); g != want || err != nil {
		t.Errorf("%v, %v: want %v", g, err, want)
	}
	g, err = findGroup(groupProc(t, "cgroup2", "/sys/fs/cgroup/unified", "4:memory:/x\n0::/\n"))
	if want := (group{"/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified"}); g != want || err != nil {
		t.Errorf("%v, %v: want %v", g, err, want)
	}
	if _, err := findGroup(groupProc(t, "cgroup", "/sys/fs/cgroup", "1:name=systemd:/\n")); err != errNoHierarchy {
		t.Errorf("version 1 alone: %v: want %v", err, errNoHierarchy)
	}
	if _, err := findGroup(groupProc(t, "cgroup2", "/sys/fs/cgroup", "1:name=systemd:/\n")); err != errOutside {
		t.Errorf("in no group: %v: want %v", err, errOutside)
	}
	if _, err := findGroup(groupProc(t, "cgroup2", "/sys/fs/cgroup", "0::/../sibling\n")); err != errOutside {
		t.Errorf("above what is mounted: %v: want %v", err, errOutside)
	}
}

func TestGroup(t *testing.T) {
	dir := t.TempDir()
	g := group{dir, filepath.Join(dir, "mine")}
	expect(t, judgeGroup(g), Warn, g.dir+" cannot be written", withoutGroups)
	if err := os.Mkdir(g.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(g.dir, "cgroup.procs"), "")
	expect(t, judgeGroup(g), Warn, "cgroup.subtree_control cannot be written", withoutGroups)
	write(t, filepath.Join(g.dir, "cgroup.subtree_control"), "")
	expect(t, judgeGroup(g), Warn, "controllers are not known", withoutGroups)
	write(t, filepath.Join(g.dir, "cgroup.controllers"), "cpuset cpu io\n")
	expect(t, judgeGroup(g), Warn, "does not have memory, pids", "limits cannot be enforced")
	write(t, filepath.Join(g.dir, "cgroup.controllers"), "cpuset cpu io memory hugetlb pids rdma\n")
	expect(t, judgeGroup(g), OK, "cpu, memory, pids")
}

func TestGroupBounds(t *testing.T) {
	point := t.TempDir()
	g := group{point, filepath.Join(point, "system.slice", "rota.service")}
	if err := os.MkdirAll(g.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(g.dir, "pids.max"), "max\n")
	write(t, filepath.Join(point, "system.slice", "pids.max"), "40\n")
	write(t, filepath.Join(point, "pids.max"), "500\n")
	expect(t, judgeProcesses(groupBounds(g), 4), Warn, "40 processes", "system.slice/pids.max")
}

func TestSystemBounds(t *testing.T) {
	if len(systemBounds()) < 2 {
		t.Errorf("%v: want at least pid_max and threads-max", systemBounds())
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
