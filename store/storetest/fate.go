package storetest

import (
	"testing"

	"github.com/rotaqueue/rota"
	"pgregory.net/rapid"
)

func testFate(s suite) {
	s.test("P7_the_store_agrees_with_rota_Fate", fateAgrees)
}

var outcomes = []rota.Outcome{rota.OutcomeSucceeded, rota.OutcomeFailed, rota.OutcomeTimedOut, rota.OutcomeRefused,
	rota.OutcomeEnded, rota.OutcomeReturned, rota.OutcomeLost, rota.OutcomeOutOfMemory}

// fateAgrees plays random lives of a task, with retries by hand, and compares every end with rota.Fate.
func fateAgrees(t *testing.T, w *world) {
	s := w.session(t)
	rapid.Check(t, func(t *rapid.T) {
		j := job(queue(w.name("q")), retries(rapid.IntRange(0, 3).Draw(t, "retries")), maxLost(rapid.IntRange(0, 2).Draw(t, "max lost")),
			onLost(rapid.SampledFrom([]rota.OnLost{rota.LostRetry, rota.LostFail}).Draw(t, "on lost")))
		id := rota.PlainTask(w.submitOnly(t, j)[0])
		for range rapid.IntRange(1, 12).Draw(t, "attempts") {
			if !w.makeReady(t, id) {
				break
			}
			got := s.claim(t, 1, j.Spec.Queue)
			if len(got) != 1 || got[0].Task != id {
				t.Fatalf("claimed %v, want %v", ids(got), id)
			}
			// What comes back often is drawn often, so that the caps are reached.
			o := rapid.OneOf(rapid.SampledFrom(outcomes), rapid.SampledFrom([]rota.Outcome{rota.OutcomeFailed, rota.OutcomeReturned, rota.OutcomeLost})).Draw(t, "outcome")
			if rapid.IntRange(0, 9).Draw(t, "cancel") == 0 {
				w.operate(t, rota.ActCancel, only(id))
			}
			w.checkFate(t, s, got[0], o)
		}
	})
	w.verify(t)
}

// makeReady brings a task to be claimable again, and says whether it can be.
func (w *world) makeReady(t tb, id rota.TaskID) bool {
	t.Helper()
	switch task := w.task(t, id); task.State {
	case rota.Scheduled:
		w.settle(t)
	case rota.Held:
		w.operate(t, rota.ActRelease, only(id))
	case rota.Failed, rota.Cancelled:
		w.operate(t, rota.ActRetry, only(id))
	case rota.Succeeded:
		return false
	}
	return w.task(t, id).State == rota.Ready
}

func (w *world) checkFate(t tb, s *session, a rota.Assignment, o rota.Outcome) {
	t.Helper()
	before := w.task(t, a.Task)
	s.finish(t, end(a.Try, o))
	after := w.task(t, a.Task)
	lost, returns, limit := before.Lost, before.Returns, before.Limit
	switch o {
	case rota.OutcomeLost:
		lost++
	case rota.OutcomeReturned:
		returns++
	}
	if rota.RaisesLimit(o) {
		limit++
	}
	ending := before.Ending != ""
	want := rota.Fate(o, ending, rota.Tally{Attempt: a.Attempt, Limit: limit, Lost: lost, MaxLost: *a.Retry.MaxLost, Returns: returns, OnLost: a.Retry.OnLost})
	if after.State != want {
		t.Fatalf("%s, asked to end %v, attempt %d of %d, lost %d, returns %d, %s: %v, and rota.Fate says %v",
			o, ending, a.Attempt, limit, lost, returns, text(a.Retry), after.State, want)
	}
	if after.Number != before.Number || after.Ending != "" {
		t.Fatalf("%s: attempt %d becomes %d, ending %q stays", o, before.Number, after.Number, after.Ending)
	}
	if !ending && (after.Lost != lost || after.Returns != returns || after.Limit != limit) {
		t.Fatalf("%s: lost %d, returns %d, limit %d; want %d, %d, %d", o, after.Lost, after.Returns, after.Limit, lost, returns, limit)
	}
}
