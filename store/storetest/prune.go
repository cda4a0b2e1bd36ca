package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testPrune(s suite) {
	s.test("by_age", pruneAge)
	s.test("by_count", pruneCount)
	s.test("by_count_of_jobs_that_ended_at_once", pruneCountAtOnce)
	s.test("by_size", pruneSize)
	s.test("nothing_without_a_retention", pruneNothing)
	s.test("P18_a_large_job_is_pruned_in_steps", pruneLarge)
	s.test("P14_output_of_an_attempt_that_never_finished_is_swept", pruneOutput)
	s.test("an_upload_that_stopped_is_cancelled", pruneUploads)
}

func (w *world) prune(t tb, r rota.Retention) {
	t.Helper()
	for range 1000 {
		if s := w.sweep(t, rota.Sweep{What: rota.SweepPrune, Retention: r}); !s.More {
			return
		}
	}
	t.Fatalf("prune says More for ever")
}

// aged are five jobs, newest first, of which each ended an hour before the one before it; the second is still
// running.
func (w *world) aged(t tb) []rota.JobID {
	t.Helper()
	s := w.session(t)
	var jobs []rota.JobID
	for i := range 5 {
		w.clock.Advance(time.Hour)
		id := w.one(t)
		if try := s.claimOne(t, id); i != 3 {
			s.finish(t, end(try, rota.OutcomeSucceeded))
		}
		jobs = append(jobs, id.Job())
	}
	slices.Reverse(jobs)
	return jobs
}

func pruneAge(t *testing.T, w *world) {
	all := w.aged(t)
	w.prune(t, rota.Retention{Age: rota.Duration(150 * time.Minute)})
	if got, want := w.jobs(t, rota.JobQuery{}), all[:3]; !slices.Equal(got, want) {
		t.Errorf("jobs %v are left of %v, want %v", got, all, want)
	}
	if tasks := w.all(t, rota.Filter{}); len(tasks) != 3 {
		t.Errorf("%d tasks are left", len(tasks))
	}
	w.clock.Advance(1000 * time.Hour)
	w.prune(t, rota.Retention{Age: rota.Duration(time.Minute)})
	if got := w.jobs(t, rota.JobQuery{}); !slices.Equal(got, all[1:2]) {
		t.Errorf("jobs %v are left, want the running %v", got, all[1])
	}
	w.verify(t)
}

func pruneCount(t *testing.T, w *world) {
	all := w.aged(t)
	w.prune(t, rota.Retention{Jobs: 2})
	if got, want := w.jobs(t, rota.JobQuery{}), all[:3]; !slices.Equal(got, want) {
		t.Errorf("jobs %v are left of %v, want the running one and 2 that have ended, %v", got, all, want)
	}
	w.verify(t)
}

func pruneCountAtOnce(t *testing.T, w *world) {
	s := w.session(t)
	for range 5 {
		w.one(t)
	}
	s.play(t, rota.OutcomeSucceeded)
	w.prune(t, rota.Retention{Jobs: 2})
	if got := w.jobs(t, rota.JobQuery{}); len(got) != 2 {
		t.Errorf("jobs %v are left, want 2 of the 5 that ended in the same moment", got)
	}
	w.verify(t)
}

func pruneSize(t *testing.T, w *world) {
	all := w.aged(t)
	w.prune(t, rota.Retention{Bytes: 1 << 40})
	if got := w.jobs(t, rota.JobQuery{}); !slices.Equal(got, all) {
		t.Errorf("jobs %v are left of %v in a store that has room", got, all)
	}
	w.prune(t, rota.Retention{Bytes: 1}) // no store is as small as that: all goes that can
	if got := w.jobs(t, rota.JobQuery{}); !slices.Equal(got, all[1:2]) {
		t.Errorf("jobs %v are left, want the running %v", got, all[1])
	}
	w.verify(t)
}

func pruneNothing(t *testing.T, w *world) {
	all := w.aged(t)
	w.clock.Advance(10_000 * time.Hour)
	w.prune(t, rota.Retention{})
	if got := w.jobs(t, rota.JobQuery{}); !slices.Equal(got, all) {
		t.Errorf("jobs %v are left of %v", got, all)
	}
	w.verify(t)
}

func pruneLarge(t *testing.T, w *world) {
	id := w.submit(t, job(array("1-12000")))[0]
	w.operate(t, rota.ActCancel, whole(id))
	w.clock.Advance(time.Hour)
	w.prune(t, rota.Retention{Age: rota.Duration(time.Minute)})
	if tasks := w.all(t, rota.Filter{}); len(tasks) != 0 {
		t.Errorf("%d tasks are left", len(tasks))
	}
	_, err := w.Job(w.ctx, id)
	wantIs(t, "a pruned job", err, rota.ErrNotFound)
	w.verify(t)
}

func pruneOutput(t *testing.T, w *world) {
	lost, running := w.one(t), w.one(t)
	s, other := w.session(t), w.session(t)
	tries := []rota.Try{s.claim(t, 1)[0].Try, other.claim(t, 1)[0].Try}
	for _, try := range tries {
		w.keep(t, try, rota.Chunk{Stream: rota.Stdout, Total: 1, Data: []byte("x")})
	}
	w.sessionOf(t, s.node, true, tries[0])
	w.settle(t)
	w.prune(t, rota.Retention{})
	_, err := w.Output(w.ctx, rota.OutputQuery{Task: lost, Attempt: 1, Stream: rota.Stdout})
	wantIs(t, "output of an attempt that never finished", err, rota.ErrNotFound)
	other.finish(t, end(tries[1], rota.OutcomeSucceeded))
	w.prune(t, rota.Retention{})
	if o, err := w.Output(w.ctx, rota.OutputQuery{Task: running, Stream: rota.Stdout}); err != nil || string(o.Data) != "x" {
		t.Errorf("output of an attempt that ran meanwhile: %+v, %v", o, err)
	}
}

func pruneUploads(t *testing.T, w *world) {
	old, whole := w.submitOnly(t, job(lines("a"), more))[0], w.submit(t, job(lines("b")))[0]
	input := w.submitOnly(t, job(more))[0]
	empty := w.submitOnly(t, job(lines(), more))[0]
	next, whatever := w.one(t, after(rota.AfterOK, old)), w.one(t, after(rota.AfterAny, empty))
	w.clock.Advance(time.Hour)
	young := w.submitOnly(t, job(lines("c"), more))[0]
	w.addPart(t, input, rota.Part{Number: 1, Input: []byte("x")}) // it goes on
	w.prune(t, rota.Retention{Uploads: rota.Duration(30 * time.Minute)})
	w.settle(t)
	if j := w.job(t, old); !j.Progress.Ended() || j.State() != rota.Cancelled || j.Reason == "" || j.Ended.IsZero() {
		t.Errorf("the upload that stopped: %v, %q, %+v", j.State(), j.Reason, j.Progress)
	}
	w.wantState(t, next, rota.Cancelled)
	w.wantState(t, whatever, rota.Ready)
	for _, id := range []rota.JobID{young, input, whole} {
		if j := w.job(t, id); j.Progress.Ended() {
			t.Errorf("job %v is ended: %q, %+v", id, j.Reason, j.Progress)
		}
	}
	_, err := w.AddPart(w.ctx, old, rota.Part{Number: 1, Lines: []string{"x"}})
	wantIs(t, "a part that comes too late", err, rota.ErrConflict)
	w.verify(t)
}
