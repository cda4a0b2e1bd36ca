package main

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
)

// hasOpen reports whether a process has a file open. Of one that cannot be looked into it is taken for granted: it is
// another user's, or the kernel will say so; but not of the first, which outside of a container is everybody's.
func hasOpen(pid int, path string) bool {
	want, err := os.Stat(path)
	if err != nil {
		return false
	}
	folder := "/proc/" + strconv.Itoa(pid) + "/fd/"
	open, err := os.ReadDir(folder)
	if err != nil {
		return pid != 1 && errors.Is(err, fs.ErrPermission)
	}
	for _, d := range open {
		if is, err := os.Stat(folder + d.Name()); err == nil && os.SameFile(is, want) {
			return true
		}
	}
	return false
}
