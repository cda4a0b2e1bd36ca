package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testDependents(s suite) {
	s.test("P15_ok_any_and_fail", dependentsWhen)
	s.test("P15_the_finish_itself_releases_a_dependent", dependentsAtOnce)
	s.test("P15_an_array_is_waited_for_whole", dependentsOfArray)
	s.test("P15_several_are_all_waited_for", dependentsOfSeveral)
	s.test("P15_one_that_has_ended_decides_at_once", dependentsOfEnded)
	s.test("P15_what_can_no_longer_come_true_is_cancelled_down_the_chain", dependentsChain)
	s.test("P15_an_array_that_waits_is_released_whole", dependentsAreArray)
	s.test("P15_a_dependent_that_is_held_or_not_before", dependentsHeld)
	s.test("P15_elements_wait_for_elements", dependentsEach)
	s.test("P15_an_element_that_fails_ends_the_one_that_waits", dependentsEachFails)
	s.test("P15_elements_of_several_arrays_are_all_waited_for", dependentsEachOfSeveral)
	s.test("P15_elements_that_are_made_late", dependentsEachMadeLate)
	s.test("P15_an_element_that_is_held_or_edited_while_the_other_ends", dependentsEachHeld)
	s.test("P15_elements_that_are_not_there_are_refused", dependentsEachRefused)
	s.test("P15_submit_after_races_the_finish", dependentsRace)
	s.test("D12_which_jobs_run_after_which_is_kept", edgesKept)
}

// endings are the ways in which a job ends.
var endings = map[rota.State]rota.Outcome{rota.Succeeded: rota.OutcomeSucceeded, rota.Failed: rota.OutcomeFailed, rota.Cancelled: rota.OutcomeEnded}

// released is what becomes of a job that waits for another's end.
func released(when rota.When, ended rota.State) rota.State {
	if when == rota.AfterAny || when == rota.AfterOK && ended == rota.Succeeded || when == rota.AfterFail && ended == rota.Failed {
		return rota.Ready
	}
	return rota.Cancelled
}

func dependentsWhen(t *testing.T, w *world) {
	s := w.session(t)
	for ended, o := range endings {
		first := w.one(t, queue("first"))
		waiting := map[rota.When]rota.TaskID{}
		for _, when := range []rota.When{rota.AfterOK, rota.AfterAny, rota.AfterFail} {
			waiting[when] = w.one(t, after(when, first.Job()))
		}
		s.finish(t, end(s.claim(t, 1, "first")[0].Try, o))
		w.wantState(t, first, ended)
		w.settle(t)
		for when, id := range waiting {
			task := w.wantState(t, id, released(when, ended))
			if task.State == rota.Cancelled && task.Reason == "" && w.job(t, id.Job()).Reason == "" {
				t.Errorf("%s of a job that %v: cancelled without a reason", when, ended)
			}
		}
	}
	w.verify(t)
}

func dependentsAtOnce(t *testing.T, w *world) {
	first := w.one(t)
	next, never := w.one(t, after(rota.AfterOK, first.Job())), w.one(t, after(rota.AfterFail, first.Job()))
	s := w.session(t)
	x := s.exchange(t, rota.Claim{Max: 9}, end(s.claimOne(t, first), rota.OutcomeSucceeded))
	if len(x.Claimed) == 0 {
		x.Claimed = s.claim(t, 9)
	}
	if len(x.Claimed) != 1 || x.Claimed[0].Task != next {
		t.Errorf("claimed %v, want %v: the finish of one task and the release of one dependent are one transaction", ids(x.Claimed), next)
	}
	w.wantState(t, never, rota.Cancelled)
	before := w.job(t, never.Job()).Reason
	w.operate(t, rota.ActRetry, only(never))
	if j := w.job(t, never.Job()); before == "" || j.Reason != "" {
		t.Errorf("cancelled because %q, and tried again because %q", before, j.Reason)
	}
	w.verify(t)
}

func dependentsOfArray(t *testing.T, w *world) {
	s := w.session(t)
	for _, c := range []struct {
		name string
		ends []rota.Outcome
		want rota.State
	}{
		{"all succeed", []rota.Outcome{rota.OutcomeSucceeded, rota.OutcomeSucceeded, rota.OutcomeSucceeded}, rota.Succeeded},
		{"one fails", []rota.Outcome{rota.OutcomeSucceeded, rota.OutcomeFailed, rota.OutcomeSucceeded}, rota.Failed},
		{"one is cancelled", []rota.Outcome{rota.OutcomeSucceeded, rota.OutcomeSucceeded, rota.OutcomeEnded}, rota.Cancelled},
		{"fails and cancelled", []rota.Outcome{rota.OutcomeEnded, rota.OutcomeFailed, rota.OutcomeSucceeded}, rota.Failed},
	} {
		q := w.name("q")
		first := w.submit(t, job(array("1-3"), queue(q)))[0]
		waiting := map[rota.When]rota.TaskID{}
		for _, when := range []rota.When{rota.AfterOK, rota.AfterAny, rota.AfterFail} {
			waiting[when] = w.one(t, after(when, first))
		}
		for _, o := range c.ends {
			for when, id := range waiting {
				if task := w.task(t, id); task.State != rota.Blocked {
					t.Fatalf("%s: %s is %v before the last task has ended", c.name, when, task.State)
				}
			}
			s.finish(t, end(s.claim(t, 1, q)[0].Try, o))
		}
		w.settle(t)
		for when, id := range waiting {
			if got, want := w.task(t, id).State, released(when, c.want); got != want {
				t.Errorf("%s: after %s is %v, want %v", c.name, when, got, want)
			}
		}
	}
	w.verify(t)
}

