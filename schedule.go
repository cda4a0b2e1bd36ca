package rota

import "time"

// Schedule submits a job again and again. A fire is unique by (schedule, due time).
type Schedule struct {
	Name    string    `json:"name"`
	Expr    string    `json:"expr" doc:"five fields as cron has them, @daily and the like, or @every 90s"`
	Zone    string    `json:"zone" doc:"time zone of the expression, for example Europe/Berlin"`
	Spec    Spec      `json:"spec"`
	Overlap Overlap   `json:"overlap" doc:"what happens when the job of the fire before has not ended: skip or allow"`
	Paused  bool      `json:"paused,omitempty"`
	By      string    `json:"by" doc:"whose jobs they are"`
	Version int       `json:"version" doc:"raised by each change"`
	Next    time.Time `json:"next,omitzero"`
	Last    *Fire     `json:"last,omitempty"`
}

// Overlap says what a fire does while the job of the fire before has not ended.
type Overlap string

const (
	OverlapSkip  Overlap = "skip"
	OverlapAllow Overlap = "allow"
)

// MissedAfter is how late a fire may be before it counts as missed; MissedWithin is how late it is still made up
// for, once, however many were missed (P21).
const (
	MissedAfter  = Duration(time.Minute)
	MissedWithin = Duration(time.Hour)
)

// Fire is one due time of a schedule and what became of it. There is exactly one for each due time that came.
type Fire struct {
	Due     time.Time `json:"due"`
	Job     JobID     `json:"job,omitempty"`
	Skipped string    `json:"skipped,omitempty" doc:"why no job was submitted"`
}

// Firing asks the store to record a fire: by compare-and-set on the schedule's version and next time, in one
// transaction with the job it submits, if Job is not nil and the overlap allows it.
type Firing struct {
	Schedule string
	Version  int
	Due      time.Time // the schedule's Next as it was read
	Next     time.Time // what Next becomes
	Overlap  Overlap
	Skipped  string // why no job is submitted, when Job is nil
	Job      *NewJob
}
