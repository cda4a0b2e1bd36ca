package servicetest

import (
	"fmt"

	"github.com/rotaqueue/rota"
)

var queryTests = []contract{
	{"jobs newest first, page by page", pagesOfJobs},
	{"tasks in both directions, page by page", pagesOfTasks},
	{"active jobs only", activeJobs},
	{"what is not there", notThere},
	{"what cannot be asked", wrongQueries},
	{"the environment is the submitter's own", hiddenEnvironment},
}

func pagesOfJobs(w *world) {
	var ids []rota.JobID
	for i := range 5 {
		ids = append(ids, w.kim.submit(run(named(fmt.Sprint("job-", i)))))
	}
	var got []rota.JobID
	q := rota.JobQuery{Max: 2}
	for {
		page, err := w.viewer.Jobs(w.viewer.ctx, q)
		if err != nil {
			w.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, j := range page {
			got = append(got, j.ID)
		}
		q.Before = page[len(page)-1].ID
	}
	equal(w, "jobs", got, []rota.JobID{ids[4], ids[3], ids[2], ids[1], ids[0]})
	back, err := w.viewer.Jobs(w.viewer.ctx, rota.JobQuery{After: ids[1], Oldest: true, Max: 2})
	if err != nil || len(back) != 2 || back[0].ID != ids[2] || back[1].ID != ids[3] {
		w.Errorf("the page before: got %+v, error %v", back, err)
	}
	page, err := w.viewer.Jobs(w.viewer.ctx, rota.JobQuery{Filter: rota.Filter{Name: "job-3"}})
	if err != nil || len(page) != 1 || page[0].ID != ids[3] {
		w.Errorf("by name: got %+v, error %v", page, err)
	}
}

func pagesOfTasks(w *world) {
	id := w.kim.submit(run(array(1, 5, 0)))
	w.kim.eventuallyMade(id, 5)
	for _, newest := range []bool{false, true} {
		var got []int
		q := rota.TaskQuery{Filter: jobs(id), Max: 2, Newest: newest}
		for {
			page, err := w.viewer.Tasks(w.viewer.ctx, q)
			if err != nil {
				w.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, t := range page {
				got = append(got, t.ID.Index())
			}
			q.After = page[len(page)-1].ID
		}
		want := []int{1, 2, 3, 4, 5}
		if newest {
			want = []int{5, 4, 3, 2, 1}
		}
		equal(w, fmt.Sprintf("newest first: %v", newest), got, want)
	}
}

func activeJobs(w *world) {
	w.kim.submit(run())
	w.node("one").runs(rota.OutcomeSucceeded, 1)
	waiting := w.kim.submit(run())
	got, err := w.viewer.Jobs(w.viewer.ctx, rota.JobQuery{Active: true})
	if err != nil || len(got) != 1 || got[0].ID != waiting {
		w.Errorf("active: got %+v, error %v; want job %v", got, err, waiting)
	}
}

func notThere(w *world) {
	_, err := w.viewer.Job(w.viewer.ctx, 4711)
	w.refused("a job", err, rota.ErrNotFound)
	_, _, err = w.viewer.Task(w.viewer.ctx, rota.PlainTask(4711))
	w.refused("a task", err, rota.ErrNotFound)
	id := w.kim.submit(run(array(1, 3, 0)))
	_, _, err = w.viewer.Task(w.viewer.ctx, rota.Element(id, 9))
	w.refused("an element", err, rota.ErrNotFound)
	_, err = w.viewer.Watch(w.viewer.ctx, 4711, rota.Progress{}, 0)
	w.refused("a job to watch", err, rota.ErrNotFound)
	_, err = w.viewer.Output(w.viewer.ctx, rota.OutputQuery{Task: rota.PlainTask(4711), Stream: rota.Stdout}, 0)
	w.refused("a task's output", err, rota.ErrNotFound)
	_, _, err = w.admin.Input(w.admin.ctx, 4711, 0, 10)
	w.refused("a job's input", err, rota.ErrNotFound)
}

func wrongQueries(w *world) {
	_, err := w.viewer.Jobs(w.viewer.ctx, rota.JobQuery{Max: -1})
	w.refused("a negative number of jobs", err, rota.ErrInvalid)
	_, err = w.viewer.Tasks(w.viewer.ctx, rota.TaskQuery{Filter: rota.Filter{Name: "[a"}})
	w.refused("a pattern that is none", err, rota.ErrInvalid)
	_, err = w.viewer.Output(w.viewer.ctx, rota.OutputQuery{Task: rota.PlainTask(1), Stream: "stdlog"}, 0)
	w.refused("a stream that is none", err, rota.ErrInvalid)
}

func hiddenEnvironment(w *world) {
	id := w.kim.submit(run(environment("PASSWORD=secret")))
	for _, tt := range []struct {
		c     *client
		shown bool
	}{{w.kim, true}, {w.admin, true}, {w.lee, false}, {w.operator, false}, {w.viewer, false}} {
		all, err := tt.c.Jobs(tt.c.ctx, rota.JobQuery{})
		if err != nil || len(all) != 1 {
			w.Fatalf("jobs: %d, error %v", len(all), err)
		}
		for _, job := range []rota.Job{tt.c.job(id), all[0]} {
			if shown := len(job.Spec.Env) > 0; shown != tt.shown {
				w.Errorf("environment shown: %v, want %v", shown, tt.shown)
			}
		}
	}
	equal(w, "environment of the claimed", w.node("one").claimOne().Spec.Env, []string{"PASSWORD=secret"})
}
