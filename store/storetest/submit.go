package storetest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testSubmit(s suite) {
	s.test("a_plain_task_is_made_at_once_in_the_right_state", submitStates)
	s.test("a_job_is_kept_as_it_was_submitted", submitKeeps)
	s.test("P6_a_bad_dependency_among_good_jobs", submitPerItem)
	s.test("ids_grow_in_the_order_of_submission", submitOrder)
	s.test("P15_a_dependency_on_an_unknown_job_is_refused", submitUnknownDependency)
}

func submitStates(t *testing.T, w *world) {
	waiting := w.one(t, queue("other")).Job()
	soon := w.clock.Now().Add(time.Hour)
	for _, c := range []struct {
		name string
		job  rota.NewJob
		want rota.State
	}{
		{"plain", job(), rota.Ready},
		{"held", job(held), rota.Held},
		{"not before", job(at(soon)), rota.Scheduled},
		{"not before a time that has passed", job(at(w.clock.Now().Add(-time.Hour))), rota.Ready},
		{"after a job that has not ended", job(after(rota.AfterAny, waiting)), rota.Blocked},
		{"held, not before", job(held, at(soon)), rota.Held},
		{"held, after", job(held, after(rota.AfterAny, waiting)), rota.Held},
		{"after, not before", job(after(rota.AfterAny, waiting), at(soon)), rota.Blocked},
	} {
		id := w.submitOnly(t, c.job)[0]
		task := w.task(t, rota.PlainTask(id))
		if task.State != c.want || task.Number != 0 || task.Outcome != "" || task.Limit != 1 {
			t.Errorf("%s: %v, attempt %d %q, limit %d; want %v", c.name, task.State, task.Number, task.Outcome, task.Limit, c.want)
		}
		if c.want == rota.Scheduled && !task.RunAt.Equal(soon) {
			t.Errorf("%s: runs at %v, want %v", c.name, task.RunAt, soon)
		}
		p := w.job(t, id).Progress
		if want := progress(id, true, []rota.Task{task}); p != want {
			t.Errorf("%s: progress %+v, want %+v", c.name, p, want)
		}
	}
	w.verify(t)
}

func submitKeeps(t *testing.T, w *world) {
	parent := w.one(t)
	want := job(queue("q"), named("größe \"3\" 'x'"), by("bob"), rank(-7), retries(4), func(j *rota.NewJob) {
		j.Parent, j.Schedule = parent, "nightly"
		j.Spec.Labels = map[string]string{"team": "a b", "x/y": ""}
		j.Spec.Env = []string{"A=1", "B=\n\t'\""}
		j.Spec.Argv = []string{"echo", "", "a\"b", "ü", "%d"}
		j.Spec.Timeout, j.Spec.Priority = rota.Duration(90*time.Minute), 7
	})
	id := w.submitOnly(t, want)[0]
	w.reopen(t)
	got := w.job(t, id)
	if a, b := text(got.Spec), text(want.Spec); a != b {
		t.Errorf("spec kept as %s, want %s", a, b)
	}
	if got.Submitter != "bob" || got.Parent != parent || got.Schedule != "nightly" || !got.Submitted.Equal(w.clock.Now()) ||
		!got.Ended.IsZero() || got.Reason != "" {
		t.Errorf("kept as %+v", got)
	}
	task := w.task(t, rota.PlainTask(id))
	if task.Queue != "q" || task.Name != want.Spec.Name || task.Limit != 5 {
		t.Errorf("task kept as %+v", task)
	}
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func submitPerItem(t *testing.T, w *world) {
	first := w.one(t).Job()
	results, err := w.Submit(w.ctx, []rota.NewJob{
		job(named("a")), job(named("b"), after(rota.AfterOK, first, 999)), job(named("c"), after(rota.AfterOK, first)),
	})
	if err != nil || len(results) != 3 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	if results[0].Err != nil || results[2].Err != nil {
		t.Errorf("the good jobs: %v, %v", results[0].Err, results[2].Err)
	}
	wantIs(t, "the bad job", results[1].Err, rota.ErrNotFound)
	jobs, err := w.Jobs(w.ctx, rota.JobQuery{})
	if err != nil || len(jobs) != 3 || jobs[0].ID != results[2].Job || jobs[0].Spec.Name != "c" || jobs[1].ID != results[0].Job {
		t.Errorf("%d jobs are kept, %v", len(jobs), err)
	}
	w.verify(t)
}

func submitOrder(t *testing.T, w *world) {
	if results, err := w.Submit(w.ctx, nil); err != nil || len(results) != 0 {
		t.Fatalf("nothing submitted: %v, %v", results, err)
	}
	var all []rota.JobID
	for range 5 {
		all = append(all, w.submitOnly(t, job(), job(array("1-3")), job())...)
	}
	if all[0] < 1 || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("ids %v", all)
	}
	w.operate(t, rota.ActCancel, rota.Filter{})
	w.operate(t, rota.ActRemove, rota.Filter{})
	w.reopen(t)
	if next := w.submitOnly(t, job())[0]; next <= all[len(all)-1] {
		t.Errorf("job id %v is given again after %v", next, all)
	}
}

func submitUnknownDependency(t *testing.T, w *world) {
	for _, id := range []rota.JobID{1, 999, rota.MaxJobID} {
		results, err := w.Submit(w.ctx, []rota.NewJob{job(after(rota.AfterAny, id))})
		if err != nil || len(results) != 1 {
			t.Fatalf("%v, %v", results, err)
		}
		wantIs(t, "after an unknown job", results[0].Err, rota.ErrNotFound)
	}
	if jobs, err := w.Jobs(w.ctx, rota.JobQuery{}); err != nil || len(jobs) != 0 {
		t.Errorf("%d jobs are kept, %v", len(jobs), err)
	}
}
