package rota

import (
	"path"
	"time"
)

// Act is what an operation does to the tasks it finds.
type Act string

const (
	ActCancel  Act = "cancel"
	ActKill    Act = "kill" // cancel without grace
	ActHold    Act = "hold"
	ActRelease Act = "release"
	ActRetry   Act = "retry"   // failed and cancelled tasks, by hand; a scheduled one now
	ActRemove  Act = "remove"  // whole jobs that have ended, with all that is kept of them
	ActDismiss Act = "dismiss" // failed tasks: they are no longer among the failures
	ActEdit    Act = "edit"    // whole jobs that have not ended; Operation.Edit says what of them
	ActUnblock Act = "unblock" // the store's own: what the tasks waited for has come true
	ActStarve  Act = "starve"  // the store's own: what they waited for can no longer come true; cancels
	ActPolicy  Act = "policy"  // the store's own: what jobs have of their queue has changed: its retry policy, or that somebody is told
)

// Acts are those that a user may ask for.
var Acts = []Act{ActCancel, ActKill, ActHold, ActRelease, ActRetry, ActRemove, ActDismiss, ActEdit}

// Verb is the move that an act makes.
func (a Act) Verb() Verb {
	switch a {
	case ActCancel, ActKill, ActStarve:
		return VerbCancel
	case ActHold:
		return VerbHold
	case ActRelease:
		return VerbRelease
	case ActRetry:
		return VerbRetry
	case ActUnblock:
		return VerbUnblock
	}
	return ""
}

// Filter selects tasks, and jobs by their tasks. Conditions are joined by and, the entries of one condition by
// or. The zero Filter selects everything.
type Filter struct {
	Tasks     []Span            `json:"tasks,omitempty"`
	States    []State           `json:"states,omitempty"`
	Queue     string            `json:"queue,omitempty"`
	Name      string            `json:"name,omitempty" doc:"a pattern with * and ?"`
	Labels    map[string]string `json:"labels,omitempty"`
	Submitter string            `json:"submitter,omitempty"`
	Error     string            `json:"error,omitempty" doc:"the fingerprint of failures"`
	Schedule  string            `json:"schedule,omitempty"`
	Parent    TaskID            `json:"parent,omitzero"`
	Node      string            `json:"node,omitempty" doc:"the node of the task's latest attempt"`
	Queues    []string          `json:"queues,omitempty" doc:"any of these; for who may see no others"`
}

// Span is all tasks from First to Last.
type Span struct {
	First TaskID `json:"first"`
	Last  TaskID `json:"last"`
}

// SpanOf is a whole job.
func SpanOf(j JobID) Span {
	first, last := j.Tasks()
	return Span{first, last}
}

// SpansOf are whole jobs.
func SpansOf(jobs []JobID) []Span {
	spans := make([]Span, len(jobs))
	for i, id := range jobs {
		spans[i] = SpanOf(id)
	}
	return spans
}

// Empty reports whether the filter selects everything.
func (f *Filter) Empty() bool {
	return len(f.Tasks) == 0 && len(f.States) == 0 && f.Queue == "" && f.Name == "" && len(f.Labels) == 0 &&
		f.Submitter == "" && f.Schedule == "" && f.Parent == 0 && f.Error == "" && f.Node == "" && len(f.Queues) == 0
}

// MatchName reports whether a job's name fits the pattern.
func MatchName(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// Operation does one act to all tasks that a filter selects. It is durable: it is done in steps, goes on after a
// crash, and covers the tasks that existed when it was given (up to Upper), no later one (P18).
type Operation struct {
	ID     int64     `json:"id"`
	Act    Act       `json:"act"`
	Filter Filter    `json:"filter"`
	Edit   *Edit     `json:"edit,omitempty" doc:"of the act edit: what it changes; a dry run needs none"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Upper  TaskID    `json:"upper,omitzero"`
	// Matched counts tasks (of remove and edit: jobs) that the act could move; Done those it has moved so far. With DryRun
	// only Matched is set, at most CountCap.
	Matched int    `json:"matched"`
	Done    int    `json:"done"`
	Refused int    `json:"refused,omitempty" doc:"of edit: jobs that cannot be changed so"`
	Why     string `json:"why,omitempty" doc:"of the first that was refused"`
	Ended   bool   `json:"ended"`
	DryRun  bool   `json:"dry_run,omitempty"`
}

// CountCap is where counting for display stops: more are shown as "10k+".
const CountCap = 10_000

// TaskQuery asks for tasks, in the order of their ids, or backwards from the newest.
type TaskQuery struct {
	Filter
	After  TaskID // those behind this one in the order asked for; 0: from the start
	Newest bool   // newest first
	Max    int    // at most; 0: 100
}

// JobQuery asks for jobs, newest first unless it says otherwise. A job is selected when the filter selects at least one of its tasks.
type JobQuery struct {
	Filter
	Before JobID // older than this one; 0: from the newest
	After  JobID // newer than this one
	Oldest bool  // oldest first
	Active bool  // only those that have not ended
	Many   bool  // only those whose tasks are elements
	Max    int   // at most; 0: 100
}
