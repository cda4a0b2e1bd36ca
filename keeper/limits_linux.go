package keeper

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// limiter knows by which means each limit can be held: a controller of the slots' control groups (version 2), one of
// version 1, or by looking once a second and ending what is over it. CPUs cannot be held by looking.
type limiter struct {
	groups groups
	log    *slog.Logger

	mu     sync.Mutex
	legacy map[string]*legacy // by controller; what cannot be used is not in it
	told   map[string]bool
}

// openLimiter finds the means. Version 1 serves for what version 2 has not.
func openLimiter(folder string, g groups, noGroups bool, log *slog.Logger) *limiter {
	l := &limiter{groups: g, log: log, legacy: map[string]*legacy{}, told: map[string]bool{}}
	for _, c := range []string{memoryController, cpuController, pidsController} {
		if noGroups || g.has(c) {
			continue
		}
		if found, err := openLegacy(folder, c); err == nil {
			l.legacy[c] = found
		} else if found != nil {
			log.Warn("control groups of an earlier keeper are left", "dir", found.dir, "error", err)
		}
	}
	return l
}

func (l *limiter) remove() error {
	var err error
	for _, v1 := range l.legacy {
		err = errors.Join(err, v1.remove())
	}
	return err
}

// confined is what holds the limits of one attempt: control groups made for it, which end with it, so that nothing of
// it, be it a limit, a peak or a cached file, is the next one's. One without limits has none, and pays nothing.
type confined struct {
	limits  rota.Limits
	watched rota.Limits // those that no controller holds
	group   *group      // of version 2; nil: the slot's
	v1      []legacyGroup
}

// confine makes what holds the limits of a slot's next attempt; nil when it has none.
func (l *limiter) confine(slot int, limits rota.Limits) (*confined, *failure) {
	if limits == (rota.Limits{}) {
		return nil, nil
	}
	c := &confined{limits: limits}
	if err := l.hold(c, strconv.Itoa(slot)+".limits"); err != nil {
		return nil, failOurs(errors.Join(err, c.close()))
	}
	return c, nil
}

// hold makes the groups, and says what no group holds.
func (l *limiter) hold(c *confined, name string) error {
	for _, w := range []struct {
		controller string
		wanted     bool
		watch      func()
	}{
		{memoryController, c.limits.Memory > 0, func() { c.watched.Memory = c.limits.Memory }},
		{pidsController, c.limits.PIDs > 0, func() { c.watched.PIDs = c.limits.PIDs }},
		{cpuController, c.limits.CPUs > 0, func() {}},
	} {
		if !w.wanted {
			continue
		}
		if l.groups.has(w.controller) {
			if err := l.unified(c, name); err != nil {
				return err
			}
			if err := c.limit(w.controller); err != nil {
				return err
			}
		} else if !l.join(c, w.controller, name) {
			w.watch()
		}
	}
	return nil
}

// unified makes the group of version 2, once.
func (l *limiter) unified(c *confined, name string) (err error) {
	if c.group == nil {
		c.group, err = l.groups.slot(name)
	}
	return err
}

// period is the stretch of time of which a limit of CPUs is a part; the kernel gives no part shorter than quotaLeast.
const (
	period     = 100_000 // microseconds
	quotaLeast = 1_000
)

func quota(cpus float64) int64 { return max(quotaLeast, int64(cpus*period)) }

// limit sets a limit of version 2. One that has reached its limit of memory is killed as a whole, and does not swap.
func (c *confined) limit(controller string) error {
	file := func(name string) string { return filepath.Join(c.group.dir, name) }
	switch controller {
	case memoryController:
		_ = put(file("memory.swap.max"), 0)  // not there without swap
		_ = put(file("memory.oom.group"), 1) // Linux 4.19
		return put(file("memory.max"), c.limits.Memory)
	case pidsController:
		return put(file("pids.max"), int64(c.limits.PIDs))
	}
	return os.WriteFile(file("cpu.max"), fmt.Appendf(nil, "%d %d", quota(c.limits.CPUs), period), 0)
}

// join makes the group of version 1, with its limit where that can be set before the thread goes there: in a group
// with a quota of its own the thread would stand still with all that it holds, and it counts as a process.
func (l *limiter) join(c *confined, controller, name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	v1 := l.legacy[controller]
	if v1 == nil {
		l.tell(controller, l.groups.why)
		return false
	}
	g, err := v1.group(name)
	if err == nil {
		if err = g.limit(c.limits); err != nil {
			_ = unix.Rmdir(g.dir)
		}
	}
	if err != nil {
		delete(l.legacy, controller)
		l.tell(controller, err)
		return false
	}
	c.v1 = append(c.v1, g)
	return true
}

// tell says once what is not held as it could be.
func (l *limiter) tell(controller string, why error) {
	if l.told[controller] {
		return
	}
	l.told[controller] = true
	if controller == cpuController {
		l.log.Warn("limits of CPUs do not hold here, and jobs run without them: no control group has the controller", "reason", why)
	} else {
		l.log.Info("limits are held by a look each second: no control group has the controller", "controller", controller, "reason", why)
	}
}

// limit sets what is to hold from the beginning.
func (g legacyGroup) limit(l rota.Limits) error {
	switch g.controller {
	case memoryController:
		if err := put(g.file("memory.limit_in_bytes"), l.Memory); err != nil {
			return err
		}
		// It swaps no more than a page: with none at all, Linux 6.18 does not count that the limit is reached.
		withSwap := l.Memory + int64(os.Getpagesize())
		if err := put(g.file("memory.memsw.limit_in_bytes"), withSwap); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	case pidsController:
		return put(g.file("pids.max"), int64(l.PIDs)+1)
	}
	return nil
}

// limitRest sets the others when the thread is out. A quota beyond that of a group above is refused, and then that
// one holds.
func (g legacyGroup) limitRest(l rota.Limits) error {
	switch g.controller {
	case pidsController:
		return put(g.file("pids.max"), int64(l.PIDs))
	case cpuController:
		if err := put(g.file("cpu.cfs_period_us"), period); err != nil {
			return err
		}
		if err := put(g.file("cpu.cfs_quota_us"), quota(l.CPUs)); err != nil && !errors.Is(err, unix.EINVAL) {
			return err
		}
	}
	return nil
}