func dependentsOfSeveral(t *testing.T, w *world) {
	s := w.session(t)
	a, b, c := w.one(t), w.one(t), w.one(t)
	all := w.one(t, after(rota.AfterOK, a.Job(), b.Job()), after(rota.AfterAny, c.Job()))
	twice := w.one(t, after(rota.AfterOK, a.Job()), after(rota.AfterAny, a.Job()))
	never := w.one(t, after(rota.AfterOK, a.Job(), c.Job()))
	both := w.one(t, after(rota.AfterOK, b.Job()), after(rota.AfterFail, b.Job()))
	got := s.claim(t, 9)
	s.finish(t, end(got[0].Try, rota.OutcomeSucceeded))
	w.settle(t)
	w.wantState(t, all, rota.Blocked)
	w.wantState(t, twice, rota.Ready)
	w.wantState(t, never, rota.Blocked)
	s.finish(t, end(got[2].Try, rota.OutcomeFailed))
	w.settle(t)
	w.wantState(t, all, rota.Blocked)
	w.wantState(t, never, rota.Cancelled)
	s.finish(t, end(got[1].Try, rota.OutcomeSucceeded))
	w.settle(t)
	w.wantState(t, all, rota.Ready)
	w.wantState(t, both, rota.Cancelled)
	w.verify(t)
}

func dependentsOfEnded(t *testing.T, w *world) {
	s := w.session(t)
	for ended, o := range endings {
		first := w.one(t, queue("first"))
		s.finish(t, end(s.claim(t, 1, "first")[0].Try, o))
		for _, when := range []rota.When{rota.AfterOK, rota.AfterAny, rota.AfterFail} {
			for _, change := range []func(*rota.NewJob){array("1-3"), func(*rota.NewJob) {}} {
				id := w.submit(t, job(after(when, first.Job()), change))[0]
				w.settle(t)
				for _, task := range w.all(t, whole(id)) {
					if want := released(when, ended); task.State != want {
						t.Errorf("%s of a job that has %v: %v is %v, want %v", when, ended, task.ID, task.State, want)
					}
				}
				if j := w.job(t, id); j.Progress.Ended() != (released(when, ended) == rota.Cancelled) {
					t.Errorf("%s of a job that has %v: %+v", when, ended, j.Progress)
				}
			}
		}
	}
	w.verify(t)
}

func dependentsChain(t *testing.T, w *world) {
	s := w.session(t)
	first := w.one(t)
	chain, last := []rota.TaskID{}, first
	for range 20 {
		last = w.one(t, after(rota.AfterOK, last.Job()))
		chain = append(chain, last)
	}
	failed := w.one(t, after(rota.AfterFail, last.Job()))
	whatever := w.one(t, after(rota.AfterAny, last.Job()))
	s.finish(t, end(s.claimOne(t, first), rota.OutcomeFailed))
	w.settle(t)
	for _, id := range chain {
		w.wantState(t, id, rota.Cancelled)
		if j := w.job(t, id.Job()); j.Ended.IsZero() {
			t.Errorf("job %v is cancelled and does not say when", j.ID)
		}
	}
	w.wantState(t, failed, rota.Cancelled) // it was cancelled, it did not fail
	w.wantState(t, whatever, rota.Ready)
	w.verify(t)
}

func dependentsAreArray(t *testing.T, w *world) {
	s := w.session(t)
	for when, want := range map[rota.When]rota.State{rota.AfterOK: rota.Ready, rota.AfterFail: rota.Cancelled} {
		for _, made := range []bool{true, false} {
			first := w.one(t, queue("first"))
			id := w.submitOnly(t, job(array("1-6000"), after(when, first.Job()), queue(w.name("q"))))[0]
			if made {
				w.sweepAll(t, rota.SweepMake)
			}
			s.finish(t, end(s.claim(t, 1, "first")[0].Try, rota.OutcomeSucceeded))
			w.settle(t)
			p := w.job(t, id).Progress
			if n := map[rota.State]int{rota.Ready: p.Ready, rota.Cancelled: p.Cancelled}[want]; n != 6000 || p.Made != 6000 {
				t.Errorf("made before %v: %+v, want all of 6000 %v", made, p, want)
			}
		}
	}
	w.verify(t)
}

