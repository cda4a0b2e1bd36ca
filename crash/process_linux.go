package crash

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// Look is the process with a number. Zombies do not run.
func Look(pid int) (p Process, runs bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return p, false
	}
	// pid (name) state ppid pgrp …; the name may contain anything, and starttime is field 22.
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return p, false
	}
	p.PID = pid
	p.Parent, _ = strconv.Atoi(f[1])
	p.Started, _ = strconv.ParseInt(f[19], 10, 64)
	return p, true
}

// Marked are the processes that run and have the mark in their environment.
func Marked(mark string) []Process {
	folders, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []Process
	for _, d := range folders {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		env, err := os.ReadFile("/proc/" + d.Name() + "/environ")
		if err != nil || !strings.Contains("\x00"+string(env), "\x00"+MarkName+"="+mark+"\x00") {
			continue
		}
		if p, runs := Look(pid); runs {
			p.Env = string(env)
			found = append(found, p)
		}
	}
	return found
}
