package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// groupProc makes a folder like /proc/self, of a process in the group /mine of a hierarchy mounted at point.
func groupProc(t *testing.T, kind, point, groups string) string {
	t.Helper()
	proc := t.TempDir()
	write(t, filepath.Join(proc, "mountinfo"), fmt.Sprintf("22 1 0:1 / / rw - ext4 /dev/sda rw\n30 22 0:2 / %s rw - %s %s rw\n", point, kind, kind))
	write(t, filepath.Join(proc, "cgroup"), groups)
	return proc
}

func TestUnified(t *testing.T) {
	g, err := Unified(groupProc(t, "cgroup2", "/sys/fs/cgroup", "0::/user.slice/mine\n"))
	if want := (Group{"/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/mine"}); g != want || err != nil {
		t.Errorf("%v, %v: want %v", g, err, want)
	}
	g, err = Unified(groupProc(t, "cgroup2", "/sys/fs/cgroup/unified", "4:memory:/x\n0::/\n"))
	if want := (Group{"/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified"}); g != want || err != nil {
		t.Errorf("%v, %v: want %v", g, err, want)
	}
	if _, err := Unified(groupProc(t, "cgroup", "/sys/fs/cgroup", "1:name=systemd:/\n")); !errors.Is(err, ErrNone) {
		t.Errorf("version 1 alone: %v: want %v", err, ErrNone)
	}
	if _, err := Unified(groupProc(t, "cgroup2", "/sys/fs/cgroup", "1:name=systemd:/\n")); !errors.Is(err, ErrOutside) {
		t.Errorf("in no group: %v: want %v", err, ErrOutside)
	}
	if _, err := Unified(groupProc(t, "cgroup2", "/sys/fs/cgroup", "0::/../sibling\n")); !errors.Is(err, ErrOutside) {
		t.Errorf("above what is mounted: %v: want %v", err, ErrOutside)
	}
}

func TestLegacyIsTheHierarchyOfItsController(t *testing.T) {
	proc := t.TempDir()
	write(t, filepath.Join(proc, "mountinfo"), "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"+
		"36 31 0:33 /docker/x /sys/fs/cgroup/cpu\\040acct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"+
		"37 31 0:34 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n")
	write(t, filepath.Join(proc, "cgroup"), "4:memory:/a:b\n1:cpu,cpuacct:/docker/x/y\n8:pids:/\n0::/\n")
	for controller, want := range map[string]Group{
		"memory":  {"/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/a:b"},
		"cpu":     {"/sys/fs/cgroup/cpu acct", "/sys/fs/cgroup/cpu acct/y"},
		"cpuacct": {"/sys/fs/cgroup/cpu acct", "/sys/fs/cgroup/cpu acct/y"},
	} {
		if g, err := Legacy(proc, controller); g != want || err != nil {
			t.Errorf("%s: %v, %v", controller, g, err)
		}
	}
	if g, err := Legacy(proc, "pids"); !errors.Is(err, ErrNone) {
		t.Errorf("pids, which is not mounted: %v, %v", g, err)
	}
}

// tree makes a group's folder as the kernel does. Without events it is the root's.
func tree(t *testing.T, dir, controllers, given, processes string, root bool) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cgroup.controllers"), controllers)
	write(t, filepath.Join(dir, "cgroup.subtree_control"), given)
	write(t, filepath.Join(dir, "cgroup.procs"), processes)
	if !root {
		write(t, filepath.Join(dir, "cgroup.events"), "populated 1\n")
	}
}

var wanted = []string{"memory", "cpu", "pids"}

func TestFindTakesTheGroupThatHasMost(t *testing.T) {
	const all, none = "memory cpu pids", ""
	self := fmt.Sprintln(os.Getpid())
	for _, c := range []struct {
		name            string
		ownHas, ownGave string
		processes       string
		rootHas, gave   string
		inRoot          bool
		controllers     string
	}{
		{"delegated", all, none, self, all, none, false, all},
		{"a group with strangers", all, none, "1\n", all, none, true, all},
		{"a group with processes of another namespace", all, none, "0\n", all, none, true, all},
		{"a group with strangers, given before", all, all, "1\n", none, none, false, all},
		{"the root has no more", "memory", none, self, "memory", none, false, "memory"},
		{"nobody has any", none, none, self, none, none, false, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			own := Group{root, filepath.Join(root, "session")}
			tree(t, root, c.rootHas, c.gave, "1\n", true)
			tree(t, own.Dir, c.ownHas, c.ownGave, c.processes, false)
			p := Find(own, wanted)
			if in := p.Dir == root; in != c.inRoot || strings.Join(p.Controllers, " ") != c.controllers || (p.Err == nil) != (c.controllers == all) {
				t.Errorf("%+v", p)
			}
		})
	}
}

// What Find says Enable does; ours move out of a group that is to give controllers on, once.
func TestEnableMovesOursOutOfTheWay(t *testing.T) {
	root := t.TempDir()
	own := Group{root, filepath.Join(root, "delegated")}
	tree(t, root, "", "", "", true)
	tree(t, own.Dir, "memory pids", "", fmt.Sprintln(os.Getpid()), false)
	given, err := Find(own, wanted).Enable()
	if !slices.Equal(given, []string{"memory", "pids"}) || err != nil {
		t.Fatalf("%v, %v", given, err)
	}
	home := filepath.Join(own.Dir, leaf)
	if pids, err := Processes(home); !slices.Equal(pids, []int{os.Getpid()}) || err != nil {
		t.Errorf("%v, %v", pids, err)
	}
	if p := Find(Group{root, home}, wanted); p.Dir != own.Dir {
		t.Errorf("from where we moved to: %+v", p)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
