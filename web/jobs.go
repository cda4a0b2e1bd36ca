package web

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

const (
	pageRows = 50
	// searchWindow is in how many jobs, or elements of one, a page looks for what it filters: of the newest, then of those
	// before. So no search takes longer than that, whatever it looks for.
	searchWindow = 50_000
	sortRows     = 1_000 // of the newest that fit, when they are to be in another order
	freshMost    = 1_000 // new rows that are counted
)

// jobsPage is the list of jobs: searched, filtered, sorted and cut into pages, all of which stands in the address.
type jobsPage struct {
	Q, Sort      string
	Problem      string
	Rows         []rota.Job
	Pills        []pill
	Older, Newer string // queries of the pages beside this one
	Deeper       string // of a search that goes on in older jobs
	Looked       rota.JobID
	Sorted       bool       // among the newest only
	Upper        rota.JobID // what acts reach at most: nothing newer than the page
	Fresh        int        // jobs that came since, while the page stands still
	Base         string     // the part of the search that the page itself is
	Sorts        [][2]string
}

// pill is a filter at a click.
type pill struct {
	Label, Query string
	Count        int
	On           bool
}

var jobSorts = [][2]string{{"", "newest first"}, {"oldest", "oldest first"}, {"name", "by name"}, {"queue", "by queue"}, {"user", "by submitter"},
	{"state", "by state"}, {"left", "most tasks left"}, {"failed", "most failed"}, {"priority", "by priority"}, {"took", "longest first"}}

func (p *Pages) jobs(r *request) error {
	d := &jobsPage{Q: strings.TrimSpace(r.URL.Query().Get("q")), Sort: r.URL.Query().Get("sort"), Sorts: jobSorts}
	r.Topics = []string{topicTasks}
	s, err := parseSearch(d.Q)
	if err == nil {
		err = p.findJobs(r, d, s)
	}
	if err != nil {
		if rota.KindOf(err).Err != rota.ErrInvalid {
			return err
		}
		d.Problem, d.Rows = err.Error(), nil
	}
	if d.Pills, err = p.pills(r, d.Q); err != nil {
		return err
	}
	r.show("jobs", "Jobs", d)
	return nil
}

// findJobs fills the page.
func (p *Pages) findJobs(r *request, d *jobsPage, s search) error {
	newest, err := p.svc.Jobs(r.Context(), rota.JobQuery{Max: 1})
	if err != nil || len(newest) == 0 {
		return err
	}
	d.Upper = newest[0].ID
	if upto := jobParam(r, "upto"); upto > 0 && upto < d.Upper {
		if d.Fresh, err = p.countFresh(r, s, upto); err != nil {
			return err
		}
		d.Upper = upto
	}
	q := rota.JobQuery{Filter: s.Filter, Active: s.Active, Max: pageRows + 1, Before: d.Upper + 1, Oldest: d.Sort == "oldest"}
	before, after := jobParam(r, "before"), jobParam(r, "after")
	switch {
	case slices.ContainsFunc(jobSorts[2:], func(x [2]string) bool { return x[0] == d.Sort }):
		return p.sortJobs(r, d, q)
	case q.Oldest:
		q.After = after
	case after > 0: // the page before, from its end
		q.After, q.Oldest = after, true
	case before > 0:
		q.Before = min(before, q.Before)
	}
	d.window(&q, s)
	rows, err := p.svc.Jobs(r.Context(), q)
	if err != nil {
		return err
	}
	more := len(rows) > pageRows
	rows = rows[:min(len(rows), pageRows)]
	turned := q.Oldest && d.Sort != "oldest"
	if turned {
		slices.Reverse(rows)
	}
	d.Rows = rows
	d.links(r, q, more, turned, before)
	return nil
}

