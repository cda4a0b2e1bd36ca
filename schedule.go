package rota

import (
	"strings"
	"sync"
	"time"

	"github.com/rotaqueue/rota/cron"
)

// Schedule submits jobs again and again. A fire is unique by (schedule, due time).
type Schedule struct {
	Name     string   `json:"name"`
	Expr     string   `json:"expr" doc:"five or six fields as cron has them, @daily and the like, @every 90s, @at TIME, or @once"`
	Zone     string   `json:"zone" doc:"time zone of the expression, for example Europe/Berlin"`
	Spec     Spec     `json:"spec"`
	On       string   `json:"on,omitempty" doc:"where its jobs run: any node (default), all (one job for each node), a node's name, or a label K=V"`
	Overlap  Overlap  `json:"overlap" doc:"what happens when a job of an earlier fire has not ended: skip, queue, allow or replace"`
	Missed   Missed   `json:"missed" doc:"what becomes of due times that passed while nobody fired: skip, once or all"`
	Deadline Duration `json:"deadline" doc:"how late a missed due time is still made up for"`
	Jitter   Duration `json:"jitter,omitempty" doc:"each fire starts up to so much later, by its name and time"`
	Spread   Duration `json:"spread,omitempty" doc:"all its fires start later by a part of this that its name decides"`
	Calendar string   `json:"calendar,omitempty" doc:"days on which it is not due, one a line: 2026-12-25, 12-25, or 2026-12-24..2027-01-02"`
	Alarm    Alarm    `json:"alarm,omitzero"`
	Paused   bool     `json:"paused,omitempty"`
	Origin   string   `json:"origin,omitempty" doc:"the line of a crontab that it was imported from"`
	Held     bool     `json:"held,omitempty" doc:"imported, and not taken over yet: its crontab still runs it"`
	Ended    bool     `json:"ended,omitempty" doc:"somebody ended it; it is kept to be looked at"`
	By       string   `json:"by" doc:"whose jobs they are"`
	Version  int      `json:"version" doc:"raised by each change"`

	Next     time.Time `json:"next,omitzero"`
	Last     *Fire     `json:"last,omitempty" doc:"its latest fire"`
	Result   Result    `json:"result,omitempty" doc:"how the latest fire ended whose jobs have"`
	Failures int       `json:"failures,omitempty" doc:"fires in a row that failed"`
	Alarms   []Alarmed `json:"alarms,omitempty" doc:"what is wrong with it now"`
}

// Rests reports whether the schedule is never due as it stands, whatever its expression.
func (s *Schedule) Rests() bool { return s.Paused || s.Held || s.Ended }

// Where a schedule's jobs run, when it is not a node or a label.
const (
	OnAny = "any"
	OnAll = "all"
)

// Overlap says what a fire does while a job of an earlier one has not ended.
type Overlap string

const (
	OverlapSkip    Overlap = "skip"    // no job
	OverlapQueue   Overlap = "queue"   // the job waits for those before it
	OverlapAllow   Overlap = "allow"   // both
	OverlapReplace Overlap = "replace" // those before it are cancelled, and the job waits for their end
)

// MaxQueued is how many jobs of a schedule may wait or run at most under OverlapQueue; beyond it fires are skipped.
const MaxQueued = 100

// Missed says what becomes of due times that passed while nobody fired.
type Missed string

const (
	MissedSkip Missed = "skip" // they are recorded, and that is all
	MissedOnce Missed = "once" // one is made up for, however many there were
	MissedAll  Missed = "all"  // each is made up for
)

// MissedAfter is how late a fire may be before it counts as missed; MissedWithin is how late it is still made up
// for if the schedule does not say it (P21).
const (
	MissedAfter  = Duration(time.Minute)
	MissedWithin = Duration(time.Hour)
	MaxDeadline  = Duration(31 * 24 * time.Hour)
	MaxDelay     = Duration(24 * time.Hour) // of jitter, and of spread
)

// Alarm says what somebody wants to be told of a schedule. A zero field: nothing.
type Alarm struct {
	Late  Duration `json:"late,omitempty" doc:"no job of a fire has started so long after it was due, or there was none"`
	Long  Duration `json:"long,omitempty" doc:"a job runs longer than this"`
	Fails int      `json:"fails,omitempty" doc:"so many fires in a row have failed"`
	To    []string `json:"to,omitempty" doc:"addresses and URLs that are told; none: those that are told of its jobs' ends"`
}

// Says reports whether there is anything to tell.
func (a *Alarm) Says() bool { return a.Late > 0 || a.Long > 0 || a.Fails > 0 }

