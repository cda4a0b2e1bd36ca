package storetest

import (
	"bytes"
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
)

func testParts(s suite) {
	s.test("one_task_a_line_with_the_line_as_it_was", partLines)
	s.test("P18_nothing_is_claimed_before_the_last_part", partsSeal)
	s.test("P18_a_repeated_part_changes_nothing", partsRepeat)
	s.test("a_part_out_of_order_or_after_the_last_is_refused", partsRefused)
	s.test("a_job_without_a_line_is_refused_with_its_last_part", partsEmpty)
	s.test("I1_a_cancelled_upload_has_ended", partsCancelled)
	s.test("P18_an_act_on_others_leaves_an_upload_alone", partsLeftAlone)
	s.test("many_lines_in_many_parts", partsMany)
	s.test("uploaded_input_is_read_back_by_offset", inputRead)
	s.test("a_job_whose_input_is_being_uploaded_is_not_claimed", inputSeal)
}

func more(j *rota.NewJob) { j.More = true }

func (w *world) addPart(t tb, id rota.JobID, p rota.Part) rota.Submitted {
	t.Helper()
	s, err := w.AddPart(w.ctx, id, p)
	if err != nil || s.Job != id {
		t.Fatalf("part %d of job %v: %+v, %v", p.Number, id, s, err)
	}
	return s
}

func partLines(t *testing.T, w *world) {
	want := []string{"a b", "", "ü \"x\" 'y' \\ {line}", "\t", "%", "a b"}
	id := w.submit(t, job(lines(want...)))[0]
	if p := w.job(t, id).Progress; p.Tasks != len(want) || !p.Sealed || p.Ready != len(want) {
		t.Errorf("progress %+v", p)
	}
	claimed := w.session(t).claim(t, 100)
	if len(claimed) != len(want) {
		t.Fatalf("claimed %v", ids(claimed))
	}
	for i, a := range claimed {
		if a.Task != rota.Element(id, i+1) || a.Line != want[i] || w.task(t, a.Task).Line != want[i] {
			t.Errorf("task %v has the line %q, want index %d and %q", a.Task, a.Line, i+1, want[i])
		}
	}
	w.verify(t)
}

func partsSeal(t *testing.T, w *world) {
	id := w.submit(t, job(lines("1", "2"), more))[0]
	s := w.session(t)
	if p := w.job(t, id).Progress; p.Sealed || p.Ended() {
		t.Errorf("before the last part: %+v", p)
	}
	if got := s.claim(t, 10); len(got) != 0 {
		t.Fatalf("claimed %v before the last part", ids(got))
	}
	if sub := w.addPart(t, id, rota.Part{Number: 1, Lines: []string{"3"}}); sub.Tasks != 3 {
		t.Errorf("after part 1: %+v", sub)
	}
	w.settle(t)
	if got := s.claim(t, 10); len(got) != 0 {
		t.Fatalf("claimed %v before the last part", ids(got))
	}
	w.reopen(t)
	if sub := w.addPart(t, id, rota.Part{Number: 2, Lines: []string{"4"}, Last: true}); sub.Tasks != 4 {
		t.Errorf("after the last part: %+v", sub)
	}
	w.settle(t)
	var got []string
	for _, a := range s.claim(t, 10) {
		got = append(got, a.Line)
	}
	if !slices.Equal(got, []string{"1", "2", "3", "4"}) {
		t.Errorf("claimed the lines %q", got)
	}
	if p := w.job(t, id).Progress; !p.Sealed || p.Tasks != 4 || p.Made != 4 {
		t.Errorf("after the last part: %+v", p)
	}
	w.verify(t)
}

func partsRepeat(t *testing.T, w *world) {
	id := w.submitOnly(t, job(lines("0"), more))[0]
	one, two := rota.Part{Number: 1, Lines: []string{"1", "2"}}, rota.Part{Number: 2, Lines: []string{"3"}, Last: true}
	w.addPart(t, id, one)
	if s := w.addPart(t, id, one); s.Tasks != 3 {
		t.Errorf("part 1 again: %+v", s)
	}
	w.addPart(t, id, two)
	for _, p := range []rota.Part{two, one} { // the answer to the last part may be lost, too
		if s := w.addPart(t, id, p); s.Tasks != 4 {
			t.Errorf("part %d again, after the last: %+v", p.Number, s)
		}
	}
	w.settle(t)
	if tasks := w.all(t, whole(id)); len(tasks) != 4 || tasks[3].Line != "3" {
		t.Errorf("%d tasks", len(tasks))
	}
	w.verify(t)
}

func partsRefused(t *testing.T, w *world) {
	id := w.submitOnly(t, job(lines("0"), more))[0]
	_, err := w.AddPart(w.ctx, id, rota.Part{Number: 2, Lines: []string{"2"}})
	wantIs(t, "part 2 before part 1", err, rota.ErrConflict)
	w.addPart(t, id, rota.Part{Number: 1, Last: true})
	_, err = w.AddPart(w.ctx, id, rota.Part{Number: 2, Lines: []string{"2"}})
	wantIs(t, "a part after the last", err, rota.ErrConflict)
	whole := w.submitOnly(t, job(lines("0")))[0]
	_, err = w.AddPart(w.ctx, whole, rota.Part{Number: 1, Lines: []string{"1"}})
	wantIs(t, "a part of a job that came whole", err, rota.ErrConflict)
	_, err = w.AddPart(w.ctx, 999, rota.Part{Number: 1})
	wantIs(t, "a part of no job", err, rota.ErrNotFound)
	w.settle(t)
	if a, b := w.job(t, id).Tasks, w.job(t, whole).Tasks; a != 1 || b != 1 {
		t.Errorf("the jobs have %d and %d tasks", a, b)
	}
}