// window bounds a search to so many jobs, since it may find nothing in all there are.
func (d *jobsPage) window(q *rota.JobQuery, s search) {
	if s.Filter.Empty() && !s.Active || len(s.Tasks) > 0 {
		return
	}
	span := rota.Span{First: rota.PlainTask(max(1, q.Before-searchWindow)), Last: rota.SpanOf(q.Before - 1).Last}
	if q.Oldest {
		span = rota.Span{First: rota.PlainTask(q.After + 1), Last: rota.SpanOf(min(q.After+searchWindow, q.Before-1)).Last}
	}
	q.Filter = narrowed(q.Filter, span)
	d.Looked = span.First.Job()
	if q.Oldest {
		d.Looked = span.Last.Job()
	}
}

// links are the ways to the pages beside this one.
func (d *jobsPage) links(r *request, q rota.JobQuery, more, turned bool, before rota.JobID) {
	n := len(d.Rows)
	older, newer := more, before > 0
	if turned {
		older, newer = n > 0, more
	}
	switch {
	case d.Sort == "oldest":
		if more {
			d.Older = r.With("after", d.Rows[n-1].ID.String())
		} else if d.Looked > 0 && d.Looked < d.Upper {
			d.Deeper = r.With("after", d.Looked.String())
		}
		return
	case older:
		d.Older = r.With("before", d.Rows[n-1].ID.String(), "after", "")
	case d.Looked > 1:
		d.Deeper = r.With("before", d.Looked.String(), "after", "")
	}
	if newer && n > 0 {
		d.Newer = r.With("after", d.Rows[0].ID.String(), "before", "")
	} else if newer {
		d.Newer = r.With("after", "", "before", "")
	}
}

// sortJobs puts the newest that fit in another order.
func (p *Pages) sortJobs(r *request, d *jobsPage, q rota.JobQuery) error {
	q.Max = sortRows
	d.window(&q, search{Filter: q.Filter, Active: q.Active})
	rows, err := p.svc.Jobs(r.Context(), q)
	if err != nil {
		return err
	}
	d.Sorted = len(rows) == sortRows || d.Looked > 1
	slices.SortStableFunc(rows, func(a, b rota.Job) int { return compareJobs(d.Sort, &a, &b, r.Now) })
	at, _ := strconv.Atoi(r.URL.Query().Get("at"))
	at = min(max(at, 0), len(rows))
	end := min(at+pageRows, len(rows))
	if end < len(rows) {
		d.Older = r.With("at", strconv.Itoa(end))
	}
	if at > 0 {
		d.Newer = r.With("at", strconv.Itoa(max(0, at-pageRows)))
	}
	d.Rows = rows[at:end]
	return nil
}

func compareJobs(by string, a, b *rota.Job, now time.Time) int {
	switch by {
	case "name":
		return cmp.Compare(a.Spec.Name, b.Spec.Name)
	case "queue":
		return cmp.Compare(a.Spec.Queue, b.Spec.Queue)
	case "user":
		return cmp.Compare(a.Submitter, b.Submitter)
	case "state":
		return cmp.Compare(a.State(), b.State())
	case "left":
		return cmp.Compare(b.Left(), a.Left())
	case "failed":
		return cmp.Compare(b.Failed, a.Failed)
	case "priority":
		return cmp.Compare(b.Spec.Priority, a.Spec.Priority)
	}
	return cmp.Compare(took(b, now), took(a, now))
}

// took is how long a job has taken, or is taking, from its submission.
func took(j *rota.Job, now time.Time) time.Duration {
	if j.Ended.IsZero() {
		return now.Sub(j.Submitted)
	}
	return j.Ended.Sub(j.Submitted)
}

// jobsOf are the jobs of some numbers, as far as they are kept.
func (p *Pages) jobsOf(r *request, ids []rota.JobID) (all []rota.Job, err error) {
	for part := range slices.Chunk(ids, 200) {
		jobs, err := p.svc.Jobs(r.Context(), rota.JobQuery{Filter: rota.Filter{Tasks: rota.SpansOf(part)}, Max: len(part)})
		if err != nil {
			return nil, err
		}
		all = append(all, jobs...)
	}
	return all, nil
}

