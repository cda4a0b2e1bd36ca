package web

import (
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// failedPage are failures in groups, and the failed tasks that fit.
type failedPage struct {
	Q            string
	By           rota.By
	Problem      string
	Groups       []failureGroup
	All          []rota.FailureGroup
	Rows         []rota.Task
	Older, Newer string
	Upper        rota.TaskID
	Sort         string
	Deeper       string
	Bys          []rota.By
	Seen         int // how many of the newest failures the groups are of; 0: of all
}

type failureGroup struct {
	rota.FailureGroup
	Q     string // the search that selects it
	Label string
	Width string // of a hundred
}

func (p *Pages) failed(r *request) error {
	v := r.URL.Query()
	d := &failedPage{Q: strings.TrimSpace(v.Get("q")), By: rota.By(v.Get("by")), Sort: v.Get("sort"), Bys: rota.FailureBys}
	r.Topics = []string{topicTasks}
	if !slices.Contains(rota.FailureBys, d.By) {
		d.By = rota.ByError
	}
	s, err := parseSearch(d.Q)
	if err == nil {
		s.States = []rota.State{rota.Failed}
		err = p.findFailed(r, d, s)
	}
	if err != nil {
		if rota.KindOf(err).Err != rota.ErrInvalid {
			return err
		}
		d.Problem = err.Error()
	}
	r.show("failed", "Failed", d)
	return nil
}

func (p *Pages) findFailed(r *request, d *failedPage, s search) error {
	newest, err := p.svc.Jobs(r.Context(), rota.JobQuery{Max: 1})
	if err != nil || len(newest) == 0 {
		return err
	}
	d.Upper = rota.SpanOf(newest[0].ID).Last
	if d.All, err = p.svc.Failures(r.Context(), rota.FailureQuery{Filter: s.Filter, By: d.By}); err != nil {
		return err
	}
	if rota.OnlyNewest(d.All) {
		d.Seen = rota.FailuresSeen
	}
	d.group()
	q := rota.TaskQuery{Filter: s.Filter, Newest: d.Sort != "oldest", Max: pageRows + 1}
	if text := r.URL.Query().Get("after"); text != "" {
		if err := q.After.UnmarshalText([]byte(text)); err != nil {
			return err
		}
		d.Newer = r.With("after", "")
	}
	if len(d.All) == 0 {
		return nil
	}
	if d.Rows, err = p.svc.Tasks(r.Context(), q); err != nil {
		return err
	}
	if len(d.Rows) > pageRows {
		d.Rows = d.Rows[:pageRows]
		d.Older = r.With("after", d.Rows[pageRows-1].ID.String())
	}
	return nil
}

// group gives each group the search that selects it.
func (d *failedPage) group() {
	key := map[rota.By]string{rota.ByError: "error", rota.ByQueue: "queue", rota.ByName: "name", rota.ByNode: "node"}[d.By]
	for i, g := range d.All {
		if i == 30 {
			break
		}
		x := failureGroup{FailureGroup: g, Label: g.Key, Width: percent(g.Count, d.All[0].Count)}
		if d.By == rota.ByError {
			x.Label = g.Text
		}
		if g.Key != "" {
			x.Q = withTerm(d.Q, key, g.Key)
		}
		d.Groups = append(d.Groups, x)
	}
}
