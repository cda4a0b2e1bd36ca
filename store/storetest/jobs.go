package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testJobs(s suite) {
	s.test("newest_first_in_pages", jobsPages)
	s.test("filters", jobsFilters)
	s.test("active_ones_have_not_ended", jobsActive)
	s.test("an_unknown_job_is_not_found", jobsUnknown)
	s.test("counts_are_of_one_moment", jobsMoment)
}

func (w *world) jobs(t tb, q rota.JobQuery) []rota.JobID {
	t.Helper()
	jobs, err := w.Jobs(w.ctx, q)
	if err != nil {
		t.Fatalf("jobs: %v", err)
	}
	ids := make([]rota.JobID, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	return ids
}

func jobsPages(t *testing.T, w *world) {
	var all []rota.JobID
	for range 105 {
		all = append(all, w.submitOnly(t, job())...)
	}
	slices.Reverse(all)
	if got := w.jobs(t, rota.JobQuery{}); !slices.Equal(got, all[:100]) {
		t.Errorf("a page by default has %d jobs: %v", len(got), got)
	}
	var got []rota.JobID
	q := rota.JobQuery{Max: 10}
	for page := w.jobs(t, q); len(page) > 0; page = w.jobs(t, q) {
		if len(page) > 10 {
			t.Fatalf("a page of 10 has %d jobs", len(page))
		}
		got = append(got, page...)
		q.Before = page[len(page)-1]
	}
	if !slices.Equal(got, all) {
		t.Errorf("pages of 10 have %v", got)
	}
}

func jobsFilters(t *testing.T, w *world) {
	label := func(kv ...string) func(*rota.NewJob) {
		return func(j *rota.NewJob) {
			j.Spec.Labels = map[string]string{}
			for i := 0; i < len(kv); i += 2 {
				j.Spec.Labels[kv[i]] = kv[i+1]
			}
		}
	}
	parent := w.one(t, queue("z"))
	a := w.submit(t, job(named("train-1"), label("team", "x", "gpu", "1")))[0]
	b := w.submit(t, job(named("train-2"), queue("gpu"), label("team", "y")))[0]
	c := w.submit(t, job(named("TEST"), by("bob"), held))[0]
	d := w.submit(t, job(array("1-3"), queue("gpu"), held, label("team", "x")))[0]
	e := w.submit(t, job(named("train_x"), func(j *rota.NewJob) { j.Parent, j.Schedule = parent, "nightly" }))[0]
	w.operate(t, rota.ActRelease, only(rota.Element(d, 2)))

	for name, f := range map[string]struct {
		f    rota.Filter
		want []rota.JobID
	}{
		"all":              {rota.Filter{}, []rota.JobID{e, d, c, b, a, parent.Job()}},
		"queue":            {rota.Filter{Queue: "gpu"}, []rota.JobID{d, b}},
		"unknown queue":    {rota.Filter{Queue: "gp"}, nil},
		"name":             {rota.Filter{Name: "train-1"}, []rota.JobID{a}},
		"name with *":      {rota.Filter{Name: "train*"}, []rota.JobID{e, b, a}},
		"name with ?":      {rota.Filter{Name: "train-?"}, []rota.JobID{b, a}},
		"name with _":      {rota.Filter{Name: "train_?"}, []rota.JobID{e}},
		"name with case":   {rota.Filter{Name: "test"}, nil},
		"name with %":      {rota.Filter{Name: "%"}, nil},
		"label":            {rota.Filter{Labels: map[string]string{"team": "x"}}, []rota.JobID{d, a}},
		"labels":           {rota.Filter{Labels: map[string]string{"team": "x", "gpu": "1"}}, []rota.JobID{a}},
		"other value":      {rota.Filter{Labels: map[string]string{"team": "z"}}, nil},
		"submitter":        {rota.Filter{Submitter: "bob"}, []rota.JobID{c}},
		"schedule":         {rota.Filter{Schedule: "nightly"}, []rota.JobID{e}},
		"parent":           {rota.Filter{Parent: parent}, []rota.JobID{e}},
		"state":            {rota.Filter{States: []rota.State{rota.Held}}, []rota.JobID{d, c}},
		"one of its tasks": {rota.Filter{States: []rota.State{rota.Ready}, Queue: "gpu"}, []rota.JobID{d, b}},
		"states":           {rota.Filter{States: []rota.State{rota.Running, rota.Held}, Queue: "gpu"}, []rota.JobID{d}},
		"span":             {whole(b, c), []rota.JobID{c, b}},
		"element":          {only(rota.Element(d, 3)), []rota.JobID{d}},
		"no such element":  {only(rota.Element(d, 4)), nil},
		"spans":            {rota.Filter{Tasks: []rota.Span{{First: rota.PlainTask(a), Last: rota.PlainTask(b)}, rota.SpanOf(e)}}, []rota.JobID{e, b, a}},
		"all conditions":   {rota.Filter{Queue: "gpu", Name: "train*", Labels: map[string]string{"team": "y"}, Submitter: "ann"}, []rota.JobID{b}},
	} {
		if got := w.jobs(t, rota.JobQuery{Filter: f.f}); !slices.Equal(got, f.want) {
			t.Errorf("%s: %v, want %v", name, got, f.want)
		}
	}
	if got := w.jobs(t, rota.JobQuery{Filter: rota.Filter{Queue: "gpu"}, Max: 1, Before: d}); !slices.Equal(got, []rota.JobID{b}) {
		t.Errorf("filter and page: %v, want %v", got, b)
	}
}

func jobsActive(t *testing.T, w *world) {
	ended, running, waiting := w.one(t), w.one(t), w.one(t, at(w.clock.Now().Add(time.Hour)))
	s := w.session(t)
	got := s.claim(t, 2)
	s.finish(t, end(got[0].Try, rota.OutcomeSucceeded))
	if got, want := w.jobs(t, rota.JobQuery{Active: true}), []rota.JobID{waiting.Job(), running.Job()}; !slices.Equal(got, want) {
		t.Errorf("active: %v, want %v and not %v", got, want, ended)
	}
}

func jobsUnknown(t *testing.T, w *world) {
	_, err := w.Job(w.ctx, 999)
	wantIs(t, "no job", err, rota.ErrNotFound)
	_, _, err = w.Task(w.ctx, rota.PlainTask(999))
	wantIs(t, "no task", err, rota.ErrNotFound)
	id := w.submit(t, job(array("1-3")))[0]
	for _, task := range []rota.TaskID{rota.PlainTask(id), rota.Element(id, 0), rota.Element(id, 4)} {
		_, _, err := w.Task(w.ctx, task)
		wantIs(t, "no such element", err, rota.ErrNotFound)
	}
}

// jobsMoment looks at jobs while their only task runs and ends: it is never seen where it was before.
func jobsMoment(t *testing.T, w *world) {
	ses := w.session(t)
	for range times(300) {
		id := rota.PlainTask(w.submitOnly(t, job())[0])
		over := make(chan struct{})
		var watch sync.WaitGroup
		watch.Go(func() {
			before := rota.Ready
			for last := false; !last; {
				select {
				case <-over:
					last = true // once more, with all done
				default:
				}
				p := w.job(t, id.Job()).Progress
				now := rota.Succeeded
				switch {
				case p.Ready > 0:
					now = rota.Ready
				case p.Running > 0:
					now = rota.Running
				}
				if now < before {
					t.Errorf("%v after it was %v: %+v", now, before, p)
				}
				before = now
			}
		})
		ses.finish(t, end(ses.claimOne(t, id), rota.OutcomeSucceeded))
		close(over)
		watch.Wait()
	}
}