// countFresh counts what fits and is newer than what the page shows.
func (p *Pages) countFresh(r *request, s search, upto rota.JobID) (int, error) {
	fresh, err := p.svc.Jobs(r.Context(), rota.JobQuery{Filter: s.Filter, Active: s.Active, After: upto, Oldest: true, Max: freshMost})
	return len(fresh), err
}

// pills are the filters by state, with the tasks there are in each.
func (p *Pages) pills(r *request, q string) ([]pill, error) {
	queues, err := p.svc.Queues(r.Context())
	if err != nil {
		return nil, err
	}
	counts := countsOf(queues)
	waiting := counts[rota.Blocked] + counts[rota.Scheduled] + counts[rota.Held] + counts[rota.Ready]
	s, _ := parseSearch(q)
	now := stateTerm(q)
	all := []pill{{Label: "All", Count: -1, On: now == ""}, {Label: "Waiting", Count: waiting, On: now == "waiting"}}
	for _, st := range []rota.State{rota.Running, rota.Succeeded, rota.Failed, rota.Cancelled, rota.Held, rota.Blocked, rota.Scheduled} {
		if counts[st] > 0 || slices.Contains(s.States, st) && now == st.String() {
			label := st.String()
			all = append(all, pill{Label: strings.ToUpper(label[:1]) + label[1:], Count: counts[st], On: now == label})
		}
	}
	for i := range all {
		value := strings.ToLower(all[i].Label)
		if value == "all" {
			value = ""
		}
		all[i].Query = r.With("q", withTerm(q, "state", value), "before", "", "after", "", "at", "")
	}
	return all, nil
}

func stateTerm(q string) string {
	for _, w := range searchWords(q) {
		if v, ok := strings.CutPrefix(w, "state:"); ok {
			return v
		}
	}
	return ""
}

func countsOf(queues []rota.Queue) map[rota.State]int {
	sum := map[rota.State]int{}
	for i := range queues {
		for s, n := range queues[i].Counts {
			sum[s] += n
		}
	}
	return sum
}

func jobParam(r *request, name string) rota.JobID {
	id, err := rota.ParseJobID(r.URL.Query().Get(name))
	if err != nil {
		return 0
	}
	return id
}

// SortLabel is the order in words.
func (d *jobsPage) SortLabel() string {
	for _, s := range jobSorts {
		if s[0] == d.Sort {
			return s[1]
		}
	}
	return jobSorts[0][1]
}

// Took is how long a job has taken, or is taking.
func (r *request) Took(j rota.Job) string { return brief(took(&j, r.Now)) }

// Command is what a job does, in one line.
func (r *request) Command(s rota.Spec) string {
	line := strings.Join(strings.Fields(s.Command()), " ")
	if len(line) > 160 {
		line = strings.ToValidUTF8(line[:160], "") + "…"
	}
	return line
}

// Bar are the parts of a job's progress, as widths of a hundred.
func (r *request) Bar(pr rota.Progress) (parts []barPart) {
	at := 0.0
	for _, x := range []struct {
		state rota.State
		n     int
	}{{rota.Succeeded, pr.Succeeded}, {rota.Failed, pr.Failed}, {rota.Cancelled, pr.Cancelled}, {rota.Running, pr.Running},
		{rota.Ready, pr.Ready}, {rota.Scheduled, pr.Scheduled}, {rota.Held, pr.Held}, {rota.Blocked, pr.Blocked}} {
		if x.n == 0 || pr.Tasks == 0 {
			continue
		}
		w := 100 * float64(x.n) / float64(pr.Tasks)
		parts = append(parts, barPart{State: x.state, N: x.n, X: fmt.Sprintf("%.2f", at), W: fmt.Sprintf("%.2f", w)})
		at += w
	}
	return parts
}

type barPart struct {
	State rota.State
	N     int
	X, W  string
}
