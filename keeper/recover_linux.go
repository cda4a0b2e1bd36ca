package keeper

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// endLeft kills what is left of an earlier keeper's attempts and waits until it is dead.
func (k *Local) endLeft(l life) error {
	for waited := time.Duration(0); ; waited += 5 * time.Millisecond {
		all, err := running()
		if err != nil {
			return err
		}
		left := 0
		for _, b := range l.runs {
			mark := scratchMark + filepath.Join(l.dir, "slots", strconv.Itoa(b.slot), "scratch")
			if !b.isOurs(all, mark) {
				continue
			}
			left++
			if waited == 0 {
				k.log.Info("ending what an earlier node left running", "task", b.Task, "attempt", b.Attempt, "group", b.pid)
			}
			_ = unix.Kill(-b.pid, unix.SIGKILL)
			if all[b.pid] != nil {
				_ = unix.Kill(b.pid, unix.SIGKILL)
			}
		}
		if left == 0 {
			return nil
		}
		if waited > gone {
			k.log.Error("killed, but processes remain that an earlier node left running", "attempts", left)
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// isOurs reports whether the group of a birth still lives, and is proven to be that group: by its leader, made when the
// journal says, or, when the leader is dead, by a member that carries the mark of its slot. As long as one member
// lives, no other group and no other process can have the number.
func (b birth) isOurs(all map[int]*process, mark string) bool {
	if leader := all[b.pid]; leader != nil {
		return leader.started >= tick(b.before) && leader.started <= tick(b.after)
	}
	for _, p := range all {
		if p.group == b.pid && p.started >= tick(b.before) && p.carries(mark) {
			return true
		}
	}
	return false
}

// process is one that runs; zombies do not.
type process struct {
	pid     int
	group   int
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
	p.started, _ = strconv.ParseInt(fields[19], 10, 64)
	return p
}

// carries reports whether the process was given an environment with that entry.
func (p *process) carries(entry string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/environ")
	if err != nil {
		return false
	}
	for e := range strings.SplitSeq(string(env), "\x00") {
		if e == entry {
			return true
		}
	}
	return false
}
