package keeper

import (
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// death is how a process ended.
type death struct {
	status unix.WaitStatus
	why    ending
	killed bool
	usage  rota.Usage
	lack   lack
	forks  int64  // that its limit of processes has refused
	said   string // why the keeper ended it, where that needs figures
}

// The codes by which a shell, env, nice, timeout and their like say that they could not start what they were to, and
// by which we say it.
const (
	notExecutable = 126
	notFound      = 127
)

// tell says it in the terms of an exit: what the job did, unless it was the keeper who ended it.
func (d *death) tell(e *executor.Exit, p *executor.Process) {
	if d.status.Exited() {
		code := d.status.ExitStatus()
		e.Code = &code
	} else {
		e.Signal = int(d.status.Signal())
	}
	switch {
	case d.why == expired:
		e.Outcome, e.Reason = rota.OutcomeTimedOut, "timed out after "+p.Timeout.String()+d.grace(p)
	case d.why == stopped:
		e.Outcome, e.Reason = rota.OutcomeEnded, "ended on request"+d.grace(p)
	case d.why == unleased:
		e.Outcome, e.Reason = rota.OutcomeEnded, "ended because the lease was not renewed in time"
	case d.why == overPIDs:
		e.Outcome, e.Reason = rota.OutcomeFailed, "killed: "+d.said
	case d.why == overMemory || d.lack == itsOwn:
		e.Outcome, e.Reason = rota.OutcomeOutOfMemory, d.starved(p)
	case d.lack == machine && !d.succeeded():
		e.Outcome, e.Reason = rota.OutcomeOutOfMemory, "out of memory: the machine, or a limit of all that Rota runs, had no more for it"
	case e.Code == nil:
		e.Outcome, e.Reason = rota.OutcomeFailed, signalled(e.Signal)
	case *e.Code == 0:
		e.Outcome = rota.OutcomeSucceeded
	case *e.Code == notExecutable:
		e.Outcome, e.Reason = rota.OutcomeRefused, "exit code 126: a command in it could not be executed"
	case *e.Code == notFound:
		e.Outcome, e.Reason = rota.OutcomeRefused, "exit code 127: a command in it was not found"
	default:
		e.Outcome, e.Reason = rota.OutcomeFailed, "exit code "+strconv.Itoa(*e.Code)
	}
	if d.forks > 0 && e.Outcome == rota.OutcomeFailed {
		e.Reason += "; it wanted more than its limit of " + strconv.Itoa(p.Limits.PIDs) + " processes and threads"
	}
}

func (d *death) succeeded() bool { return d.status.Exited() && d.status.ExitStatus() == 0 }

// starved is the sentence for one that reached its limit of memory.
func (d *death) starved(p *executor.Process) string {
	switch {
	case d.said != "":
		return d.said
	case d.lack == machine:
		return "out of memory: some of its processes were killed, for the machine had no more"
	}
	return "out of memory: its processes reached their limit of " + bytesOf(p.Limits.Memory)
}

// grace says whether it took more than TERM.
func (d *death) grace(p *executor.Process) string {
	if d.killed && p.Grace > 0 {
		return ", and killed"
	}
	return ""
}

func signalled(n int) string {
	verb, name, note := "ended", unix.Signal(n).String(), ""
	switch unix.Signal(n) {
	case unix.SIGKILL:
		verb, note = "killed", ": by somebody, or by the system for want of memory"
	case unix.SIGXCPU:
		note = ": its limit of CPU time"
	case unix.SIGXFSZ:
		note = ": its limit of file size"
	}
	text := verb + " by signal " + strconv.Itoa(n)
	if name != "signal "+strconv.Itoa(n) {
		text += " (" + name + ")"
	}
	return text + note
}

// used is what a process and those it waited for took. Its peak of memory counts from the fork, when it still was a
// likeness of the keeper: one that is no greater than the keeper's own says nothing of the job, and is left out.
func used(u *unix.Rusage) rota.Usage {
	peak := peakOf(u)
	const blur = 1 << 20 // the kernel counts in strides
	var self unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &self) == nil && peak <= peakOf(&self)+blur {
		peak = 0
	}
	found := rota.Usage{CPUUser: rota.Duration(u.Utime.Nano()), CPUSystem: rota.Duration(u.Stime.Nano()), MaxRSS: peak}
	if runtime.GOOS == "linux" { // elsewhere these are counts of operations
		const block = 512
		found.IORead, found.IOWrite = int64(u.Inblock)*block, int64(u.Oublock)*block
	}
	return found
}

func peakOf(u *unix.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss) // bytes there, KiB elsewhere
	}
	return int64(u.Maxrss) << 10
}
