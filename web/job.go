package web

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rotaqueue/rota"
)

// jobPage is a job with its only task, or with the tasks that its page shows of many.
type jobPage struct {
	Job      rota.Job
	Task     *taskView // of a plain job
	Tasks    *tasksView
	ETA      string
	Why      *whyView       // of a task that waits
	Files    *artifactsView // that it left; nil: none is kept
	Children []rota.Job
	Graph    graph
	CLI      string
	Spec     string // as JSON
}

func (p *Pages) job(r *request) error {
	id, err := rota.ParseJobID(r.PathValue("job"))
	if err != nil {
		return err
	}
	r.Topics = []string{topicTasks}
	d := &jobPage{}
	if d.Job, err = p.svc.Job(r.Context(), id); err != nil {
		return err
	}
	if err := p.fillJob(r, d); err != nil {
		return err
	}
	if d.Files, err = p.artifactsOf(r, &d.Job, 0); err != nil {
		return err
	}
	if d.Children, err = p.childrenOf(r, &d.Job); err != nil {
		return err
	}
	d.ETA = eta(&d.Job, r.Now)
	w, err := p.jobWorkflow(r, &d.Job, d.Children)
	if err != nil {
		return err
	}
	d.Graph = w.draw(id)
	d.CLI = cliText(&d.Job.Spec)
	d.Spec = indented(d.Job.Spec)
	r.show("job", "Job "+id.String()+titled(d.Job.Spec.Name), d)
	return nil
}

// fillJob looks at the job's only task, or at its tasks.
func (p *Pages) fillJob(r *request, d *jobPage) (err error) {
	if !d.Job.Spec.Many() {
		if d.Task, err = p.taskView(r, &d.Job, rota.PlainTask(d.Job.ID)); err == nil {
			d.Why, err = p.whyOf(r, d.Task.ID, d.Task.State)
		}
		return err
	}
	if d.Tasks, err = p.tasksOf(r, &d.Job); err == nil {
		d.Why, err = p.whyOfMany(r, &d.Job, d.Tasks.Rows)
	}
	return err
}

// task is an element's page; that of a plain job's task is the job's.
func (p *Pages) task(r *request) error {
	id, err := rota.ParseTaskID(r.PathValue("task"))
	if err != nil {
		return err
	}
	if !id.IsElement() {
		r.redirect("jobs/" + id.String())
		return nil
	}
	r.Topics = []string{topicTasks}
	d := &jobPage{}
	if d.Job, err = p.svc.Job(r.Context(), id.Job()); err != nil {
		return err
	}
	if d.Task, err = p.taskView(r, &d.Job, id); err != nil {
		return err
	}
	if d.Why, err = p.whyOf(r, id, d.Task.State); err != nil {
		return err
	}
	if d.Files, err = p.artifactsOf(r, &d.Job, id); err != nil {
		return err
	}
	d.CLI, d.Spec = cliText(&d.Job.Spec), indented(d.Job.Spec)
	r.show("job", "Task "+id.String()+titled(d.Job.Spec.Name), d)
	return nil
}

func titled(name string) string {
	if name == "" {
		return ""
	}
	return " · " + name
}

// childrenOf are jobs that the job's tasks submitted. Only what its only task did is asked for: of an array's elements
// each has its own.
func (p *Pages) childrenOf(r *request, j *rota.Job) ([]rota.Job, error) {
	if j.Spec.Many() {
		return nil, nil
	}
	span := rota.Span{First: rota.PlainTask(j.ID + 1), Last: rota.SpanOf(j.ID + searchWindow).Last}
	return p.svc.Jobs(r.Context(), rota.JobQuery{Filter: rota.Filter{Parent: rota.PlainTask(j.ID), Tasks: []rota.Span{span}}, Max: 20})
}

// taskView is all that is shown of a task.
type taskView struct {
	rota.Task
	Standing string
	Attempts []attemptView // the latest first
	Events   []event
	Limits   rota.Limits // of its next or running attempt, its queue's settings included
	Log      *logView
	Charts   []*chart // of memory, CPUs and processes; none: it was too short
}

type attemptView struct {
	rota.Attempt
	Wait, Ran time.Duration
	Bars      []timeBar
}

// timeBar is a stretch of an attempt's time, in hundredths of the whole.
type timeBar struct{ Kind, X, W, Label string }

