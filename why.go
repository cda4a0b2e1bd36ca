package rota

import (
	"fmt"
	"time"
)

// Standing is what keeps a task where it is, as the store has it.
type Standing struct {
	Task
	Job   Job
	On    string         // the node it is for, or a label of nodes
	Needs Resources      // of its node
	Shell bool           // one runs it, or may
	Home  SessionID      // the only session that may claim it; empty: any
	Waits []Dependency   // of jobs that have not ended
	Gate  *Gate          // ready, but behind this
	Ahead int            // ready tasks of its queue that come before it, up to CountCap
	Line  Queue          // its queue, with counts
	Pace  time.Time      // by which a queue with so many starts a second is as if nothing had started
	Held  map[string]int // by node, how many tasks of the queue run there
	Used  map[string]Resources
	Runs  []Duration // for how long the queue's running tasks run by now
	Took  []Duration // how long tasks of the queue, and of that name if there are enough, took of late
	Now   time.Time
}

// Gate is a limit that a ready task waits behind.
type Gate struct {
	Kind string // array, key or flow
	Name string // of the key or the flow
	Max  int
	Open int
}

// Why says what keeps a task waiting, and what would change that.
type Why struct {
	Task    TaskID   `json:"task"`
	State   State    `json:"state"`
	Queue   string   `json:"queue"`
	Ahead   int      `json:"ahead" doc:"ready: tasks of its queue that come before it, at most 10,000"`
	Reasons []Reason `json:"reasons" nullable:"false" doc:"none: it starts at the next claim, or does not wait"`
	Start   *Expect  `json:"start,omitempty" doc:"when it is expected to start, if that can be told"`
}

// Reason is a reason why a task has not started.
type Reason struct {
	Text string   `json:"text" doc:"a sentence without a full stop"`
	Fix  string   `json:"fix,omitempty" doc:"the command that would change it; none: time or other tasks do"`
	For  Duration `json:"for,omitempty" doc:"how long it holds at least"`
}

// Expect is a span of time in which something is expected: nine times of ten.
type Expect struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Seen int       `json:"seen" doc:"how many tasks were measured for it"`
}

// Text says when that is, as seen at a time, with spans as brief writes them: "at once", or "in 2m to 5m, as 12 tasks of late
// say". Of nil it is empty.
func (e *Expect) Text(now time.Time, brief func(time.Duration) string) string {
	switch {
	case e == nil:
		return ""
	case e.To.Sub(now) < time.Second:
		return "at once"
	}
	text := "in " + brief(max(0, e.From.Sub(now))) + " to " + brief(max(0, e.To.Sub(now)))
	if e.Seen == 1 {
		return text + ", as 1 task of late says"
	}
	return text + fmt.Sprintf(", as %d tasks of late say", e.Seen)
}
