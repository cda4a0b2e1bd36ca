package rota

import "time"

// Task is what is known of one task: where it stands, and its latest attempt.
type Task struct {
	ID      TaskID    `json:"id"`
	State   State     `json:"state"`
	Queue   string    `json:"queue"`
	Name    string    `json:"name,omitempty" doc:"its job's name"`
	Line    string    `json:"line,omitempty"`
	Gated   bool      `json:"gated,omitempty" doc:"ready, but over a limit"`
	Ending  Ending    `json:"ending,omitempty" doc:"running, but asked to end"`
	RunAt   time.Time `json:"run_at,omitzero" doc:"scheduled: when"`
	Limit   int       `json:"attempt_limit" doc:"the greatest number that an attempt may have, as it stands"`
	Lost    int       `json:"lost,omitempty" doc:"attempts that were lost"`
	Crashes int       `json:"crashes,omitempty" doc:"of those: its keeper or machine went away while it ran. After two it runs alone on its node, after three it is held"`
	Returns int       `json:"returns,omitempty" doc:"attempts given back without having started"`
	Attempt
}

// Attempt is one try at a task.
type Attempt struct {
	Number  int       `json:"attempt" doc:"from 1, or from 1,000,001 on in a store that is a copy; 0: none yet"`
	Outcome Outcome   `json:"outcome,omitempty" doc:"empty while it has not ended"`
	Node    string    `json:"node,omitempty"`
	Session string    `json:"-"`
	Claimed time.Time `json:"claimed,omitzero"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Exit    *int      `json:"exit,omitempty" doc:"exit code; none when a signal ended it or it never started"`
	Signal  int       `json:"signal,omitempty"`
	Reason  string    `json:"reason,omitempty" doc:"a sentence"`
	Error   string    `json:"error,omitempty" doc:"when it failed, the last line that it wrote, to stderr if there is one"`
	Usage
	Written
}

// Why is why the attempt ended as it did: the reason, and what it said itself.
func (a *Attempt) Why() string {
	if a.Error == "" || a.Reason == "" {
		return a.Reason + a.Error
	}
	return a.Reason + ": " + a.Error
}

// AttemptsOfIncarnation is how far the numbers of attempts of one incarnation of a store lie from those of the next: all
// that incarnation n gives are greater than n times as many (P25).
const AttemptsOfIncarnation = 1_000_000

// NextAttempt is the number of the attempt after one, in an incarnation of the store. What comes after the millions goes
// on across incarnations.
func NextAttempt(last, incarnation int) int {
	if least := incarnation * AttemptsOfIncarnation; last < least {
		return least + Nth(last) + 1
	}
	return last + 1
}

// Nth is which attempt at its task it is, counted from 1, in whatever incarnations of the store.
func Nth(attempt int) int { return attempt % AttemptsOfIncarnation }

// Usage is what an attempt took of the machine.
type Usage struct {
	CPUUser   Duration `json:"cpu_user,omitempty"`
	CPUSystem Duration `json:"cpu_system,omitempty"`
	MaxRSS    int64    `json:"max_rss,omitempty" doc:"bytes: the largest of its processes"`
	Memory    int64    `json:"peak_memory,omitempty" doc:"bytes: the most that all its processes used together; none: not known"`
	IORead    int64    `json:"io_read,omitempty" doc:"bytes read from devices; none: not known"`
	IOWrite   int64    `json:"io_write,omitempty" doc:"bytes written to devices; none: not known"`
}

// Written is how many bytes an attempt wrote to each of its streams in all, however much of them is kept. A stream
// without a number is unknown, not empty: the attempt has not ended, never started or went away with its node, the
// stream went to the job's own file, or a version recorded the attempt that did not count.
type Written struct {
	Stdout *int64 `json:"stdout_bytes,omitempty" doc:"written to it in all; none: not known"`
	Stderr *int64 `json:"stderr_bytes,omitempty" doc:"likewise"`
}

// Nothing reports whether a stream is known to be empty.
func (w Written) Nothing(to Stream) bool {
	n := w.Stdout
	if to == Stderr {
		n = w.Stderr
	}
	return n != nil && *n == 0
}

// Outcome is how an attempt ended.
type Outcome string

const (
	OutcomeSucceeded   Outcome = "succeeded"     // exit 0 of the main process
	OutcomeFailed      Outcome = "failed"        // another exit code, or a signal of somebody else's
	OutcomeTimedOut    Outcome = "timed-out"     // a failure
	OutcomeOutOfMemory Outcome = "out-of-memory" // a failure: it used more than its limit, or the machine had no more
	OutcomeRefused     Outcome = "refused"       // could never run (no such file, not executable, exit 126 or 127): not retried (P7)
	OutcomeEnded       Outcome = "ended"         // ended because somebody cancelled the task
	OutcomeReturned    Outcome = "returned"      // never started; the task is given back and the budget with it (P5, P7)
	OutcomeLost        Outcome = "lost"          // went away with its keeper or machine
)

// IsRetried reports whether it is a failure that is tried again while the budget lasts.
func (o Outcome) IsRetried() bool {
	return o == OutcomeFailed || o == OutcomeTimedOut || o == OutcomeOutOfMemory
}

// Ending says that a running task was asked to end, and how.
type Ending string

const (
	EndingCancel Ending = "cancel" // TERM, grace, KILL
	EndingKill   Ending = "kill"   // KILL at once
)

// Fate is what the store does with a task whose attempt ended. It is the rule of P7 and P9 in one place; the SQL
// of an engine must agree with it, and the store's contract tests hold it to that.
//
// Ending is whether somebody asked the running task to end.
func Fate(o Outcome, ending bool, n Tally) State {
	switch {
	case ending:
		return Cancelled
	case o == OutcomeSucceeded:
		return Succeeded
	case o == OutcomeEnded:
		return Cancelled
	case o == OutcomeReturned && n.Returns >= MaxReturns:
		return Held
	case o == OutcomeReturned:
		return Ready
	case o == OutcomeLost && (n.OnLost == LostFail || n.Lost > n.MaxLost):
		return Failed
	case o == OutcomeLost && n.Crashes > MaxCrashes:
		return Held // set aside
	case o == OutcomeLost:
		return Ready
	case o == OutcomeRefused:
		return Failed
	case n.Attempt < n.Limit:
		return Scheduled
	}
	return Failed
}

// Tally is how often what has happened to a task, this attempt included, and its limits as stored.
type Tally struct {
	Attempt, Limit int
	Lost, MaxLost  int
	Crashes        int // of the lost: its keeper or its machine went away while it ran
	Returns        int
	OnLost         OnLost
}

// RaisesLimit reports whether an attempt with this outcome does not count against the task's budget: the limit is
// raised by one and the attempt number stays (P7).
func RaisesLimit(o Outcome) bool { return o == OutcomeReturned || o == OutcomeLost }
