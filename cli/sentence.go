package cli

import (
	"cmp"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// standing says in a sentence where a task stands, and what it waits for.
func standing(job *rota.Job, t *rota.Task, now time.Time) string {
	switch t.State {
	case rota.Blocked:
		return "waits for " + dependencies(job.Spec.After)
	case rota.Scheduled:
		if t.Number > 0 {
			return "is tried again at " + both(t.RunAt, now)
		}
		return "starts at " + both(t.RunAt, now)
	case rota.Held:
		if t.Reason != "" {
			return "is held: " + clean(t.Reason) + "; `rota release " + t.ID.String() + "` lets it go"
		}
		return "is held; `rota release " + t.ID.String() + "` lets it go"
	case rota.Ready:
		if t.Gated {
			return fmt.Sprintf("waits: at most %d of the job's tasks run at once", job.Spec.Limit)
		}
		return fmt.Sprintf("waits in the queue %s for a free slot", t.Queue)
	case rota.Running:
		if t.Ending != "" {
			return "runs, and was asked to end"
		}
		return "runs on " + clean(t.Node) + " since " + both(t.Claimed, now)
	}
	return ending(&t.Attempt)
}

func dependencies(after []rota.Dependency) string { return cmp.Or(rota.Awaited(after), "other jobs") }

// ending says how an attempt ended.
func ending(a *rota.Attempt) string {
	if a.Reason != "" {
		return clean(a.Reason)
	}
	how := outcomeText(a.Outcome)
	switch {
	case a.Outcome == rota.OutcomeOutOfMemory:
	case a.Signal != 0:
		how = "ended by " + signalName(a.Signal)
	case a.Exit != nil && a.Outcome != rota.OutcomeSucceeded:
		how = fmt.Sprintf("exit %d", *a.Exit)
	case a.Outcome == rota.OutcomeLost:
		how = "lost with its node"
	case a.Outcome == rota.OutcomeRefused:
		how = "could not be run"
	case a.Outcome == "" && a.Number == 0:
		how = "never started"
	case a.Outcome == "":
		how = "has not ended"
	}
	return how
}

// outcomeText is an outcome in words.
func outcomeText(o rota.Outcome) string {
	if o == rota.OutcomeOutOfMemory {
		return "out of memory"
	}
	return string(o)
}

func signalName(n int) string {
	if name := unix.SignalName(unix.Signal(n)); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", n)
}

// exitCode is the code that a command ends with which stands for the task: the task's own, 128 and the signal when
// one ended it, 126 or 127 when it could not be run, 125 when it never ran or was lost. Only success is 0.
func exitCode(t *rota.Task) int {
	switch {
	case t.State == rota.Succeeded:
		return 0
	case t.Exit != nil && *t.Exit != 0:
		return *t.Exit
	case t.Signal != 0:
		return exitSignal + t.Signal
	case t.Outcome == rota.OutcomeRefused:
		return exitCannotRun
	case t.Exit != nil: // it ended with 0, and yet did not succeed: it timed out, or was cancelled
		return 1
	}
	return exitOwn
}

// plainExit reports whether a task's end needs no words: it exited by itself.
func plainExit(t *rota.Task) bool {
	return t.State == rota.Succeeded || (t.State == rota.Failed && t.Outcome == rota.OutcomeFailed && t.Signal == 0)
}
