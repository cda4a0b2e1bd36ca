package web

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/rotaqueue/rota"
)

// graph is jobs that run after each other as a picture: each stands to the right of all that it runs after.
type graph struct {
	Boxes         []box
	Lines         []line
	Width, Height int
	Cut           bool // there is more of it than is drawn
}

type box struct {
	X, Y  int
	Job   rota.JobID
	Label string
	Full  string
	State rota.State
	Note  string
	Gone  bool // the job is not kept any more, or not for who looks
	This  bool
}

// line goes from a box to one that comes after it.
type line struct {
	Path  string    // as SVG has it
	When  rota.When // empty: the first submitted the other
	Label string
}

const (
	boxWidth   = 200
	boxHeight  = 44
	boxApart   = 12
	boxBetween = 80
	lineHeight = 16 // of a column's place that a line goes through
	labelMost  = 22 // letters in a box
	graphMost  = 60 // jobs of a picture
)

// workflow is a job with all that leads to it and all that comes after it, and so on.
type workflow struct {
	Jobs  map[rota.JobID]*rota.Job // nil: it is not kept any more
	Edges []rota.Edge              // an edge without When: the one submitted the other
	Cut   bool
}

// workflowOf looks from a job on, which may be known already (counting a large array's tasks takes a while), and so may some edges.
func (p *Pages) workflowOf(r *request, from rota.JobID, j *rota.Job, known ...rota.Edge) (*workflow, error) {
	w := &workflow{Jobs: map[rota.JobID]*rota.Job{from: j}}
	next := []rota.JobID{from}
	have := map[rota.Edge]bool{}
	add := func(edges []rota.Edge) {
		for _, e := range edges {
			if have[e] {
				continue
			}
			fresh := []rota.JobID{e.Job, e.On}
			fresh = slices.DeleteFunc(fresh, func(id rota.JobID) bool { _, there := w.Jobs[id]; return there })
			if len(w.Jobs)+len(fresh) > graphMost {
				w.Cut = true
				continue
			}
			have[e] = true
			w.Edges = append(w.Edges, e)
			for _, id := range fresh {
				w.Jobs[id] = nil
				next = append(next, id)
			}
		}
	}
	add(known)
	for len(next) > 0 {
		of := next
		next = nil
		const most = 500
		edges, err := p.svc.Edges(r.Context(), rota.EdgeQuery{Of: of, Max: most})
		if err != nil {
			return nil, err
		}
		w.Cut = w.Cut || len(edges) == most
		slices.Reverse(edges) // the older first: what is cut off are the newest
		add(edges)
	}
	return w, p.fillWorkflow(r, w)
}

// fillWorkflow looks up its jobs that are not known.
func (p *Pages) fillWorkflow(r *request, w *workflow) error {
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(w.Jobs)), func(id rota.JobID) bool { return w.Jobs[id] != nil })
	jobs, err := p.jobsOf(r, ids)
	for i := range jobs {
		w.Jobs[jobs[i].ID] = &jobs[i]
	}
	return err
}

// jobWorkflow is that of a job, with who submitted it and what it submitted.
func (p *Pages) jobWorkflow(r *request, j *rota.Job, children []rota.Job) (*workflow, error) {
	var known []rota.Edge
	for _, d := range j.Spec.After {
		known = append(known, rota.Edge{Job: j.ID, On: d.Job, When: d.When})
	}
	if j.Parent != 0 {
		known = append(known, rota.Edge{Job: j.ID, On: j.Parent.Job()})
	}
	for i := range children {
		known = append(known, rota.Edge{Job: children[i].ID, On: j.ID})
	}
	return p.workflowOf(r, j.ID, j, known...)
}

// columns says for each job how many stand before it at the least, one after the other.
func (w *workflow) columns() map[rota.JobID]int {
	column := map[rota.JobID]int{}
	for range len(w.Jobs) { // edges never lead back, but for those who lie to us
		moved := false
		for _, e := range w.Edges {
			if at := column[e.On] + 1; column[e.Job] < at && at < len(w.Jobs) {
				column[e.Job], moved = at, true
			}
		}
		if !moved {
			break
		}
	}
	return column
}

// spot is a place in a column: a job's, or one through which an edge goes that leads further.
type spot struct {
	job  rota.JobID
	edge int // of a passage: 1 and up, by its place among the edges; 0: it is a job's
}

func (s spot) height() int {
	if s.edge > 0 {
		return lineHeight
	}
	return boxHeight
}

