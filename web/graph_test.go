package web

import (
	"context"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/rotaqueue/rota"
)

// edgeService has jobs of which some run after others.
type edgeService struct {
	rota.Service
	edges []rota.Edge
	gone  rota.JobID
	asked int
}

func (s *edgeService) Edges(_ context.Context, q rota.EdgeQuery) (out []rota.Edge, err error) {
	s.asked++
	for _, e := range s.edges {
		if len(q.Of) > 0 && !slices.Contains(q.Of, e.Job) && !slices.Contains(q.Of, e.On) || q.Before > 0 && e.Job >= q.Before {
			continue
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b rota.Edge) int { return int(b.Job - a.Job) })
	return out[:min(len(out), q.Max)], nil
}

func (s *edgeService) Jobs(_ context.Context, q rota.JobQuery) (out []rota.Job, err error) {
	for _, span := range q.Tasks {
		if id := span.First.Job(); id != s.gone && span == rota.SpanOf(id) {
			out = append(out, rota.Job{Progress: rota.Progress{Job: id, Tasks: 1, Made: 1, Sealed: true, Succeeded: 1}, ID: id})
		}
	}
	return out, nil
}

func after(job rota.JobID, on ...rota.JobID) (out []rota.Edge) {
	for _, id := range on {
		out = append(out, rota.Edge{Job: job, On: id, When: rota.AfterOK})
	}
	return out
}

// passage is where a line goes straight through a column.
var passage = regexp.MustCompile(`(\d+),(\d+) H\d+`)

func drawn(t *testing.T, svc *edgeService, of rota.JobID, known ...rota.Edge) graph {
	t.Helper()
	p := New(svc, Options{})
	w, err := p.workflowOf(&request{Request: httptest.NewRequest("GET", "/", nil), pages: p}, of, nil, known...)
	if err != nil {
		t.Fatal(err)
	}
	return w.draw(of)
}

// TestAWorkflowIsDrawnFromAnyOfItsJobs: the same boxes, each to the right of what it runs after, none upon another.
func TestAWorkflowIsDrawnFromAnyOfItsJobs(t *testing.T) {
	svc := &edgeService{gone: 3}
	for _, e := range [][]rota.Edge{after(4, 1), after(5, 1, 2), after(6, 4, 5), after(7, 6), after(8, 2), after(9, 1, 7, 3), after(21, 20)} {
		svc.edges = append(svc.edges, e...)
	}
	for _, from := range []rota.JobID{1, 2, 3, 4, 5, 6, 7, 8, 9} {
		g := drawn(t, svc, from)
		at := map[rota.JobID]box{}
		for _, b := range g.Boxes {
			at[b.Job] = b
			if b.This != (b.Job == from) || b.Gone != (b.Job == 3) {
				t.Errorf("from %v: %+v", from, b)
			}
			if b.X < 0 || b.X+boxWidth > g.Width || b.Y < 0 || b.Y+boxHeight > g.Height {
				t.Errorf("from %v: job %v stands beside the picture of %d by %d: %+v", from, b.Job, g.Width, g.Height, b)
			}
			for _, o := range g.Boxes {
				if o.Job != b.Job && o.X < b.X+boxWidth && b.X < o.X+boxWidth && o.Y < b.Y+boxHeight && b.Y < o.Y+boxHeight {
					t.Errorf("from %v: jobs %v and %v stand upon each other", from, b.Job, o.Job)
				}
			}
		}
		if len(g.Boxes) != 9 || len(g.Lines) != len(svc.edges)-1 || g.Cut {
			t.Fatalf("from %v: %d boxes, %d lines, %v", from, len(g.Boxes), len(g.Lines), g.Cut)
		}
		passed := 0
		for _, l := range g.Lines {
			for _, m := range passage.FindAllStringSubmatch(l.Path, -1) {
				passed++
				x, _ := strconv.Atoi(m[1])
				y, _ := strconv.Atoi(m[2])
				for _, b := range g.Boxes {
					if b.X == x && b.Y <= y && y <= b.Y+boxHeight {
						t.Errorf("from %v: %q goes through the box of job %v", from, l.Label, b.Job)
					}
				}
			}
		}
		if passed < 3 {
			t.Errorf("from %v: %d places are passed", from, passed)
		}
		for _, e := range svc.edges[:len(svc.edges)-1] {
			if at[e.On].X >= at[e.Job].X {
				t.Errorf("from %v: job %v does not stand to the right of %v", from, e.Job, e.On)
			}
		}
	}
	if g := drawn(t, svc, 99); len(g.Boxes) != 0 {
		t.Errorf("a job that stands alone: %+v", g)
	}
	if g := drawn(t, svc, 99, rota.Edge{Job: 99, On: 20}); len(g.Boxes) != 3 || len(g.Lines) != 2 {
		t.Errorf("one that was submitted by another: %+v", g)
	}
}

// TestALargeWorkflowIsDrawnInPart, and so is one that leads back, which nobody can make.
func TestALargeWorkflowIsDrawnInPart(t *testing.T) {
	svc := &edgeService{}
	for i := range rota.JobID(2000) {
		svc.edges = append(svc.edges, after(2+i, 1)...)
	}
	if g := drawn(t, svc, 1); len(g.Boxes) != graphMost || !g.Cut {
		t.Errorf("%d boxes, cut: %v", len(g.Boxes), g.Cut)
	}
	svc.edges = slices.Concat(after(1, 2), after(2, 3), after(3, 1))
	if g := drawn(t, svc, 1); len(g.Boxes) != 3 {
		t.Errorf("%d boxes", len(g.Boxes))
	}
}

// TestWorkflowsComeInPages: each stands on one page, whole, also a large one.
func TestWorkflowsComeInPages(t *testing.T) {
	svc := &edgeService{}
	job := rota.JobID(0)
	for range 25 { // of three jobs
		svc.edges = append(svc.edges, slices.Concat(after(job+2, job+1), after(job+3, job+2))...)
		job += 3
	}
	large := job + 1
	for range 300 {
		job++
		svc.edges = append(svc.edges, after(job+1, large)...)
	}
	p := New(svc, Options{})
	seen := map[rota.JobID]int{}
	path, pages := "/workflows", 0
	for ; path != ""; pages++ {
		if pages > 10 {
			t.Fatal("the pages do not end")
		}
		d := &workflowsPage{}
		if err := p.findWorkflows(&request{Request: httptest.NewRequest("GET", path, nil), pages: p}, d); err != nil {
			t.Fatal(err)
		}
		for _, row := range d.Rows {
			seen[row.First]++
		}
		path = ""
		if d.Older != "" {
			path = "/workflows" + d.Older
		}
	}
	if len(seen) != 26 || seen[large] != 1 || pages != 3 {
		t.Errorf("%d workflows on %d pages; the large one %d times", len(seen), pages, seen[large])
	}
	for first, n := range seen {
		if n != 1 {
			t.Errorf("that of job %v stands on %d pages", first, n)
		}
	}
}
