package jar

import (
	"bytes"
	"os"
	"strconv"
)

func bootOf() string { return readID("/proc/sys/kernel/random/boot_id") }

func machineOf() string { return readID("/etc/machine-id", "/var/lib/dbus/machine-id") }

func namespaceOf() string {
	name, _ := os.Readlink("/proc/self/ns/pid")
	return name
}

// startOf is when a process was started, in ticks since boot, and whether it runs: one that is dead and not reaped does
// not.
func startOf(pid int) (start int64, there bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	// pid (name) state ppid …, numbered from 1 in proc(5); the name may contain anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
		return 0, false
	}
	start, _ = strconv.ParseInt(string(fields[22-3]), 10, 64)
	return start, true
}
