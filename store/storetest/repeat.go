package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testRepeat(s suite) {
	s.test("D9_P20_a_unique_job_is_refused_while_one_like_it_is_in_its_way", repeatUnique)
	s.test("D9_what_is_compared", repeatIdentity)
	s.test("D9_the_window_of_a_queue", repeatWindow)
	s.test("D9_merged", repeatMerged)
	s.test("D9_P20_of_many_that_come_at_once_one_is_stored", repeatRace)
	s.test("D9_a_job_that_is_no_longer_kept_is_still_in_the_way", repeatRemoved)
}

func unique(as string) func(*rota.NewJob) { return func(j *rota.NewJob) { j.Spec.Unique = as } }

func argv(words ...string) func(*rota.NewJob) { return func(j *rota.NewJob) { j.Spec.Argv = words } }

// submitErr submits one job and returns what became of it.
func (w *world) submitErr(t tb, changes ...func(*rota.NewJob)) rota.SubmitResult {
	t.Helper()
	results, err := w.Submit(w.ctx, []rota.NewJob{job(changes...)})
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	return results[0]
}

func repeatUnique(t *testing.T, w *world) {
	s := w.session(t)
	first := w.one(t, unique("nightly"))
	wantIs(t, "one like it", w.submitErr(t, unique("nightly"), argv("other")).Err, rota.ErrConflict)
	w.one(t, unique("weekly"))
	w.one(t, queue("q"), unique("nightly")) // another queue's
	w.one(t)
	for _, a := range s.claim(t, 9, rota.DefaultQueue) {
		if a.Task == first {
			wantIs(t, "while it runs", w.submitErr(t, unique("nightly")).Err, rota.ErrConflict)
		}
		s.finish(t, end(a.Try, rota.OutcomeFailed))
	}
	again := w.one(t, unique("nightly")) // without a window only what has not ended is in the way
	wantIs(t, "the second is in the way then", w.submitErr(t, unique("nightly")).Err, rota.ErrConflict)
	w.operate(t, rota.ActCancel, only(again))
	w.one(t, unique("nightly"))
	w.verify(t)
	w.reopen(t)
	wantIs(t, "after a restart", w.submitErr(t, unique("nightly")).Err, rota.ErrConflict)
}

func repeatIdentity(t *testing.T, w *world) {
	base := []func(*rota.NewJob){unique(rota.UniqueWork), argv("sync", "a")}
	w.one(t, base...)
	for name, c := range map[string]func(*rota.NewJob){
		"the same": func(*rota.NewJob) {}, "a name": named("n"), "a priority": rank(7), "another user": by("bob"),
		"an environment": func(j *rota.NewJob) { j.Spec.Env = []string{"A=b"} },
	} {
		wantIs(t, name, w.submitErr(t, append(base, c)...).Err, rota.ErrConflict)
	}
	for name, c := range map[string]func(*rota.NewJob){
		"arguments": argv("sync", "b"), "a folder": func(j *rota.NewJob) { j.Spec.Dir = "/tmp" }, "an array": array("1-2"),
		"input": func(j *rota.NewJob) { j.Input = []byte("x") }, "a queue": queue("q"),
	} {
		if r := w.submitErr(t, append(base, c)...); r.Err != nil {
			t.Errorf("another by %s: %v", name, r.Err)
		}
	}
	w.settle(t)
	w.verify(t)
}

func repeatWindow(t *testing.T, w *world) {
	s := w.session(t)
	w.set(t, "q", rota.QueueChange{Dedupe: rota.DedupeChange{Window: ptr(rota.Duration(time.Minute))}})
	first := w.one(t, queue("q"), argv("a"))
	wantIs(t, "queued", w.submitErr(t, queue("q"), argv("a")).Err, rota.ErrConflict)
	w.one(t, queue("q"), argv("b"))
	for _, a := range s.claim(t, 9, "q") {
		s.finish(t, end(a.Try, rota.OutcomeSucceeded))
	}
	w.clock.Advance(59 * time.Second)
	wantIs(t, "processed", w.submitErr(t, queue("q"), argv("a")).Err, rota.ErrConflict)
	w.clock.Advance(time.Second)
	if second := w.one(t, queue("q"), argv("a")); second == first {
		t.Error("the first job was the answer")
	}
	// What a queue says later holds at once.
	w.set(t, "q", rota.QueueChange{Dedupe: rota.DedupeChange{Window: ptr(rota.Duration(0))}})
	w.one(t, queue("q"), argv("a"))
	w.verify(t)
}

func repeatMerged(t *testing.T, w *world) {
	w.set(t, "q", rota.QueueChange{Dedupe: rota.DedupeChange{Then: ptr(rota.RepeatMerge)}})
	first := w.submitErr(t, queue("q"), unique("x"), array("1-3"))
	second := w.submitErr(t, queue("q"), unique("x"), keyed("k", "h"))
	if second.Err != nil || second.Job != first.Job || !second.Existing || !second.Merged || second.Tasks != 3 {
		t.Errorf("merged: %+v into %+v", second, first)
	}
	// Its key is that job's too, whatever becomes of it.
	w.operate(t, rota.ActCancel, whole(first.Job))
	if again := w.submitErr(t, queue("q"), unique("x"), keyed("k", "h")); again.Job != first.Job || !again.Existing {
		t.Errorf("once more with its key: %+v", again)
	}
	// In one call, too.
	results := must(w.Submit(w.ctx, []rota.NewJob{job(queue("q"), unique("y")), job(queue("q"), unique("y"))}))
	if results[0].Err != nil || results[1].Job != results[0].Job || !results[1].Merged {
		t.Errorf("two at once: %+v", results)
	}
	w.settle(t)
	w.verify(t)
}

func repeatRace(t *testing.T, w *world) {
	for range times(50) {
		name := w.name("u")
		var all sync.WaitGroup
		stored := make([]int, 4)
		for i := range stored {
			all.Go(func() {
				results, err := w.Submit(w.ctx, []rota.NewJob{job(queue("q"), unique(name))})
				switch {
				case err != nil:
					t.Errorf("submit: %v", err)
				case results[0].Err == nil:
					stored[i] = 1
				default:
					wantIs(t, "of those that come at once", results[0].Err, rota.ErrConflict)
				}
			})
		}
		all.Wait()
		if n := stored[0] + stored[1] + stored[2] + stored[3]; n != 1 {
			t.Fatalf("%d of 4 were stored", n)
		}
	}
	w.verify(t)
}

func repeatRemoved(t *testing.T, w *world) {
	s := w.session(t)
	w.set(t, "q", rota.QueueChange{Dedupe: rota.DedupeChange{Window: ptr(rota.Duration(time.Hour))}})
	id := w.one(t, queue("q"))
	s.finish(t, end(s.claim(t, 1, "q")[0].Try, rota.OutcomeSucceeded))
	w.operate(t, rota.ActRemove, whole(id.Job()))
	w.sweepAll(t, rota.SweepPrune)
	wantIs(t, "like one that was removed", w.submitErr(t, queue("q")).Err, rota.ErrConflict)
	w.clock.Advance(time.Hour)
	w.sweepAll(t, rota.SweepPrune)
	w.one(t, queue("q"))
	w.verify(t)
}
