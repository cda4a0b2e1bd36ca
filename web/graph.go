package web

import (
	"cmp"

	"github.com/rotaqueue/rota"
)

// graph is what a job waits for and what came of it, as a picture: three columns of boxes.
type graph struct {
	Boxes  []box
	Lines  []line
	Height int
}

type box struct {
	X, Y  int
	Job   rota.JobID
	Label string
	State rota.State
	Note  string
	This  bool
}

type line struct{ X1, Y1, X2, Y2, C int }

const (
	boxWidth  = 200
	boxHeight = 44
	boxApart  = 12
	graphMost = 8 // boxes of a column
)

// graphOf is empty for a job that stands alone.
func (p *Pages) graphOf(r *request, j *rota.Job, children []rota.Job) graph {
	var before, after []box
	for i, d := range j.Spec.After {
		if i == graphMost {
			break
		}
		b := box{Job: d.Job, Label: "job " + d.Job.String(), Note: "on " + cmp.Or(string(d.When), "ok")}
		if dj, err := p.svc.Job(r.Context(), d.Job); err == nil {
			b.State, b.Label = dj.State(), cmp.Or(dj.Spec.Name, b.Label)
		}
		before = append(before, b)
	}
	if j.Parent != 0 && len(before) < graphMost {
		before = append(before, box{Job: j.Parent.Job(), Label: "task " + j.Parent.String(), Note: "submitted it"})
	}
	for i := range children {
		if i == graphMost {
			break
		}
		after = append(after, box{Job: children[i].ID, Label: cmp.Or(children[i].Spec.Name, "job "+children[i].ID.String()), State: children[i].State(), Note: "child"})
	}
	if len(before)+len(after) == 0 {
		return graph{}
	}
	this := []box{{Job: j.ID, Label: cmp.Or(j.Spec.Name, "job "+j.ID.String()), State: j.State(), This: true}}
	rows := max(len(before), len(after), 1)
	g := graph{Height: rows*(boxHeight+boxApart) + boxApart}
	for column, boxes := range [][]box{before, this, after} {
		top := (g.Height - len(boxes)*(boxHeight+boxApart) + boxApart) / 2
		for i := range boxes {
			b := &boxes[i]
			b.X, b.Y = 10+column*(boxWidth+80), top+i*(boxHeight+boxApart)
			g.Boxes = append(g.Boxes, *b)
		}
	}
	mid := func(b box) int { return b.Y + boxHeight/2 }
	for _, b := range before {
		g.Lines = append(g.Lines, line{b.X + boxWidth, mid(b), this[0].X, mid(this[0]), 40})
	}
	for _, b := range after {
		g.Lines = append(g.Lines, line{this[0].X + boxWidth, mid(this[0]), b.X, mid(b), 40})
	}
	for i := range g.Lines {
		g.Lines[i].C = (g.Lines[i].X1 + g.Lines[i].X2) / 2
	}
	return g
}
