package rota

import (
	"strings"
	"time"
)

// Queue is a named line of tasks with its settings.
type Queue struct {
	Name string `json:"name"`
	QueueSettings
	Paused   bool          `json:"paused,omitempty" doc:"nothing of it is claimed"`
	Draining bool          `json:"draining,omitempty" doc:"it takes no new jobs; what is in it is run"`
	Counts   map[State]int `json:"counts" doc:"its tasks by state"`
	Oldest   *Oldest       `json:"oldest,omitempty" doc:"which job has waited longest for a slot"`
}

// Oldest is the job of a queue that has waited longest of those that could start something, and since when: from its
// submission, or from the time before which it was not to start. Of a queue with many priorities the highest are looked at.
type Oldest struct {
	Job   JobID     `json:"job"`
	Since time.Time `json:"since" doc:"by the store's clock"`
}

// QueueSettings are what somebody settled for a queue. The zero value of a field says nothing, and what Rota, the node or
// the job says holds.
type QueueSettings struct {
	Description string `json:"description,omitempty" doc:"for people"`

	Discipline string             `json:"discipline" doc:"what orders its tasks; priority: higher first, then older"`
	Flow       Flow               `json:"flow,omitempty" doc:"what a discipline that shares fairly shares between: user, label:KEY or key"`
	Weights    map[string]float64 `json:"weights,omitempty" doc:"of flows by name; one that is not named has 1"`

	Limits  Allowance `json:"limits,omitzero" doc:"of its attempts: what holds where a job says nothing, and at most"`
	Slots   int       `json:"slots,omitempty" doc:"of its tasks, how many run at most at once on one node"`
	Running int       `json:"running,omitempty" doc:"of its tasks, how many run at most at once in all"`
	// FlowRunning bounds flows whatever the discipline.
	FlowRunning int     `json:"flow_running,omitempty" doc:"of the tasks of one flow, how many run at most at once in all"`
	Starts      float64 `json:"starts,omitempty" doc:"of its tasks, how many start at most in a second"`

	Pin    []string `json:"pin,omitempty" doc:"nodes that may run its tasks; none: all but the ignored ones"`
	Ignore []string `json:"ignore,omitempty" doc:"nodes that may not; without effect where some are pinned"`

	Executor string   `json:"executor,omitempty" doc:"that all its jobs are for; none: any"`
	Shell    *bool    `json:"shell,omitempty" doc:"false: it takes no jobs that a shell runs"`
	Wrap     []string `json:"wrap,omitempty" doc:"a command that is put before each of its commands"`
	ErrWrap  []string `json:"err_wrap,omitempty" doc:"a command that gets the error output of its jobs to read, and whose output is kept in its place"`

	Tell

	Retry  *Retry   `json:"retry,omitempty" doc:"what happens after a failure where the job says nothing"`
	Keep   Duration `json:"keep,omitempty" doc:"how long its ended jobs are kept, where that is shorter than the node says"`
	Dedupe Dedupe   `json:"dedupe,omitzero" doc:"what becomes of a job like one before"`
}

// Dedupe says what becomes of a job that is like another of its queue.
type Dedupe struct {
	Window Duration `json:"window,omitempty" doc:"how long after its end a job is in the way of one like it; none: only jobs that say unique are compared, while the other has not ended"`
	Then   OnRepeat `json:"then,omitempty" doc:"refuse (the default), or merge: the other job is the answer"`
}

// OnRepeat is what becomes of a job like one before.
type OnRepeat string

const (
	RepeatRefuse OnRepeat = "refuse"
	RepeatMerge  OnRepeat = "merge"
)

// Flow says whose turn it is in a discipline that shares fairly.
type Flow string

const (
	FlowUser    Flow = "user"   // of who submitted the job
	FlowKey     Flow = "key"    // of the job's limit key
	FlowOfLabel      = "label:" // of the value of a label, whose key follows
)

// NameOf is the flow that a job belongs to.
func (f Flow) NameOf(submitter string, s *Spec) string {
	label, of := strings.CutPrefix(string(f), FlowOfLabel)
	switch {
	case of:
		return s.Labels[label]
	case f == FlowKey:
		return s.LimitKey
	}
	return submitter
}

// DefaultQueueSlots is how many tasks of a queue run at most at once on one node that somebody made and did not say it of. One
// that came to be by its first job, or was only changed, has as many as the node has slots.
const DefaultQueueSlots = 10

// AllowsShell reports whether the queue takes jobs that a shell runs.
func (s *QueueSettings) AllowsShell() bool { return s.Shell == nil || *s.Shell }

