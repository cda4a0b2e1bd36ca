package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testLook(s suite) {
	s.test("a_look_is_told_to_the_session_that_runs_it_and_answered", lookAnswered)
	s.test("each_wish_is_answered_anew", lookAnew)
	s.test("what_nobody_waits_for_is_not_stored", lookOver)
	s.test("I12_looks_are_bounded_and_go", lookBounded)
	s.test("what_does_not_run_is_not_looked_at", lookRefused)
}

func (w *world) look(t tb, l rota.Look) rota.Look {
	t.Helper()
	var err error
	if l.Number, err = w.Look(w.ctx, l); err != nil {
		t.Fatalf("look %+v: %v", l, err)
	}
	return l
}

func (w *world) show(t tb, l rota.Look, out rota.Output) {
	t.Helper()
	if err := w.ShowOutput(w.ctx, l, out); err != nil {
		t.Fatalf("show %+v: %v", l, err)
	}
}

// wantLooks checks what a session is told of.
func (s *session) wantLooks(t tb, what string, want ...rota.Look) {
	t.Helper()
	got, err := s.w.Looks(s.w.ctx, s.id)
	if err != nil || text(got) != text(want) && len(got)+len(want) > 0 {
		t.Errorf("%s: told of %+v, %v; want %+v", what, got, err, want)
	}
}

func (w *world) wantShown(t tb, what string, l rota.Look, want string) {
	t.Helper()
	out, err := w.Shown(w.ctx, l)
	if err != nil || string(out.Data) != want {
		t.Errorf("%s: %+v, %v; want %q", what, out, err, want)
	}
}

func lookAnswered(t *testing.T, w *world) {
	s, other := w.session(t), w.session(t)
	try := s.claimOne(t, w.one(t))
	s.wantLooks(t, "at first")
	out := w.look(t, rota.Look{Try: try, Stream: rota.Stdout, Offset: -5, Max: 100})
	err := w.look(t, rota.Look{Try: try, Stream: rota.Stderr, Max: 7})
	s.wantLooks(t, "two", out, err)
	other.wantLooks(t, "another session")
	w.reopen(t)
	_, none := w.Shown(w.ctx, out)
	wantIs(t, "before the answer", none, rota.ErrNotFound)
	w.show(t, out, rota.Output{Offset: 95, Size: 100, Data: []byte("01234")})
	s.wantLooks(t, "one is answered", err)
	if got, e := w.Shown(w.ctx, out); e != nil || got.Offset != 95 || got.Size != 100 || string(got.Data) != "01234" || got.Attempt != try.Attempt {
		t.Errorf("shown: %+v, %v", got, e)
	}
	w.show(t, err, rota.Output{}) // there is nothing yet
	w.wantShown(t, "nothing", err, "")
	w.show(t, err, rota.Output{Size: 1, Data: []byte("x")})
	w.wantShown(t, "and then something", err, "x")
}

func lookAnew(t *testing.T, w *world) {
	s := w.session(t)
	l := rota.Look{Try: s.claimOne(t, w.one(t)), Stream: rota.Stdout, Offset: -3, Max: 3}
	first := w.look(t, l)
	w.show(t, first, rota.Output{Data: []byte("old")})
	second := w.look(t, l)
	if second.Number <= first.Number {
		t.Errorf("the second wish is number %d, after %d", second.Number, first.Number)
	}
	s.wantLooks(t, "asked again", second)
	_, err := w.Shown(w.ctx, second)
	wantIs(t, "the answer to an earlier wish", err, rota.ErrNotFound)
	w.show(t, first, rota.Output{Data: []byte("late")}) // told late
	s.wantLooks(t, "after a late answer", second)
	w.show(t, second, rota.Output{Data: []byte("new")})
	w.wantShown(t, "the second", second, "new")
	w.wantShown(t, "the first has the newer answer too", first, "new")
	w.show(t, first, rota.Output{Data: []byte("too late")})
	w.wantShown(t, "an old answer after the new one", second, "new")
}

func lookOver(t *testing.T, w *world) {
	s := w.session(t)
	l := rota.Look{Try: s.claimOne(t, w.one(t)), Stream: rota.Stdout, Max: 3}
	w.show(t, rota.Look{Try: l.Try, Stream: rota.Stdout, Number: 1}, rota.Output{Data: []byte("unasked")})
	l = w.look(t, l)
	w.clock.Advance(rota.LookFor + time.Second)
	s.wantLooks(t, "when it is over")
	w.show(t, l, rota.Output{Data: []byte("x")})
	_, err := w.Shown(w.ctx, l)
	wantIs(t, "what nobody waits for", err, rota.ErrNotFound)
}

func lookBounded(t *testing.T, w *world) {
	s, other := w.session(t), w.session(t)
	l := rota.Look{Try: s.claimOne(t, w.one(t)), Stream: rota.Stdout, Max: 3}
	theirs := rota.Look{Try: other.claimOne(t, w.one(t)), Stream: rota.Stdout, Max: 3}
	for range rota.MaxLooks {
		l.Offset++
		w.look(t, l)
	}
	w.look(t, l) // at the same place
	l.Offset++
	_, err := w.Look(w.ctx, l)
	wantIs(t, "one more", err, rota.ErrUnavailable)
	if err != nil && rota.FixOf(err) == "" || !strings.Contains(err.Error(), "64 looks") {
		t.Errorf("refused with %q", err)
	}
	w.look(t, theirs)
	w.clock.Advance(rota.LookFor + time.Second)
	w.look(t, l)
	w.sweepAll(t, rota.SweepPrune)
	s.wantLooks(t, "the rest is gone", func() rota.Look { l.Number = 1; return l }())
}

func lookRefused(t *testing.T, w *world) {
	s := w.session(t)
	try := s.claimOne(t, w.one(t))
	s.finish(t, end(try, rota.OutcomeSucceeded))
	for _, try := range []rota.Try{try, {Task: try.Task, Attempt: 2}, {Task: rota.PlainTask(4711), Attempt: 1}} {
		_, err := w.Look(w.ctx, rota.Look{Try: try, Stream: rota.Stdout, Max: 1})
		wantIs(t, "a look at what does not run", err, rota.ErrConflict)
	}
}
