package web

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// typedAbove is from how many on an act is confirmed by typing the number.
const typedAbove = 100

const samplesShown = 5

// act is something that can be done to many, as people call it.
type act struct {
	Name       string // in forms
	Act        rota.Act
	Verb, Done string
	Hard       bool // what it does cannot be undone
	Whole      bool // it is done to whole jobs, not to some of their tasks
	fields     func(*Pages, *request) ([]field, error)
	edit       func(value func(name string) string) (rota.Edit, error)
}

// acts are all that pages can do to many. Those that are edits change jobs that have not ended.
var acts = []act{
	{Name: "retry", Act: rota.ActRetry, Verb: "Retry", Done: "tried again"},
	{Name: "hold", Act: rota.ActHold, Verb: "Hold", Done: "held"},
	{Name: "release", Act: rota.ActRelease, Verb: "Release", Done: "released"},
	{Name: "cancel", Act: rota.ActCancel, Verb: "Cancel", Done: "cancelled", Hard: true},
	{Name: "kill", Act: rota.ActKill, Verb: "Kill", Done: "killed", Hard: true},
	{Name: "dismiss", Act: rota.ActDismiss, Verb: "Dismiss", Done: "dismissed"},
	{Name: "remove", Act: rota.ActRemove, Verb: "Remove", Done: "removed", Hard: true, Whole: true},
	{Name: "move", Act: rota.ActEdit, Verb: "Move", Done: "moved", Whole: true, fields: (*Pages).moveFields, edit: moveEdit},
	{Name: "relocate", Act: rota.ActEdit, Verb: "Relocate", Done: "relocated", Whole: true, fields: (*Pages).relocateFields, edit: relocateEdit},
	{Name: "priority", Act: rota.ActEdit, Verb: "Priority of", Done: "changed", Whole: true, fields: (*Pages).priorityFields, edit: priorityEdit},
	{Name: "rerole", Act: rota.ActEdit, Verb: "Re-role", Done: "changed", Whole: true, fields: (*Pages).reroleFields, edit: reroleEdit},
}

// Changes reports whether the act is an edit, which asks for more before it is done.
func (a act) Changes() bool { return a.Act == rota.ActEdit }

// Label is what stands on its button.
func (a act) Label() string {
	if a.Changes() {
		return strings.TrimSuffix(a.Verb, " of") + "…"
	}
	return a.Verb
}

func actOf(name string) (*act, error) {
	for i := range acts {
		if acts[i].Name == name {
			return &acts[i], nil
		}
	}
	return nil, rota.Invalid("act %q: there is none", name)
}

func actsThat(fit func(*act) bool) (out []act) {
	for i := range acts {
		if fit(&acts[i]) {
			out = append(out, acts[i])
		}
	}
	return out
}

// JobActs are offered for jobs of a list, TaskActs for tasks of a job, FailedActs for failed tasks.
func (r *request) JobActs() []act {
	return actsThat(func(a *act) bool { return a.Act != rota.ActDismiss })
}

func (r *request) TaskActs() []act {
	return actsThat(func(a *act) bool { return !a.Whole && a.Act != rota.ActDismiss })
}

func (r *request) FailedActs() []act {
	return actsThat(func(a *act) bool {
		return a.Act == rota.ActRetry || a.Act == rota.ActDismiss || a.Act == rota.ActRemove
	})
}

// ActsFor are the acts that can do something to a job, or to the one task that is shown.
func (r *request) ActsFor(j rota.Job, t *taskView) []act {
	counts := map[rota.State]int{rota.Blocked: j.Blocked, rota.Scheduled: j.Scheduled, rota.Held: j.Held, rota.Ready: j.Ready, rota.Running: j.Running,
		rota.Succeeded: j.Succeeded, rota.Failed: j.Failed, rota.Cancelled: j.Cancelled}
	if t != nil {
		counts = map[rota.State]int{t.State: 1}
	}
	whole := t == nil || !t.ID.IsElement()
	return actsThat(func(a *act) bool {
		switch {
		case a.Whole && !whole || a.Act == rota.ActDismiss:
			return false
		case a.Act == rota.ActRemove:
			return j.Progress.Ended()
		case a.Changes():
			return !j.Progress.Ended()
		case a.Act == rota.ActKill:
			return counts[rota.Running] > 0
		}
		return slices.ContainsFunc(a.sources(), func(s rota.State) bool { return counts[s] > 0 })
	})
}