// Tell is whom an alarm of a schedule is for: those it names itself, else those whom the ends of its jobs are for.
func (s *Schedule) Tell() (t Tell) {
	if len(s.Alarm.To) == 0 {
		return s.Spec.Tell
	}
	for _, to := range s.Alarm.To {
		if to == NoMail || !strings.Contains(to, "://") {
			t.MailTo = append(t.MailTo, to)
		}
		if to == NoMail || strings.Contains(to, "://") {
			t.Notify = append(t.Notify, to)
		}
	}
	return t
}

// Alarmed is an alarm that went off.
type Alarmed struct {
	Kind  AlarmKind `json:"kind"`
	Due   time.Time `json:"due" doc:"of the fire"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero" doc:"when it was over; none: it still holds"`
	Text  string    `json:"text" doc:"a sentence"`
}

// AlarmKind is which of a schedule's alarms it is.
type AlarmKind string

const (
	AlarmLate  AlarmKind = "late"
	AlarmLong  AlarmKind = "long"
	AlarmFails AlarmKind = "fails"
)

// Result is how the jobs of a fire ended.
type Result string

const (
	ResultSucceeded Result = "succeeded"
	ResultFailed    Result = "failed"
	ResultCancelled Result = "cancelled"
	ResultSkipped   Result = "skipped" // it had none
	ResultGone      Result = "gone"    // they were removed before anybody looked
)

// Fire is one due time of a schedule and what became of it. There is exactly one for each due time that came.
type Fire struct {
	Due     time.Time `json:"due"`
	Job     JobID     `json:"job,omitempty" doc:"the first of its jobs"`
	Jobs    int       `json:"jobs,omitempty" doc:"how many jobs it has, whose numbers follow one another"`
	Skipped string    `json:"skipped,omitempty" doc:"why no job was submitted"`
	Result  Result    `json:"result,omitempty" doc:"how they ended; none: they have not"`
}

// ScheduleRecord is a schedule with its latest fires and alarms, newest first.
type ScheduleRecord struct {
	Schedule
	Fires []Fire    `json:"fires" nullable:"false"`
	Log   []Alarmed `json:"alarm_log" nullable:"false"`
}

// RecordLength is how many fires and alarms a ScheduleRecord has at most.
const RecordLength = 20

// Firing asks the store to record a fire: by compare-and-set on the schedule's version and next time, in one
// transaction with the jobs it submits, if there are any and the overlap allows it.
type Firing struct {
	Schedule string
	Version  int
	Due      time.Time // the schedule's Next as it was read
	Next     time.Time // what Next becomes
	ByHand   bool      // somebody asks for it now: Due and Next do not count
	Overlap  Overlap
	Skipped  string // why no job is submitted, when there are no Jobs
	Jobs     []NewJob
	Pace     Duration // its jobs start no sooner than so long after those of the fire before that had a pace, of any schedule
}

// FireResult is the answer for one firing.
type FireResult struct {
	Fire
	Err error
}

// DueSchedules are schedules that are due.
type DueSchedules struct {
	Due  []Schedule
	Next time.Time // when another will be, if there is one
	Now  time.Time // the store's clock
}

// Timing is when a schedule is due.
type Timing struct {
	Expr cron.Schedule
	Zone *time.Location
	Off  cron.DaysOff
}

// Timing reads a schedule's expression, zone and calendar.
func (s *Schedule) Timing() (t Timing, err error) {
	if t.Expr, err = cron.ParseFor(s.Name, s.Expr); err != nil {
		return t, Invalid("schedule %q: %v", s.Name, err)
	}
	if t.Zone = zone(s.Zone); t.Zone == nil {
		return t, Invalid("schedule %q: zone %q is not known; write for example Europe/Berlin or UTC", s.Name, s.Zone)
	}
	if t.Off, err = cron.ParseDaysOff(s.Calendar); err != nil {
		return t, Invalid("schedule %q: %v", s.Name, err)
	}
	return t, nil
}

// Next is the first due time after a time; zero: there is none.
func (t Timing) Next(after time.Time) time.Time { return t.Off.Next(t.Expr, after.In(t.Zone)) }

// Coming are the next due times after a time, n at most.
func (t Timing) Coming(after time.Time, n int) (times []time.Time) {
	for range n {
		if after = t.Next(after); after.IsZero() {
			break
		}
		times = append(times, after)
	}
	return times
}

var zones sync.Map // string to *time.Location: reading one takes longer than all else of a fire

// zone is a zone by its name, nil if there is none.
func zone(name string) *time.Location {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location)
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil
	}
	zones.Store(name, loc)
	return loc
}
