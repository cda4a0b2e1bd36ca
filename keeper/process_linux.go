package keeper

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// boot names the life of the machine.
func boot() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return string(bytes.TrimSpace(id))
}

// process is one that was looked at.
type process struct {
	pid     int
	state   byte // as proc(5) has it
	parent  int
	group   int
	session int
	started int64 // ticks since boot
	cpu     int64 // ticks, with those of its children that it has waited for
	threads int
	memory  int64 // bytes that are resident; what several share counts for each
}

// perTick is the unit of /proc, a hundredth of a second everywhere.
const perTick = 10 * time.Millisecond

// tick is a reading in that unit.
func tick(e rota.Elapsed) int64 { return int64(e) / int64(perTick) }

func running() (map[int]*process, error) {
	folders, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	all := make(map[int]*process)
	for _, d := range folders {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		if p := look(pid); p != nil {
			all[pid] = p
		}
	}
	return all, nil
}

// look is the process with a number; nil when there is none, or only its zombie.
func look(pid int) *process {
	if p := stat(pid); p.isAlive() {
		return p
	}
	return nil
}

// isAlive reports whether there is a process; a zombie is none.
func (p *process) isAlive() bool { return p != nil && p.state != 'Z' && p.state != 'X' }

// stat is the process with a number, be it a zombie; nil when there is none.
func stat(pid int) *process {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	// pid (name) state ppid pgrp …, numbered from 1 in proc(5); the name may contain anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 22 {
		return nil
	}
	number := func(field int) int64 {
		n, _ := strconv.ParseInt(fields[field-3], 10, 64)
		return n
	}
	return &process{pid: pid, state: fields[0][0], parent: int(number(4)), group: int(number(5)), session: int(number(6)), started: number(22),
		cpu: number(14) + number(15) + number(16) + number(17), threads: int(number(20)), memory: number(24) * int64(os.Getpagesize())}
}

// carries reports whether the process was given an environment with one of the entries, if that is known.
func (p *process) carries(entries ...string) (carries, known bool) {
	env, known := p.environment()
	return slices.ContainsFunc(strings.Split(env, "\x00"), func(e string) bool { return slices.Contains(entries, e) }), known
}

// environment is the entries that the process was given, each with a NUL behind it. It is not known of one that is just
// becoming another program or ending, which shows neither environment nor arguments for a moment, nor of one that has
// ended. One that is somebody else's shows none to us, and that is known.
func (p *process) environment() (text string, known bool) {
	folder := "/proc/" + strconv.Itoa(p.pid)
	env, err := os.ReadFile(folder + "/environ")
	if err != nil || len(env) > 0 {
		return string(env), err == nil || errors.Is(err, fs.ErrPermission)
	}
	args, _ := os.ReadFile(folder + "/cmdline")
	env, _ = os.ReadFile(folder + "/environ")
	return string(env), len(env) > 0 || len(args) > 0
}

// signalTo signals the process with a number if it is the one that is meant, and reports whether it did. What is asked
// is asked while the process is held by a descriptor: if the answer is yes, the number was that one's throughout, and the
// signal goes to it or, if it has just died, to nobody. Before Linux 5.3 it goes to the number.
func signalTo(pid int, sig syscall.Signal, is func() bool) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return errors.Is(err, unix.ENOSYS) && is() && unix.Kill(pid, sig) == nil
	}
	defer unix.Close(fd)
	return is() && unix.PidfdSendSignal(fd, sig, nil, 0) == nil
}

// isStill reports whether a process is there that was looked at before.
func (p *process) isStill() bool {
	now := look(p.pid)
	return now != nil && now.started == p.started && now.group == p.group
}

// isRunning reports whether a group has members that are not dead, of those that were started until then.
func isRunning(group int, until rota.Elapsed) bool {
	all, err := running()
	if err != nil {
		return true
	}
	for _, p := range all {
		if p.group == group && p.started <= tick(until) {
			return true
		}
	}
	return false
}
