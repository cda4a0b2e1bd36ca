package keeper

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// lack is what an attempt with limits had too little of.
type lack uint8

const (
	nothing lack = iota
	itsOwn       // memory: it reached its limit
	machine      // memory: the machine, or what limits all of Rota, had no more
)

// fork makes the process of an attempt with limits, on a thread that has what is to hold before its program runs.
func (s *slot) fork(l *launch, c *confined) (int, *failure) {
	if c == nil {
		return l.fork()
	}
	if attr := c.attr(); attr != nil {
		l.sys = l.as.attr(attr)
	}
	var pid int
	f := c.enter()
	if f == nil {
		pid, f = l.fork()
	}
	if err := c.leave(); err != nil {
		s.spent = true // the thread goes when the attempt has ended, and another takes its place
		s.keeper.log.Debug("a thread is not used again", "slot", s.number, "reason", err)
	}
	if f == nil {
		if err := c.settle(pid); err != nil {
			s.keeper.log.Error("a limit could not be set, and the attempt runs without it", "process", pid, "error", err)
		}
	}
	return pid, f
}

// setNice puts a process, or all of a group, in its place among the programs of the machine.
func setNice(which, who, nice int) *failure {
	err := unix.Setpriority(which, who, nice)
	switch err {
	case nil:
		return nil
	case unix.EACCES, unix.EPERM:
		return refused(notExecutable, fmt.Sprintf("nice %d: this node may not put its jobs before others", nice))
	}
	return failOurs(fmt.Errorf("nice %d: %w", nice, err))
}

// bytesOf is a number of bytes for a sentence.
func bytesOf(n int64) string {
	for _, u := range []struct {
		name string
		size int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= u.size {
			if n%u.size == 0 {
				return fmt.Sprintf("%d %s", n/u.size, u.name)
			}
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.size), u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// overMemory is the sentence for an attempt that was seen above its limit.
func overMemorySays(is int64, l rota.Limits) string {
	return fmt.Sprintf("out of memory: its processes used %s together, and %s is their limit", bytesOf(is), bytesOf(l.Memory))
}

func overPIDsSays(are int, l rota.Limits) string {
	return fmt.Sprintf("%d processes and threads, and %d is their limit", are, l.PIDs)
}
