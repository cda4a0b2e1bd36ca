package web

import (
	"cmp"
	"time"

	"github.com/rotaqueue/rota"
)

// workflowsPage is jobs that run after each other, and arrays.
type workflowsPage struct {
	Rows           []workflowRow
	Older, Newer   string
	Arrays         []rota.Job
	ArraysOlder    string
	ArraysNewer    string
	ArraysLookedTo rota.JobID
}

// workflowRow is one workflow as a whole.
type workflowRow struct {
	First, Last rota.JobID
	Name        string
	Jobs        int
	Progress    rota.Progress // of all its tasks
	Submitted   time.Time
	Graph       graph
}

const (
	workflowsMost = 10 // of a page
	workflowLooks = 20 // at 200 edges each, for a page
	arraysMost    = 20
)

func (p *Pages) workflows(r *request) (err error) {
	r.Topics = []string{topicTasks}
	d := &workflowsPage{}
	if err := p.findWorkflows(r, d); err != nil {
		return err
	}
	if err := p.findArrays(r, d); err != nil {
		return err
	}
	r.show("workflows", "Workflows and arrays", d)
	return nil
}

// findWorkflows goes through edges, the newest first. A workflow stands where its newest job does.
func (p *Pages) findWorkflows(r *request, d *workflowsPage) error {
	before := jobParam(r, "before")
	if before > 0 {
		d.Newer = r.With("before", "")
	}
	seen := map[rota.JobID]bool{}
	at := before
	for range workflowLooks {
		edges, err := p.svc.Edges(r.Context(), rota.EdgeQuery{Before: at, Max: 200})
		if err != nil || len(edges) == 0 {
			return err
		}
		for _, e := range edges {
			at = e.Job
			if seen[e.Job] || seen[e.On] { // the latter: of a large one, which is not drawn whole
				seen[e.Job] = true
				continue
			}
			w, err := p.workflowOf(r, e.Job, nil)
			if err != nil {
				return err
			}
			newest := rota.JobID(0)
			for id := range w.Jobs {
				seen[id] = true
				newest = max(newest, id)
			}
			if before > 0 && newest >= before {
				continue // it stands on a page before
			}
			if len(d.Rows) == workflowsMost {
				d.Older = r.With("before", (e.Job + 1).String())
				return nil
			}
			d.Rows = append(d.Rows, w.row(newest))
		}
	}
	d.Older = r.With("before", at.String())
	return nil
}

func (w *workflow) row(newest rota.JobID) workflowRow {
	row := workflowRow{Jobs: len(w.Jobs), Last: newest, Progress: rota.Progress{Sealed: true}}
	for id, j := range w.Jobs {
		if row.First == 0 || id < row.First {
			row.First = id
		}
		if j == nil {
			continue
		}
		if row.Submitted.IsZero() || j.Submitted.Before(row.Submitted) {
			row.Submitted = j.Submitted
		}
		row.Progress.Sealed = row.Progress.Sealed && j.Sealed
		row.Progress.Tasks += j.Tasks
		row.Progress.Made += j.Made
		row.Progress.Blocked += j.Blocked
		row.Progress.Scheduled += j.Scheduled
		row.Progress.Held += j.Held
		row.Progress.Ready += j.Ready
		row.Progress.Running += j.Running
		row.Progress.Succeeded += j.Succeeded
		row.Progress.Failed += j.Failed
		row.Progress.Cancelled += j.Cancelled
	}
	row.Name = "Workflow of job " + row.First.String()
	if j := w.Jobs[row.First]; j != nil {
		row.Name = cmp.Or(j.Spec.Name, row.Name)
	}
	row.Graph = w.draw(0)
	return row
}

// findArrays are the newest jobs of many tasks, among so many jobs as any search looks at.
func (p *Pages) findArrays(r *request, d *workflowsPage) error {
	newest, err := p.svc.Jobs(r.Context(), rota.JobQuery{Max: 1})
	if err != nil || len(newest) == 0 {
		return err
	}
	before := newest[0].ID + 1
	if at := jobParam(r, "arrays"); at > 0 {
		before = min(at, before)
		d.ArraysNewer = r.With("arrays", "")
	}
	span := rota.Span{First: rota.PlainTask(max(1, before-searchWindow)), Last: rota.SpanOf(before - 1).Last}
	d.Arrays, err = p.svc.Jobs(r.Context(), rota.JobQuery{Filter: rota.Filter{Tasks: []rota.Span{span}}, Many: true, Before: before, Max: arraysMost + 1})
	switch n := len(d.Arrays); {
	case n > arraysMost:
		d.Arrays = d.Arrays[:arraysMost]
		d.ArraysOlder = r.With("arrays", d.Arrays[arraysMost-1].ID.String())
	case span.First.Job() > 1:
		d.ArraysOlder = r.With("arrays", span.First.Job().String())
		d.ArraysLookedTo = span.First.Job()
	}
	return err
}
