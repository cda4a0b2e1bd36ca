//go:build !linux

package main

// reap returns the exit code when it is there. Orphans are Linux's to give to others than the machine's first process.
func reap(code <-chan int) int { return <-code }

func isFirst() bool { return false }

// leaveOrphans has nothing to leave: none come here.
func leaveOrphans() {}