func dependentsHeld(t *testing.T, w *world) {
	s := w.session(t)
	first := w.one(t)
	soon := w.clock.Now().Add(time.Hour)
	isHeld, isLate := w.one(t, held, after(rota.AfterAny, first.Job())), w.one(t, at(soon), after(rota.AfterAny, first.Job()))
	early := w.one(t, held, after(rota.AfterAny, first.Job()))
	w.operate(t, rota.ActRelease, only(early))
	w.wantState(t, early, rota.Blocked)
	s.finish(t, end(s.claimOne(t, first), rota.OutcomeSucceeded))
	w.settle(t)
	w.wantState(t, early, rota.Ready)
	w.wantState(t, isHeld, rota.Held)
	if task := w.wantState(t, isLate, rota.Scheduled); !task.RunAt.Equal(soon) {
		t.Errorf("runs at %v, want %v", task.RunAt, soon)
	}
	w.operate(t, rota.ActRelease, only(isHeld))
	w.wantState(t, isHeld, rota.Ready)
	w.verify(t)
}

// dependentsRace submits a dependent while its predecessor finishes: whichever comes first, it is never blocked for
// ever.
func dependentsRace(t *testing.T, w *world) {
	s := w.session(t)
	for i := range times(1000) {
		first := w.submitOnly(t, job(queue("first")))[0]
		try := s.claim(t, 1, "first")[0].Try
		o, want := rota.OutcomeSucceeded, rota.Ready
		if i%2 == 1 {
			o, want = rota.OutcomeFailed, rota.Cancelled
		}
		var wg sync.WaitGroup
		var finished, submitted error
		var next rota.JobID
		wg.Go(func() { _, finished = s.try(rota.Claim{}, end(try, o)) })
		wg.Go(func() {
			r, err := w.Submit(w.ctx, []rota.NewJob{job(after(rota.AfterOK, first), queue("next"))})
			if submitted = err; err == nil {
				next, submitted = r[0].Job, r[0].Err
			}
		})
		wg.Wait()
		if finished != nil || submitted != nil {
			t.Fatal(fmt.Errorf("finish: %v, submit: %v", finished, submitted))
		}
		if w.task(t, rota.PlainTask(next)).State == rota.Blocked {
			w.settle(t)
		}
		w.wantState(t, rota.PlainTask(next), want)
	}
	w.verify(t)
}

// edgesKept: an edge is there from the submission on, whether or not the other job had ended; it follows edits, and goes with
// its job.
func edgesKept(t *testing.T, w *world) {
	edges := func(q rota.EdgeQuery) []rota.Edge {
		t.Helper()
		got, err := w.Edges(w.ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := func(what string, q rota.EdgeQuery, want ...rota.Edge) {
		t.Helper()
		if got := edges(q); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	s := w.session(t)
	want("at first", rota.EdgeQuery{})
	a := w.one(t, queue("q"))
	s.finish(t, end(s.claim(t, 1)[0].Try, rota.OutcomeSucceeded))
	b := w.one(t, queue("q"), after(rota.AfterOK, a.Job()))
	c := w.one(t, queue("q"), after(rota.AfterAny, a.Job(), b.Job()))
	w.one(t, queue("q"))
	ba, ca := rota.Edge{Job: b.Job(), On: a.Job(), When: rota.AfterOK}, rota.Edge{Job: c.Job(), On: a.Job(), When: rota.AfterAny}
	cb := rota.Edge{Job: c.Job(), On: b.Job(), When: rota.AfterAny}
	want("all", rota.EdgeQuery{}, cb, ca, ba)
	want("two", rota.EdgeQuery{Max: 2}, cb, ca)
	want("of older jobs", rota.EdgeQuery{Before: c.Job()}, ba)
	want("of one", rota.EdgeQuery{Of: []rota.JobID{b.Job()}}, cb, ba)
	want("of several", rota.EdgeQuery{Of: []rota.JobID{b.Job(), a.Job(), 4711}}, cb, ca, ba)
	s.finish(t, end(s.claim(t, 1)[0].Try, rota.OutcomeSucceeded))
	w.settle(t)
	w.reopen(t)
	want("when nobody waits any more", rota.EdgeQuery{}, cb, ca, ba)
	spec := w.job(t, c.Job()).Spec
	spec.After = []rota.Dependency{{Job: b.Job(), When: rota.AfterOK}}
	w.edit(t, rota.Edit{Spec: &spec}, whole(c.Job()))
	cb.When = rota.AfterOK
	want("edited", rota.EdgeQuery{}, cb, ba)
	w.operate(t, rota.ActCancel, whole(c.Job()))
	w.operate(t, rota.ActRemove, whole(c.Job()))
	w.settle(t)
	w.prune(t, rota.Retention{})
	want("removed", rota.EdgeQuery{}, ba)
	w.operate(t, rota.ActRemove, whole(a.Job())) // the other end alone stays known
	w.prune(t, rota.Retention{})
	want("what it ran after is removed", rota.EdgeQuery{}, ba)
	w.verify(t)
}
