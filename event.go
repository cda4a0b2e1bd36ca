package rota

import (
	"context"
	"time"
)

// Event is something that somebody is told. It is written with what it tells of, in one transaction, and delivered at least
// once: whoever must not act twice remembers IDs.
type Event struct {
	ID       string    `json:"id" doc:"unique in its store; the same each time that it is delivered"`
	Kind     EventKind `json:"kind"`
	At       time.Time `json:"at"`
	Job      JobID     `json:"job,omitempty"`
	Name     string    `json:"name,omitempty" doc:"of the job"`
	Queue    string    `json:"queue,omitempty"`
	Submit   string    `json:"submitter,omitempty"`
	Schedule string    `json:"schedule,omitempty"`
	Text     string    `json:"text,omitempty" doc:"a sentence, where the kind does not say all"`
	Link     string    `json:"link,omitempty" doc:"where more of it is to be seen"`
	// Of a job's end: how many tasks it had, how many of them failed and were cancelled; of the first that failed, or the only
	// one, how it ended and the last lines that it wrote.
	Tasks     int    `json:"tasks,omitempty"`
	Failed    int    `json:"failed,omitempty"`
	Cancelled int    `json:"cancelled,omitempty"`
	Task      TaskID `json:"task,omitempty"`
	Exit      *int   `json:"exit,omitempty"`
	Signal    int    `json:"signal,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Output    string `json:"output,omitempty"`
	Errors    string `json:"errors,omitempty"`
}

// EventKind is what an event tells of.
type EventKind string

const (
	EventSucceeded EventKind = "job.succeeded"
	EventFailed    EventKind = "job.failed"
	EventCancelled EventKind = "job.cancelled"
	EventAlarm     EventKind = "schedule.alarm" // a schedule did not run, ran too long, or failed again and again
)

// Letter is an event on its way to one place.
type Letter struct {
	ID    int64
	Kind  EventKind
	Job   JobID
	Place string // mail:ADDRESS, or a URL; empty: to all whom the event is for, which is not looked up yet
	Event Event
	At    time.Time
	Due   time.Time
	Tries int
	Error string
}

// OutboxStore keeps letters until they are delivered.
type OutboxStore interface {
	// Post writes letters; ID and At are the store's.
	Post(ctx context.Context, letters []Letter) error
	// TakeLetters are the letters that are due, the oldest first, at most max. Nobody else gets them for a while, after which
	// they are due again: what nobody says is delivered is delivered once more.
	TakeLetters(ctx context.Context, max int, hold Duration) ([]Letter, error)
	// Delivered removes letters, and writes those that came out of them, in one transaction.
	Delivered(ctx context.Context, ids []int64, further []Letter) error
	// Postpone says why letters could not be delivered, and in what time they are due again; nothing, if it was not tried.
	Postpone(ctx context.Context, ids []int64, in Duration, why string) error
	// Letters are all that wait, for people: the oldest first, at most max.
	Letters(ctx context.Context, max int) ([]Letter, error)
}
