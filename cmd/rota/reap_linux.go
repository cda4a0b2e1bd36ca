package main

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// orphansAreTheirs is closed when a keeper in this process reaps what comes to it.
var orphansAreTheirs = make(chan struct{})

// leaveOrphans leaves them to a keeper in this process, which knows whose they are.
func leaveOrphans() { close(orphansAreTheirs) }

// reap returns the exit code when it is there. Until then it reaps what the kernel has made children of the first thread:
// orphans, if the process is the first of a container, and the keeper, if the process was another program before.
func reap(code <-chan int) int {
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	for {
		select {
		case <-orphansAreTheirs:
			signal.Stop(children)
			return <-code
		default:
		}
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG|unix.WNOTHREAD, nil)
			if pid <= 0 && err != unix.EINTR {
				break
			}
		}
		select {
		case c := <-code:
			return c
		case <-children:
		case <-orphansAreTheirs:
		}
	}
}

// isFirst reports whether the process is the first of its container, with which all others end.
func isFirst() bool { return os.Getpid() == 1 }
