package servicetest

import (
	"github.com/rotaqueue/rota"
)

var linesTests = []contract{
	{"one task a line", oneTaskALine},
	{"parts are sealed by the last", linesInParts},
	{"parts that are wrong are refused", wrongParts},
	{"only the submitter adds parts", othersParts},
}

func eachLine(s *rota.Spec) { s.Lines = true }

func oneTaskALine(w *world) {
	lines := []string{"first", "", "  the third; $(x) ", "ünïcode"}
	got := w.kim.send(rota.Submission{Spec: run(eachLine), Lines: lines})
	equal(w, "tasks", got.Tasks, len(lines))
	as := w.node("one").claim(len(lines))
	for i, a := range as {
		equal(w, "line", a.Line, lines[i])
		equal(w, "index", a.Task.Index(), i+1)
	}
	equal(w, "line of a task", w.kim.task(rota.Element(got.Job, 3)).Line, lines[2])
}

func linesInParts(w *world) {
	m := w.node("one")
	got := w.kim.send(rota.Submission{Spec: run(eachLine, func(s *rota.Spec) { s.Limit = 2 }), Lines: []string{"a"}, More: true})
	m.idle("more lines follow")
	part := rota.Part{Number: 1, Lines: []string{"b", "c"}}
	for range 2 { // sending it again changes nothing
		now, err := w.kim.Upload(w.kim.ctx, got.Job, part)
		if err != nil || now.Tasks != 3 {
			w.Errorf("part 1: got %+v, error %v; want 3 tasks", now, err)
		}
	}
	m.idle("more lines follow")
	if w.kim.job(got.Job).Sealed {
		w.Error("sealed before the last part")
	}
	if now, err := w.kim.Upload(w.kim.ctx, got.Job, rota.Part{Number: 2, Lines: []string{"d"}, Last: true}); err != nil || now.Tasks != 4 {
		w.Errorf("part 2: got %+v, error %v; want 4 tasks", now, err)
	}
	var lines []string
	for range 4 {
		a := m.claimOne()
		lines = append(lines, a.Line)
		m.ends(rota.OutcomeSucceeded, a)
	}
	equal(w, "lines", lines, []string{"a", "b", "c", "d"})
	equal(w, "state", w.kim.job(got.Job).Progress.State(), rota.Succeeded)
}

func wrongParts(w *world) {
	upload := func(id rota.JobID, p rota.Part) error {
		_, err := w.kim.Upload(w.kim.ctx, id, p)
		return err
	}
	open := w.kim.send(rota.Submission{Spec: run(eachLine), Lines: []string{"a"}, More: true}).Job
	whole := w.kim.submit(run())
	w.refused("a part of no number", upload(open, rota.Part{Lines: []string{"b"}}), rota.ErrInvalid)
	w.refused("a part that is ahead", upload(open, rota.Part{Number: 2, Lines: []string{"b"}}), rota.ErrConflict)
	w.refused("a line with a line end", upload(open, rota.Part{Number: 1, Lines: []string{"b\nc"}}), rota.ErrInvalid)
	w.refused("a large part", upload(open, rota.Part{Number: 1, Lines: make([]string, rota.MaxPartLines+1)}), rota.ErrTooLarge)
	w.refused("a part of a whole job", upload(whole, rota.Part{Number: 1, Lines: []string{"b"}}), rota.ErrConflict)
	w.refused("a part of no job", upload(4711, rota.Part{Number: 1, Lines: []string{"b"}}), rota.ErrNotFound)
}

func othersParts(w *world) {
	id := w.kim.send(rota.Submission{Spec: run(eachLine), Lines: []string{"a"}, More: true}).Job
	_, err := w.lee.Upload(w.lee.ctx, id, rota.Part{Number: 1, Lines: []string{"b"}})
	w.refused("another's part", err, rota.ErrDenied)
}