func partsEmpty(t *testing.T, w *world) {
	id := w.submitOnly(t, job(lines(), more))[0]
	next := w.one(t, after(rota.AfterOK, id))
	_, err := w.AddPart(w.ctx, id, rota.Part{Number: 1, Last: true})
	wantIs(t, "the last part of no lines", err, rota.ErrInvalid)
	if w.job(t, id).Progress.Ended() {
		t.Error("ended without a line")
	}
	w.addPart(t, id, rota.Part{Number: 1, Lines: []string{"late"}, Last: true})
	w.settle(t)
	s := w.session(t)
	s.finish(t, end(s.claimOne(t, rota.Element(id, 1)), rota.OutcomeSucceeded))
	w.settle(t)
	w.wantState(t, next, rota.Ready)
	w.verify(t)
}

func partsCancelled(t *testing.T, w *world) {
	for _, first := range []func(*rota.NewJob){lines(), lines("a", "b"), func(j *rota.NewJob) { j.Input = []byte("x") }} {
		id := w.submitOnly(t, job(first, more))[0]
		next := w.one(t, after(rota.AfterAny, id))
		w.operate(t, rota.ActCancel, whole(id))
		w.settle(t)
		j := w.job(t, id)
		if !j.Progress.Ended() || j.Ended.IsZero() || j.Cancelled != j.Tasks {
			t.Errorf("a cancelled upload: ended %v, %+v", j.Ended, j.Progress)
		}
		w.wantState(t, next, rota.Ready)
		_, err := w.AddPart(w.ctx, id, rota.Part{Number: 1})
		wantIs(t, "a part for a cancelled job", err, rota.ErrConflict)
		w.operate(t, rota.ActCancel, only(next))
	}
	w.verify(t)
}

func partsLeftAlone(t *testing.T, w *world) {
	id := w.submitOnly(t, job(lines("a"), more))[0]
	for _, f := range []rota.Filter{{Queue: "other"}, {Tasks: []rota.Span{rota.SpanOf(id)}, Queue: "other"}, {Tasks: []rota.Span{rota.SpanOf(id)}, Submitter: "bob"},
		only(rota.Element(id, 7))} {
		if op := w.operate(t, rota.ActCancel, f); op.Matched != 0 {
			t.Errorf("%+v matched %d", f, op.Matched)
		}
	}
	w.addPart(t, id, rota.Part{Number: 1, Lines: []string{"b"}, Last: true})
	w.settle(t)
	if got := w.session(t).claim(t, 9); len(got) != 2 {
		t.Errorf("claimed %v", ids(got))
	}
	w.verify(t)
}

func partsMany(t *testing.T, w *world) {
	id := w.submitOnly(t, job(lines(numbers(0, 4000)...), more))[0]
	for part := 1; part <= 3; part++ {
		w.addPart(t, id, rota.Part{Number: part, Lines: numbers(part*4000, 4000), Last: part == 3})
		w.sweep(t, rota.Sweep{What: rota.SweepMake})
	}
	w.settle(t)
	tasks := w.all(t, whole(id))
	for i, task := range tasks {
		if want := numbers(i, 1)[0]; task.Line != want || task.ID != rota.Element(id, i+1) {
			t.Fatalf("task %v has the line %q, want %q", task.ID, task.Line, want)
		}
	}
	if len(tasks) != 16_000 {
		t.Errorf("%d tasks", len(tasks))
	}
	w.verify(t)
}

func numbers(from, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = text(from + i)
	}
	return all
}

func inputRead(t *testing.T, w *world) {
	want := make([]byte, 3000)
	for i := range want {
		want[i] = byte(i * 7) // all bytes, NUL included
	}
	id := w.submitOnly(t, job(more, func(j *rota.NewJob) { j.Input = want[:1000] }))[0]
	w.addPart(t, id, rota.Part{Number: 1, Input: want[1000:1500]})
	w.addPart(t, id, rota.Part{Number: 1, Input: want[1000:1500]})
	w.addPart(t, id, rota.Part{Number: 2, Input: want[1500:], Last: true})
	var got []byte
	for len(got) < len(want) {
		piece, size, err := w.Input(w.ctx, id, int64(len(got)), 700)
		if err != nil || len(piece) == 0 || len(piece) > 700 || size != int64(len(want)) {
			t.Fatalf("at %d: %d bytes of %d, %v", len(got), len(piece), size, err)
		}
		got = append(got, piece...)
	}
	if !bytes.Equal(got, want) {
		t.Error("the input is read back otherwise than it was sent")
	}
	if piece, size, err := w.Input(w.ctx, id, 3000, 700); err != nil || len(piece) != 0 || size != 3000 {
		t.Errorf("at the end: %d bytes of %d, %v", len(piece), size, err)
	}
	if got := w.session(t).claim(t, 1); len(got) != 1 || !got[0].HasInput {
		t.Errorf("claimed %+v, want a task that has input", got)
	}
	if piece, size, err := w.Input(w.ctx, w.one(t).Job(), 0, 10); err != nil || len(piece) != 0 || size != 0 {
		t.Errorf("of a job without input: %d bytes of %d, %v", len(piece), size, err)
	}
	_, _, err := w.Input(w.ctx, 999, 0, 10)
	wantIs(t, "input of no job", err, rota.ErrNotFound)
}

func inputSeal(t *testing.T, w *world) {
	id := w.submit(t, job(more, func(j *rota.NewJob) { j.Input = []byte("a") }))[0]
	s := w.session(t)
	if got := s.claim(t, 1); len(got) != 0 {
		t.Fatalf("claimed %v before the last part", ids(got))
	}
	w.addPart(t, id, rota.Part{Number: 1, Last: true})
	w.settle(t)
	s.claimOne(t, rota.PlainTask(id))
	w.verify(t)
}