// QueueChange changes settings of a queue: what it does not name stays as it is. An empty text or list, 0, and -1 for counts
// of the retry policy, take a setting away.
type QueueChange struct {
	New      bool  `json:"new,omitempty" doc:"the queue must not be there yet"`
	Paused   *bool `json:"paused,omitempty"`
	Draining *bool `json:"draining,omitempty"`

	Description *string            `json:"description,omitempty"`
	Discipline  *string            `json:"discipline,omitempty"`
	Flow        *Flow              `json:"flow,omitempty"`
	Weights     map[string]float64 `json:"weights,omitempty" doc:"of flows by name; 0 takes one away"`
	Limits      AllowanceChange    `json:"limits,omitzero"`
	Slots       *int               `json:"slots,omitempty"`
	Running     *int               `json:"running,omitempty"`
	FlowRunning *int               `json:"flow_running,omitempty"`
	Starts      *float64           `json:"starts,omitempty"`
	Pin         []string           `json:"pin,omitzero"`
	Ignore      []string           `json:"ignore,omitzero"`
	Executor    *string            `json:"executor,omitempty"`
	Shell       *bool              `json:"shell,omitempty"`
	Wrap        []string           `json:"wrap,omitzero"`
	ErrWrap     []string           `json:"err_wrap,omitzero"`
	MailTo      []string           `json:"mail_to,omitzero"`
	MailOn      *MailOn            `json:"mail_on,omitempty"`
	Notify      []string           `json:"notify,omitzero"`
	Retry       RetryChange        `json:"retry,omitzero"`
	Keep        *Duration          `json:"keep,omitempty"`
	Dedupe      DedupeChange       `json:"dedupe,omitzero"`
}

// RetryChange has what is to be changed of a queue's retry policy.
type RetryChange struct {
	Count   *int      `json:"count,omitempty" doc:"-1: not said"`
	First   *Duration `json:"first,omitempty"`
	Cap     *Duration `json:"cap,omitempty"`
	Jitter  *float64  `json:"jitter,omitempty" doc:"-1: not said"`
	OnLost  *OnLost   `json:"on_lost,omitempty"`
	MaxLost *int      `json:"max_lost,omitempty" doc:"-1: not said"`
}

// DedupeChange has what is to be changed of a queue's dedupe window.
type DedupeChange struct {
	Window *Duration `json:"window,omitempty"`
	Then   *OnRepeat `json:"then,omitempty"`
}

// Changed is the queue with a change made.
func (q Queue) Changed(c QueueChange) Queue {
	change(&q.Paused, c.Paused)
	change(&q.Draining, c.Draining)
	s := &q.QueueSettings
	if c.New {
		s.Slots = DefaultQueueSlots
	}
	change(&s.Description, c.Description)
	change(&s.Discipline, c.Discipline)
	change(&s.Flow, c.Flow)
	s.Weights = changedWeights(s.Weights, c.Weights)
	s.Limits = s.Limits.Changed(c.Limits)
	change(&s.Slots, c.Slots)
	change(&s.Running, c.Running)
	change(&s.FlowRunning, c.FlowRunning)
	change(&s.Starts, c.Starts)
	changeList(&s.Pin, c.Pin)
	changeList(&s.Ignore, c.Ignore)
	change(&s.Executor, c.Executor)
	if c.Shell != nil {
		if s.Shell = c.Shell; *c.Shell { // as when nothing is said
			s.Shell = nil
		}
	}
	changeList(&s.Wrap, c.Wrap)
	changeList(&s.ErrWrap, c.ErrWrap)
	changeList(&s.MailTo, c.MailTo)
	change(&s.MailOn, c.MailOn)
	changeList(&s.Notify, c.Notify)
	s.Retry = s.Retry.changed(c.Retry)
	change(&s.Keep, c.Keep)
	change(&s.Dedupe.Window, c.Dedupe.Window)
	change(&s.Dedupe.Then, c.Dedupe.Then)
	return q
}

func changeList(field *[]string, to []string) {
	if to != nil {
		*field = append([]string(nil), to...)
	}
}

func changedWeights(old, c map[string]float64) map[string]float64 {
	if len(c) == 0 {
		return old
	}
	out := map[string]float64{}
	for _, some := range []map[string]float64{old, c} {
		for flow, weight := range some {
			if out[flow] = weight; weight == 0 {
				delete(out, flow)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// changed is the policy with a change made; nil when it then says nothing.
func (r *Retry) changed(c RetryChange) *Retry {
	out := Retry{}
	if r != nil {
		out = *r
	}
	changeCount(&out.Count, c.Count)
	change(&out.First, c.First)
	change(&out.Cap, c.Cap)
	changeCount(&out.Jitter, c.Jitter)
	change(&out.OnLost, c.OnLost)
	changeCount(&out.MaxLost, c.MaxLost)
	if out == (Retry{}) {
		return nil
	}
	return &out
}

// changeCount sets a figure that can be left open, or opens it with -1.
func changeCount[T int | float64](field **T, to *T) {
	if to == nil {
		return
	}
	if *field = to; *to == -1 {
		*field = nil
	}
}
