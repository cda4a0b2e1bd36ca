package keeper

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// attr is how the process is to be started; nil: as the slot's are.
func (c *confined) attr() *syscall.SysProcAttr {
	if c.group == nil {
		return nil
	}
	return c.group.attr
}

// enter brings the thread to where its child is to be.
func (c *confined) enter() *failure {
	for _, g := range c.v1 {
		if err := g.enter(); err != nil {
			return failOurs(err)
		}
	}
	if c.limits.Nice == 0 {
		return nil
	}
	return setNice(unix.PRIO_PROCESS, 0, c.limits.Nice) // of the thread alone
}

// leave brings it back, before the limits are set that would hold it up. An error means that not all of that could be
// done: without a privilege, nobody becomes less nice again.
func (c *confined) leave() error {
	var err error
	for _, g := range c.v1 {
		err = errors.Join(err, g.leave())
	}
	if c.limits.Nice != 0 {
		err = errors.Join(err, unix.Setpriority(unix.PRIO_PROCESS, 0, ownNice()))
	}
	return err
}

// settle sets the limits that could not be set before the thread was out.
func (c *confined) settle(int) error {
	var err error
	for _, g := range c.v1 {
		err = errors.Join(err, g.limitRest(c.limits))
	}
	return err
}

// ownNice is the place of the keeper's main thread, which never changes it.
func ownNice() int {
	n, err := unix.Getpriority(unix.PRIO_PROCESS, os.Getpid())
	if err != nil {
		return 0
	}
	return 20 - n // as the kernel answers
}

// close kills what is left in the groups and removes them.
func (c *confined) close() error {
	var err error
	if c.group != nil {
		used, failed := c.group.kill()
		c.group.close()
		if err = failed; !used && err == nil {
			err = c.group.remove()
		}
	}
	for _, g := range c.v1 {
		err = errors.Join(err, removeLegacy(g.dir))
	}
	return err
}

// account tells a death what the groups know of it, while they are there.
func (c *confined) account(d *death) {
	if g := c.group; g != nil {
		if g.memory >= 0 {
			d.usage.Memory = max(d.usage.Memory, number(filepath.Join(g.dir, "memory.peak"))) // Linux 5.19
			events, _ := os.ReadFile(filepath.Join(g.dir, "memory.events"))
			d.lack = lackOf(figure(events, "oom_kill"), figure(events, "oom"))
		}
		d.usage.IORead, d.usage.IOWrite = devices(filepath.Join(g.dir, "io.stat"), d.usage)
		d.forks += figureIn(filepath.Join(g.dir, "pids.events"), "max")
	}
	for _, g := range c.v1 {
		switch g.controller {
		case memoryController:
			d.usage.Memory = max(d.usage.Memory, number(g.file("memory.max_usage_in_bytes")))
			d.lack = lackOf(figureIn(g.file("memory.oom_control"), "oom_kill"), number(g.file("memory.failcnt")))
		case pidsController:
			d.forks += figureIn(g.file("pids.events"), "max")
		}
	}
}

// lackOf is what the kills for want of memory mean in a group that has reached its own limit so often.
func lackOf(kills, reached int64) lack {
	switch {
	case kills == 0:
		return nothing
	case reached > 0:
		return itsOwn
	}
	return machine
}

// devices are the bytes of all devices in an io.stat; without one, what is known already.
func devices(file string, known rota.Usage) (read, write int64) {
	text, err := os.ReadFile(file)
	if err != nil {
		return known.IORead, known.IOWrite
	}
	for _, word := range bytes.Fields(text) {
		key, value, _ := bytes.Cut(word, []byte("="))
		n, _ := strconv.ParseInt(string(value), 10, 64)
		switch string(key) {
		case "rbytes":
			read += n
		case "wbytes":
			write += n
		}
	}
	return read, write
}

// starved reports whether one of its processes was killed for want of memory: version 1 kills one, and the rest goes on.
func (c *confined) starved() bool {
	for _, g := range c.v1 {
		if g.controller == memoryController {
			return figureIn(g.file("memory.oom_control"), "oom_kill") > 0
		}
	}
	return false
}

// inUse is the memory that the attempt cannot do without, if a group of its own tells: no files that are only cached.
func (c *confined) inUse() (bytes int64, known bool) {
	if c.group != nil && c.group.memory >= 0 {
		text, err := os.ReadFile(filepath.Join(c.group.dir, "memory.stat"))
		return figure(text, "anon") + figure(text, "shmem") + figure(text, "kernel"), err == nil
	}
	for _, g := range c.v1 {
		if g.controller == memoryController {
			text, err := os.ReadFile(g.file("memory.stat"))
			return figure(text, "total_rss") + figure(text, "total_shmem") + number(g.file("memory.kmem.usage_in_bytes")), err == nil
		}
	}
	return 0, false
}

// folder is the group of version 2 in which the attempt's processes are; empty: the slot's.
func (c *confined) folder() string {
	if c == nil || c.group == nil {
		return ""
	}
	return c.group.dir
}
