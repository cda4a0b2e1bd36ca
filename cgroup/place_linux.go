package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Group is where a process stands in a hierarchy.
type Group struct {
	Point string // where the hierarchy is mounted
	Dir   string // the group's folder: Point, or below it
}

var (
	// ErrNone says that no hierarchy is mounted which would do.
	ErrNone = errors.New("none is mounted")
	// ErrOutside says that one is mounted, and the process is in no group of what is mounted of it.
	ErrOutside = errors.New("this process is in no group of what is mounted")
)

// Unified is the place of a process, given its folder in /proc, in the hierarchy of version 2.
func Unified(proc string) (Group, error) {
	g, err := place(proc, func(m mount) bool { return m.kind == "cgroup2" }, func(id, _ string) bool { return id == "0" })
	if err != nil {
		return Group{}, fmt.Errorf("cgroup v2: %w", err)
	}
	return g, nil
}

// Legacy is its place in the hierarchy of version 1 that has a controller.
func Legacy(proc, controller string) (Group, error) {
	has := func(list string) bool { return slices.Contains(strings.Split(list, ","), controller) }
	g, err := place(proc, func(m mount) bool { return m.kind == "cgroup" && has(m.options) },
		func(_, controllers string) bool { return has(controllers) })
	if err != nil {
		return Group{}, fmt.Errorf("cgroup v1 with %s: %w", controller, err)
	}
	return g, nil
}

func place(proc string, wanted func(mount) bool, line func(id, controllers string) bool) (Group, error) {
	mounts, err := readMounts(filepath.Join(proc, "mountinfo"))
	if err != nil {
		return Group{}, err
	}
	if mounts = slices.DeleteFunc(mounts, func(m mount) bool { return !wanted(m) }); len(mounts) == 0 {
		return Group{}, ErrNone
	}
	path, err := readPath(filepath.Join(proc, "cgroup"), line)
	if err != nil {
		return Group{}, err
	}
	for _, m := range mounts {
		// A group above the root of our namespace is written /../other; it is mounted nowhere.
		below, err := filepath.Rel(m.root, path)
		if err == nil && path != "" && !strings.HasPrefix(path, "/..") && below != ".." && !strings.HasPrefix(below, "../") {
			return Group{m.point, filepath.Join(m.point, below)}, nil
		}
	}
	return Group{}, ErrOutside
}

// readPath finds the line of a hierarchy in a file in the form of /proc/self/cgroup: ID:CONTROLLERS:PATH.
func readPath(file string, is func(id, controllers string) bool) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) == 3 && is(parts[0], parts[1]) {
			return parts[2], nil
		}
	}
	return "", nil
}

// mount is a hierarchy in its place.
type mount struct {
	root    string // which group is mounted
	point   string // where
	kind    string
	options string // of version 1: its controllers are among them
}

// readMounts reads a file in the form of /proc/self/mountinfo, as proc(5) has it:
//
//	35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
func readMounts(file string) ([]mount, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []mount
	for line := range strings.Lines(string(text)) {
		before, after, found := strings.Cut(line, " - ")
		b, a := strings.Fields(before), strings.Fields(after)
		if found && len(b) >= 5 && len(a) >= 3 {
			all = append(all, mount{unescape.Replace(b[3]), unescape.Replace(b[4]), a[0], a[2]})
		}
	}
	return all, nil
}

// unescape undoes what the kernel does to blanks in paths.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
