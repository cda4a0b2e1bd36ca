//go:build !linux

package main

// hasOpen cannot be known here, and is taken for granted, but not of the first process, which is everybody's.
func hasOpen(pid int, _ string) bool { return pid != 1 }
