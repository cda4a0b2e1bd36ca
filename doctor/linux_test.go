//go:build linux

package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/cgroup"
)

func TestClockSync(t *testing.T) {
	expect(t, judgeClockSync(0, 0, 12*time.Millisecond), OK, "within 12ms")
	expect(t, judgeClockSync(5, 0, 0), Warn, "nothing keeps the clock right")
	expect(t, judgeClockSync(0, unix.STA_UNSYNC, 0), Warn, "nothing keeps the clock right")
}

func TestGroup(t *testing.T) {
	dir := t.TempDir()
	g := cgroup.Group{Point: dir, Dir: filepath.Join(dir, "mine")}
	expect(t, judgeGroup(g), Warn, g.Dir+" cannot be written", withoutGroups)
	if err := os.Mkdir(g.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	expect(t, judgeGroup(g), Warn, "cgroup.procs cannot be written", withoutGroups)
	write(t, filepath.Join(g.Dir, "cgroup.procs"), "")
	expect(t, judgeGroup(g), OK, "nothing of a job outlives it")
}

func TestD6LimitsAreSaidToHoldAsTheyDo(t *testing.T) {
	v2, unified, older := t.TempDir(), "cgroup v2: no controller", "cgroup v1: none"
	for _, name := range []string{"cgroup.procs", "cgroup.subtree_control"} {
		write(t, filepath.Join(v2, name), "")
	}
	write(t, filepath.Join(v2, "cgroup.controllers"), "cpuset cpu io memory pids\n")
	proc := t.TempDir()
	write(t, filepath.Join(proc, "mountinfo"), "30 22 0:2 / "+v2+" rw - cgroup2 cgroup2 rw\n")
	write(t, filepath.Join(proc, "cgroup"), "0::/\n")
	expect(t, judgeLimits(findMeans(proc)), OK, "memory by control group (v2), CPUs by control group (v2), processes by control group (v2)")

	write(t, filepath.Join(v2, "cgroup.controllers"), "memory\n")
	v1 := t.TempDir()
	for _, name := range []string{"tasks", "cpu.cfs_quota_us"} {
		write(t, filepath.Join(v1, name), "")
	}
	write(t, filepath.Join(proc, "mountinfo"), "30 22 0:2 / "+v2+" rw - cgroup2 cgroup2 rw\n31 22 0:3 / "+v1+" rw - cgroup cgroup rw,cpu,cpuacct\n")
	write(t, filepath.Join(proc, "cgroup"), "3:cpu,cpuacct:/\n0::/\n")
	expect(t, judgeLimits(findMeans(proc)), Warn, "memory by control group (v2), CPUs by control group (v1), processes by a look each second",
		v2+" does not have the controller")

	write(t, filepath.Join(proc, "mountinfo"), "")
	expect(t, judgeLimits(findMeans(proc)), Warn, "memory by a look each second, CPUs not at all", "processes by a look", "none is mounted")
	expect(t, judgeLimits([]means{{what: "memory", why: errors.New(unified + older)}}), Warn, unified)
}

func TestGroupBounds(t *testing.T) {
	point := t.TempDir()
	g := cgroup.Group{Point: point, Dir: filepath.Join(point, "system.slice", "rota.service")}
	if err := os.MkdirAll(g.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(g.Dir, "pids.max"), "max\n")
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