func (p *Pages) taskView(r *request, j *rota.Job, id rota.TaskID) (*taskView, error) {
	t, earlier, err := p.svc.Task(r.Context(), id)
	if err != nil {
		return nil, err
	}
	v := &taskView{Task: t, Standing: standing(j, &t, r)}
	all := append(slices.Clone(earlier), t.Attempt)
	slices.Reverse(all)
	for _, a := range all {
		if a.Number > 0 {
			v.Attempts = append(v.Attempts, attemptView{Attempt: a})
		}
	}
	v.timeline(j, r.Now)
	v.Events = eventsOf(j, &t, earlier)
	if v.Limits, err = p.limitsOf(r, j, t.Queue); err != nil {
		return nil, err
	}
	n := attemptParam(r)
	if v.Log, err = p.logOf(r, logQuery{Task: id, Attempt: n, Stream: streamParam(r), Tail: true}); err != nil {
		return nil, err
	}
	if t.Number > 0 {
		v.Charts, err = p.attemptCharts(r, &t, n, v.Limits)
	}
	return v, err
}

// timeline puts the attempts' times on one line, from the submission on.
func (v *taskView) timeline(j *rota.Job, now time.Time) {
	if len(v.Attempts) == 0 {
		return
	}
	begin, end := j.Submitted, now
	if v.State.Ended() && !v.Ended.IsZero() {
		end = v.Ended
	}
	whole := max(end.Sub(begin), time.Millisecond)
	bar := func(kind string, from, to time.Time, label string) timeBar {
		x := 100 * float64(from.Sub(begin)) / float64(whole)
		w := 100 * float64(to.Sub(from)) / float64(whole)
		return timeBar{kind, fmt.Sprintf("%.2f", min(max(x, 0), 99.5)), fmt.Sprintf("%.2f", max(w, 0.5)), label}
	}
	since := begin
	for i := len(v.Attempts) - 1; i >= 0; i-- {
		a := &v.Attempts[i]
		started, ended := a.Started, a.Ended
		if started.IsZero() {
			started = a.Claimed
		}
		if ended.IsZero() {
			ended = end
		}
		if started.IsZero() {
			continue
		}
		a.Wait, a.Ran = max(0, started.Sub(since)), max(0, ended.Sub(started))
		kind := string(a.Outcome)
		if kind == "" {
			kind = "running"
		}
		a.Bars = []timeBar{bar("wait", since, started, "waited "+brief(a.Wait)), bar(kind, started, ended, "ran "+brief(a.Ran))}
		since = ended
	}
}

// event is something that happened to a task.
type event struct {
	At   time.Time
	What string
	Kind string
}

func eventsOf(j *rota.Job, t *rota.Task, earlier []rota.Attempt) []event {
	out := []event{{j.Submitted, "submitted by " + j.Submitter, ""}}
	for _, a := range append(slices.Clone(earlier), t.Attempt) {
		if a.Number == 0 {
			continue
		}
		n := fmt.Sprintf("attempt %d ", rota.Nth(a.Number))
		if !a.Claimed.IsZero() {
			out = append(out, event{a.Claimed, n + "was given to " + a.Node, ""})
		}
		if !a.Started.IsZero() {
			out = append(out, event{a.Started, n + "started on " + a.Node, "running"})
		}
		if !a.Ended.IsZero() && a.Outcome != "" {
			out = append(out, event{a.Ended, n + endingText(&a), string(a.Outcome)})
		}
	}
	if t.State == rota.Scheduled && !t.RunAt.IsZero() {
		out = append(out, event{t.RunAt, "is due", "scheduled"})
	}
	slices.SortStableFunc(out, func(a, b event) int { return a.At.Compare(b.At) })
	slices.Reverse(out)
	return out
}

// endingText says how an attempt ended.
func endingText(a *rota.Attempt) string {
	switch {
	case a.Outcome == rota.OutcomeSucceeded:
		return "succeeded"
	case a.Why() != "":
		return string(a.Outcome) + ": " + a.Why()
	}
	return string(a.Outcome)
}

// standing says in a sentence where a task stands, and what it waits for.
func standing(j *rota.Job, t *rota.Task, r *request) string {
	switch t.State {
	case rota.Blocked:
		return "waits for " + dependencyText(j.Spec.After)
	case rota.Scheduled:
		if t.Number > 0 {
			return "is tried again " + agoText(r.Now.Sub(t.RunAt))
		}
		return "starts " + agoText(r.Now.Sub(t.RunAt))
	case rota.Held:
		if t.Why() != "" {
			return "is held: " + t.Why()
		}
		return "is held until somebody releases it"
	case rota.Ready:
		if t.Gated {
			return fmt.Sprintf("waits: at most %d of the job's tasks run at once", j.Spec.Limit)
		}
		return "waits in the queue " + t.Queue
	case rota.Running:
		if t.Ending != "" {
			return "runs on " + t.Node + ", and was asked to end"
		}
		return "runs on " + t.Node
	}
	if t.Number == 0 {
		return "never started" + map[bool]string{true: ": " + t.Why()}[t.Why() != ""]
	}
	return endingText(&t.Attempt)
}