// draw is the workflow's picture, in which one job stands out; none of one that stands alone. It is drawn in layers (Sugiyama,
// Tagawa, Toda 1981): a column for each, places for edges in the columns that they pass, and each column in the order of what
// its places come from.
func (w *workflow) draw(this rota.JobID) graph {
	if len(w.Edges) == 0 {
		return graph{}
	}
	column := w.columns()
	rows := make([][]spot, 0, 8)
	put := func(c int, s spot) {
		for len(rows) <= c {
			rows = append(rows, nil)
		}
		rows[c] = append(rows[c], s)
	}
	for _, id := range slices.Sorted(maps.Keys(w.Jobs)) {
		put(column[id], spot{job: id})
	}
	for i, e := range w.Edges {
		for c := column[e.On] + 1; c < column[e.Job]; c++ {
			put(c, spot{e.Job, i + 1})
		}
	}
	w.untangle(rows, column)
	g := graph{Cut: w.Cut, Width: 20 + len(rows)*(boxWidth+boxBetween) - boxBetween}
	tall := func(spots []spot) (n int) {
		for _, s := range spots {
			n += s.height() + boxApart
		}
		return n - boxApart
	}
	for _, spots := range rows {
		g.Height = max(g.Height, tall(spots)+2*boxApart)
	}
	at := map[rota.JobID]box{}
	passes := make([][][2]int, len(w.Edges)) // where each edge passes, column by column
	for c, spots := range rows {
		x, y := 10+c*(boxWidth+boxBetween), (g.Height-tall(spots))/2
		for _, s := range spots {
			if s.edge > 0 {
				passes[s.edge-1] = append(passes[s.edge-1], [2]int{x, y + lineHeight/2})
			} else {
				b := boxOf(s.job, w.Jobs[s.job])
				b.X, b.Y, b.This = x, y, s.job == this
				at[s.job] = b
				g.Boxes = append(g.Boxes, b)
			}
			y += s.height() + boxApart
		}
	}
	for i, e := range w.Edges {
		g.Lines = append(g.Lines, lineOf(e, at[e.On], at[e.Job], passes[i]))
	}
	return g
}

// lineOf goes from a box through places in the columns between to another one.
func lineOf(e rota.Edge, from, to box, passes [][2]int) line {
	l := line{When: e.When, Label: fmt.Sprintf("job %v was submitted by job %v", e.Job, e.On)}
	if e.When != "" {
		l.Label = fmt.Sprintf("job %v runs after job %v: %s", e.Job, e.On, e.When)
	}
	x, y := from.X+boxWidth, from.Y+boxHeight/2
	l.Path = fmt.Sprintf("M%d,%d", x, y)
	curve := func(toX, toY int) {
		mid := (x + toX) / 2
		l.Path += fmt.Sprintf(" C%d,%d %d,%d %d,%d", mid, y, mid, toY, toX, toY)
		x, y = toX, toY
	}
	for _, p := range passes {
		curve(p[0], p[1])
		l.Path += fmt.Sprintf(" H%d", x+boxWidth)
		x += boxWidth
	}
	curve(to.X, to.Y+boxHeight/2)
	return l
}

// untangle orders each column by where that stands which its places come from: by its mean (the barycentre method).
func (w *workflow) untangle(rows [][]spot, column map[rota.JobID]int) {
	place := map[spot]float64{}
	for c, spots := range rows {
		mean := map[spot]float64{}
		for i, s := range spots {
			sum, n := 0.0, 0
			for k, e := range w.Edges {
				from := spot{job: e.On}
				if column[e.On] < c-1 {
					from = spot{e.Job, k + 1}
				}
				if e.Job == s.job && (s.edge == 0 && column[e.Job] == c || s.edge == k+1) {
					sum += place[from]
					n++
				}
			}
			mean[s] = float64(i)
			if n > 0 {
				mean[s] = sum / float64(n)
			}
		}
		slices.SortStableFunc(spots, func(a, b spot) int { return cmp.Compare(mean[a], mean[b]) })
		for i, s := range spots {
			place[s] = float64(i) - float64(len(spots)-1)/2
		}
	}
}

func boxOf(id rota.JobID, j *rota.Job) box {
	b := box{Job: id, Full: "job " + id.String()}
	if j == nil {
		b.Label, b.Gone, b.Note = b.Full, true, "not kept any more"
		return b
	}
	b.Full = cmp.Or(j.Spec.Name, b.Full)
	b.Label, b.State = shortened(b.Full, labelMost), j.State()
	if j.Tasks > 1 {
		b.Note = strconv.Itoa(j.Tasks-j.Left()) + " of " + strconv.Itoa(j.Tasks)
	}
	return b
}

func shortened(s string, most int) string {
	if letters := []rune(s); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return s
}
