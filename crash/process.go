package crash

import (
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// MarkName is the variable in the environment by which all processes of a test's jobs are known.
const MarkName = "CRASH_MARK"

// Process is a process that runs.
type Process struct {
	PID     int
	Parent  int
	Started int64 // ticks since boot
	Env     string
}

// Runs reports whether the process is still there, and not another with its number.
func (p Process) Runs() bool {
	now, runs := Look(p.PID)
	return runs && now.Started == p.Started
}

// Node is the name of the node that the process belongs to.
func (p Process) Node() string {
	for entry := range strings.SplitSeq(p.Env, "\x00") {
		if name, value, _ := strings.Cut(entry, "="); name == "ROTA_NODE" {
			return value
		}
	}
	return ""
}

// Try is the attempt that the process belongs to.
func (p Process) Try() (t rota.Try) {
	for entry := range strings.SplitSeq(p.Env, "\x00") {
		switch name, value, _ := strings.Cut(entry, "="); name {
		case "ROTA_TASK":
			t.Task, _ = rota.ParseTaskID(value)
		case "ROTA_ATTEMPT":
			t.Attempt, _ = strconv.Atoi(value)
		}
	}
	return t
}