func dependencyText(after []rota.Dependency) string {
	return cmp.Or(rota.Awaited(after), "the rest of its upload")
}

// limitsOf are the limits that hold for an attempt, as far as its job and its queue say.
func (p *Pages) limitsOf(r *request, j *rota.Job, queue string) (rota.Limits, error) {
	queues, err := p.svc.Queues(r.Context())
	for i := range queues {
		if queues[i].Name == queue {
			return rota.LimitsOf(j.Spec.Limits, queues[i].Limits, rota.Allowance{}), err
		}
	}
	return j.Spec.Limits, err
}

// eta is when a job of many tasks will have ended, if it goes on as it did.
func eta(j *rota.Job, now time.Time) string {
	done := j.Tasks - j.Left()
	if !j.Spec.Many() || j.Left() == 0 || done < 5 || j.Running == 0 {
		return ""
	}
	rest := time.Duration(float64(now.Sub(j.Submitted)) / float64(done) * float64(j.Left()))
	return "about " + brief(rest) + " left, if it goes on as it did"
}

// tasksView is a page of a job's tasks.
type tasksView struct {
	Rows         []rota.Task
	State        string
	Older, Newer string
	Pills        []pill
	Upper        rota.TaskID
	Q            string // what acts on all of them search for
}

// tasksOf is a page of a job's tasks, in their order.
func (p *Pages) tasksOf(r *request, j *rota.Job) (*tasksView, error) {
	v := &tasksView{State: r.URL.Query().Get("state"), Upper: rota.SpanOf(j.ID).Last}
	f := rota.Filter{Tasks: []rota.Span{rota.SpanOf(j.ID)}}
	v.Q = term("job", j.ID.String())
	if v.State != "" {
		st, err := rota.ParseState(v.State)
		if err != nil {
			return nil, err
		}
		f.States = []rota.State{st}
		v.Q += " " + term("state", v.State)
	}
	for _, x := range []struct {
		s rota.State
		n int
	}{{rota.Running, j.Running}, {rota.Failed, j.Failed}, {rota.Ready, j.Ready}, {rota.Scheduled, j.Scheduled}, {rota.Held, j.Held},
		{rota.Blocked, j.Blocked}, {rota.Succeeded, j.Succeeded}, {rota.Cancelled, j.Cancelled}} {
		if x.n > 0 || v.State == x.s.String() {
			v.Pills = append(v.Pills, pill{Label: x.s.String(), Count: x.n, On: v.State == x.s.String(), Query: r.With("state", x.s.String(), "after", "")})
		}
		if v.State == x.s.String() && x.n == 0 {
			return v, nil // nothing is looked for that the counts say is not there
		}
	}
	q := rota.TaskQuery{Filter: f, Max: pageRows + 1}
	if text := r.URL.Query().Get("after"); text != "" {
		if err := q.After.UnmarshalText([]byte(text)); err != nil {
			return nil, err
		}
		v.Newer = r.With("after", "")
	}
	rows, err := p.svc.Tasks(r.Context(), q)
	if len(rows) > pageRows {
		rows = rows[:pageRows]
		v.Older = r.With("after", rows[pageRows-1].ID.String())
	}
	v.Rows = rows
	return v, err
}

// TaskPath is where a task is shown, seen from the first page.
func (r *request) TaskPath(t rota.TaskID) string {
	if t.IsElement() {
		return "tasks/" + t.String()
	}
	return "jobs/" + t.String()
}

// Ran is how long a task's latest attempt ran, or has been running.
func (r *request) Ran(t rota.Task) string {
	if t.Started.IsZero() {
		return "–"
	}
	end := t.Ended
	if end.IsZero() || t.State == rota.Running {
		end = r.Now
	}
	return brief(max(0, end.Sub(t.Started)))
}

// Nth is which attempt it is.
func (r *request) Nth(n int) string { return strconv.Itoa(rota.Nth(n)) }

// Why is why a task's latest attempt ended as it did.
func (r *request) Why(t rota.Task) string { return t.Why() }

func attemptParam(r *request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("attempt"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func streamParam(r *request) rota.Stream {
	if r.URL.Query().Get("stream") == string(rota.Stderr) {
		return rota.Stderr
	}
	return rota.Stdout
}