// sources are the states that the act leads out of; none: it asks for no state.
func (a *act) sources() []rota.State {
	verb := a.Act.Verb()
	if verb == "" {
		return nil
	}
	from := rota.Sources(verb)
	if verb == rota.VerbCancel {
		from = append(slices.Clone(from), rota.Running)
	}
	return from
}

// thing is what the act is done to and counted by.
func (a *act) thing() string {
	if a.Whole {
		return "job"
	}
	return "task"
}

// selection is what a form selected: rows that were ticked, or all that fitted the page's search when it was made.
type selection struct {
	IDs   []string
	All   bool
	Q     string // the search
	Upper rota.TaskID
	Rows  string // what rows are: jobs or tasks
}

func selectionOf(r *request) (s selection, err error) {
	if err = r.ParseForm(); err != nil {
		return s, rota.Invalid("form: %v", err)
	}
	s = selection{IDs: r.PostForm["id"], All: r.PostFormValue("all") == "1", Q: r.PostFormValue("q"), Rows: r.PostFormValue("rows")}
	if text := r.PostFormValue("upper"); text != "" {
		if err = s.Upper.UnmarshalText([]byte(text)); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *selection) tasks() bool { return s.Rows == "tasks" }

// filter is the selection as an operation has it. Nothing selected is refused: it never means all.
func (s *selection) filter() (rota.Filter, error) {
	if s.All {
		return s.matching()
	}
	var f rota.Filter
	for _, id := range s.IDs {
		t, err := rota.ParseTaskID(id)
		if err != nil {
			return f, err
		}
		span := rota.Span{First: t, Last: t}
		if !s.tasks() && !t.IsElement() {
			span = rota.SpanOf(t.Job())
		}
		f.Tasks = append(f.Tasks, span)
	}
	if len(f.Tasks) == 0 {
		return f, rota.Invalid("nothing is selected").WithFix("tick rows, or select all that match")
	}
	slices.SortFunc(f.Tasks, func(a, b rota.Span) int { return cmp.Compare(a.First, b.First) })
	return f, nil
}

// matching is all that fitted the search, up to what was there.
func (s *selection) matching() (rota.Filter, error) {
	found, err := parseSearch(s.Q)
	if err != nil {
		return rota.Filter{}, err
	}
	if s.Upper == 0 {
		return rota.Filter{}, rota.Invalid("all: of which page is not known").WithFix("load the page again")
	}
	upper := s.Upper
	if !s.tasks() {
		upper = rota.SpanOf(upper.Job()).Last // with all its elements
	}
	if found.Active {
		found.States = append(found.States, rota.Blocked, rota.Scheduled, rota.Held, rota.Ready, rota.Running)
	}
	return narrowed(found.Filter, rota.Span{First: rota.PlainTask(1), Last: upper}), nil
}

// confirmation asks whether an act is meant, and for what else it needs.
type confirmation struct {
	act
	selection
	Count   int
	Counted string
	Thing   string
	Rest    int // of the samples
	Samples []rota.Job
	Fields  []field
	Back    string
	Reason  string
	Type    string // what is to be typed; empty: nothing
	Problem string // of what was said before
}

// confirmAct shows what an act would do, and asks. Nothing is done yet.
func (p *Pages) confirmAct(r *request) error {
	s, err := selectionOf(r)
	if err != nil {
		return err
	}
	a, err := actOf(r.PostFormValue("act"))
	if err != nil {
		return err
	}
	return p.askFor(r, a, &s, nil)
}

// askFor shows what an act would do, with the problem that what was said has.
func (p *Pages) askFor(r *request, a *act, s *selection, problem error) error {
	f, err := s.filter()
	if err != nil {
		return err
	}
	op, err := p.svc.Operate(r.Context(), rota.Operation{Act: a.Act, Filter: f, DryRun: true})
	if err != nil {
		return err
	}
	c := confirmation{act: *a, selection: *s, Count: op.Matched, Counted: cappedText(op.Matched), Thing: a.thing(),
		Back: local(r.PostFormValue("back")), Reason: r.PostFormValue("reason")}
	if op.Matched > typedAbove {
		c.Type = strconv.Itoa(op.Matched)
	}
	if c.Samples, err = p.samplesOf(r, a, f); err != nil {
		return err
	}
	c.Rest = max(0, op.Matched-len(c.Samples))
	if a.fields != nil {
		if c.Fields, err = a.fields(p, r); err != nil {
			return err
		}
	}
	if problem != nil {
		c.Problem, r.status = problem.Error(), rota.KindOf(problem).Status
	}
	r.show("confirm", a.Verb, c)
	return nil
}

// samplesOf are some of the jobs that an act would reach.
func (p *Pages) samplesOf(r *request, a *act, f rota.Filter) ([]rota.Job, error) {
	if len(f.States) == 0 {
		f.States = a.sources()
	}
	found, err := p.svc.Jobs(r.Context(), rota.JobQuery{Filter: f, Active: a.Changes(), Max: samplesShown})
	if a.Act == rota.ActRemove {
		found = slices.DeleteFunc(found, func(j rota.Job) bool { return !j.Progress.Ended() })
	}
	return found, err
}

// doAct does what was confirmed. Where what was said is not right, it asks again.
func (p *Pages) doAct(r *request) error {
	s, err := selectionOf(r)
	if err != nil {
		return err
	}
	a, err := actOf(r.PostFormValue("act"))
	if err != nil {
		return err
	}
	op, err := p.operate(r, a, &s)
	if rota.KindOf(err).Err == rota.ErrInvalid {
		return p.askFor(r, a, &s, err)
	}
	if err != nil {
		return err
	}
	to := r.back("jobs")
	if a.Act == rota.ActRemove && strings.HasPrefix(to, "jobs/") { // the page of what is no more
		to = "jobs"
	}
	if op.Ended {
		r.done(to, "%s %s%s", plural(op.Done, a.thing()), a.Done, refusedText(&op))
		return nil
	}
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	r.redirect(to + sep + fmt.Sprintf("op=%d", op.ID))
	return nil
}

// refusedText says what could not be done; empty: all could.
func refusedText(op *rota.Operation) string {
	if op.Refused == 0 {
		return ""
	}
	return fmt.Sprintf(", %s refused; the first: %s", countText(op.Refused), op.Why)
}

func (p *Pages) operate(r *request, a *act, s *selection) (op rota.Operation, err error) {
	if want := r.PostFormValue("type"); want != "" && plainNumber(r.PostFormValue("typed")) != want {
		return op, rota.Invalid("%s was to be typed, and %q was", want, r.PostFormValue("typed"))
	}
	op = rota.Operation{Act: a.Act, Reason: r.PostFormValue("reason")}
	if op.Filter, err = s.filter(); err != nil {
		return op, err
	}
	if a.edit != nil {
		e, err := a.edit(func(name string) string { return strings.TrimSpace(r.PostFormValue("to-" + name)) })
		if err != nil {
			return op, err
		}
		op.Edit = &e
	}
	return p.svc.Operate(r.Context(), op)
}

// plainNumber is a number as it was typed, without what people put between thousands.
func plainNumber(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// Operation is a long act that the page's address names.
func (r *request) Operation() *rota.Operation {
	id, err := strconv.ParseInt(r.URL.Query().Get("op"), 10, 64)
	if err != nil || r.Who.Name == "" {
		return nil
	}
	op, err := r.pages.svc.Operation(r.Context(), id)
	if err != nil {
		return nil
	}
	return &op
}

// Refused says what of a long act could not be done.
func (r *request) Refused(op *rota.Operation) string { return refusedText(op) }
