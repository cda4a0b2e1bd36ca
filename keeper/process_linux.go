package keeper

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

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

// process is one that runs; zombies do not.
type process struct {
	pid     int
	group   int
	session int
	started int64 // ticks since boot
}

// tick is a reading in the unit of /proc, which is a hundredth of a second everywhere.
func tick(e rota.Elapsed) int64 { return int64(e) / int64(10*time.Millisecond) }

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
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	// pid (name) state ppid pgrp …; the name may contain anything, and starttime is field 22.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return nil
	}
	p := &process{pid: pid}
	p.group, _ = strconv.Atoi(fields[2])
	p.session, _ = strconv.Atoi(fields[3])
	p.started, _ = strconv.ParseInt(fields[19], 10, 64)
	return p
}

// carries reports whether the process was given an environment with that entry, if that is known.
func (p *process) carries(entry string) (carries, known bool) {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/environ")
	if err != nil {
		return false, true // it has ended, or is somebody else's
	}
	for e := range strings.SplitSeq(string(env), "\x00") {
		if e == entry {
			return true, true
		}
	}
	return false, len(env) > 0
}

// isRunning reports whether a group has members that are not dead.
func isRunning(group int) bool {
	all, err := running()
	return err != nil || hasMember(all, group)
}

func hasMember(all map[int]*process, group int) bool {
	for _, p := range all {
		if p.group == group {
			return true
		}
	}
	return false
}
