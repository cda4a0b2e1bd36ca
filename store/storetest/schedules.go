package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testSchedules(s suite) {
	s.test("P21_a_change_names_the_version_it_changes", schedulePut)
	s.test("P21_a_fire_is_unique", scheduleFire)
	s.test("P21_of_many_fires_one_happens", scheduleRace)
	s.test("P21_an_edit_outruns_a_fire", scheduleEdited)
	s.test("P21_overlap", scheduleOverlap)
	s.test("P21_a_skipped_fire_is_recorded", scheduleSkipped)
	testFires(s)
}

func (w *world) schedule(t tb, name string) rota.Schedule {
	t.Helper()
	all, err := w.Schedules(w.ctx)
	if err != nil {
		t.Fatalf("schedules: %v", err)
	}
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no schedule %q among %d", name, len(all))
	return rota.Schedule{}
}

func (w *world) putSchedule(t tb, overlap rota.Overlap) rota.Schedule {
	t.Helper()
	s, err := w.PutSchedule(w.ctx, rota.Schedule{Name: w.name("schedule"), Expr: "@hourly", Zone: "UTC", Spec: job(named("backup")).Spec,
		Overlap: overlap, By: "ann", Next: w.clock.Now()})
	if err != nil || s.Version < 1 {
		t.Fatalf("put schedule: %+v, %v", s, err)
	}
	return s
}

// firing is the fire of a schedule as it is now, with a job.
func firing(s rota.Schedule) rota.Firing {
	j := job(func(j *rota.NewJob) { j.Spec, j.Submitter, j.Schedule = s.Spec, s.By, s.Name })
	return rota.Firing{Schedule: s.Name, Version: s.Version, Due: s.Next, Next: s.Next.Add(time.Hour), Overlap: s.Overlap, Jobs: []rota.NewJob{j}}
}

// fireOne records one fire.
func fireOne(ctx context.Context, s rota.Store, f rota.Firing) (rota.Fire, error) {
	got, err := s.Fire(ctx, []rota.Firing{f})
	if err != nil {
		return rota.Fire{}, err
	}
	return got[0].Fire, got[0].Err
}

func schedulePut(t *testing.T, w *world) {
	first := w.putSchedule(t, rota.OverlapSkip)
	want := first
	if got := w.schedule(t, first.Name); text(got) != text(want) {
		t.Errorf("kept as %s, want %s", text(got), text(want))
	}
	again := first
	again.Version = 0
	_, err := w.PutSchedule(w.ctx, again)
	wantIs(t, "creating it again", err, rota.ErrConflict)
	change := first
	change.Expr, change.Paused = "@daily", true
	second, err := w.PutSchedule(w.ctx, change)
	if err != nil || second.Version <= first.Version || second.Expr != "@daily" || !second.Paused {
		t.Errorf("changed: %+v, %v", second, err)
	}
	_, err = w.PutSchedule(w.ctx, change)
	wantIs(t, "changing what somebody has changed", err, rota.ErrConflict)
	other := w.putSchedule(t, rota.OverlapAllow)
	w.reopen(t)
	if all, err := w.Schedules(w.ctx); err != nil || len(all) != 2 {
		t.Errorf("%d schedules, %v", len(all), err)
	}
	if err := w.DropSchedule(w.ctx, other.Name); err != nil {
		t.Error(err)
	}
	wantIs(t, "dropping it again", w.DropSchedule(w.ctx, other.Name), rota.ErrNotFound)
	if all, err := w.Schedules(w.ctx); err != nil || len(all) != 1 || all[0].Name != first.Name || all[0].Version != second.Version {
		t.Errorf("schedules %+v, %v", all, err)
	}
}

func scheduleFire(t *testing.T, w *world) {
	s := w.putSchedule(t, rota.OverlapAllow)
	f := firing(s)
	fire, err := fireOne(w.ctx, w, f)
	if err != nil || fire.Job == 0 || fire.Skipped != "" || !fire.Due.Equal(s.Next) {
		t.Fatalf("fired %+v, %v", fire, err)
	}
	j := w.job(t, fire.Job)
	if j.Schedule != s.Name || j.Spec.Name != "backup" || j.Submitter != "ann" || j.Ready != 1 {
		t.Errorf("submitted %+v", j)
	}
	after := w.schedule(t, s.Name)
	if !after.Next.Equal(f.Next) || after.Last == nil || after.Last.Job != fire.Job || !after.Last.Due.Equal(f.Due) {
		t.Errorf("the schedule afterwards: %+v", after)
	}
	_, err = fireOne(w.ctx, w, f)
	wantIs(t, "firing again", err, rota.ErrConflict)
	f.Due = f.Due.Add(time.Minute)
	_, err = fireOne(w.ctx, w, f)
	wantIs(t, "firing at a time that is not due", err, rota.ErrConflict)
	if second, err := fireOne(w.ctx, w, firing(after)); err != nil || second.Job == fire.Job || second.Job == 0 {
		t.Errorf("the next fire: %+v, %v", second, err)
	}
	f.Schedule = "none"
	if _, err = fireOne(w.ctx, w, f); !errors.Is(err, rota.ErrNotFound) && !errors.Is(err, rota.ErrConflict) {
		t.Errorf("firing no schedule: %v", err)
	}
	if got := w.jobs(t, rota.JobQuery{Filter: rota.Filter{Schedule: s.Name}}); len(got) != 2 {
		t.Errorf("jobs %v", got)
	}
	w.verify(t)
}

func scheduleRace(t *testing.T, w *world) {
	for range times(30) {
		s := w.putSchedule(t, rota.OverlapSkip)
		errs := make([]error, 6)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = fireOne(w.ctx, w, firing(s)) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, rota.ErrConflict) {
				t.Fatal(err)
			}
		}
		if got := w.jobs(t, rota.JobQuery{Filter: rota.Filter{Schedule: s.Name}}); won != 1 || len(got) != 1 {
			t.Fatalf("I7: %d fired, jobs %v", won, got)
		}
	}
	w.verify(t)
}

func scheduleEdited(t *testing.T, w *world) {
	s := w.putSchedule(t, rota.OverlapAllow)
	changed := s
	changed.Expr = "@daily"
	changed, err := w.PutSchedule(w.ctx, changed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fireOne(w.ctx, w, firing(s))
	wantIs(t, "a fire of the schedule as it was", err, rota.ErrConflict)
	if err := w.DropSchedule(w.ctx, s.Name); err != nil {
		t.Fatal(err)
	}
	if _, err = fireOne(w.ctx, w, firing(changed)); !errors.Is(err, rota.ErrNotFound) && !errors.Is(err, rota.ErrConflict) {
		t.Errorf("a fire of a dropped schedule: %v", err)
	}
	if got := w.jobs(t, rota.JobQuery{}); len(got) != 0 {
		t.Errorf("jobs %v", got)
	}
}

func scheduleOverlap(t *testing.T, w *world) {
	node := w.session(t)
	for overlap, fires := range map[rota.Overlap]bool{rota.OverlapSkip: false, rota.OverlapAllow: true} { // the others stand in fires.go
		s := w.putSchedule(t, overlap)
		fire := func() rota.Fire {
			t.Helper()
			f, err := fireOne(w.ctx, w, firing(w.schedule(t, s.Name)))
			if err != nil || (f.Job == 0) != (f.Skipped != "") {
				t.Fatalf("fired %+v, %v", f, err)
			}
			return f
		}
		first := fire()
		if second := fire(); (second.Job != 0) != fires {
			t.Errorf("%s: fired %+v while job %v has not ended", overlap, second, first.Job)
		}
		if third := fire(); (third.Job != 0) != fires {
			t.Errorf("%s: fired %+v after a skip, while job %v has not ended", overlap, third, first.Job)
		}
		node.play(t, rota.OutcomeFailed)
		if next := fire(); next.Job == 0 {
			t.Errorf("%s: skipped, and the job before has ended: %+v", overlap, next)
		}
		w.operate(t, rota.ActCancel, rota.Filter{Schedule: s.Name})
		w.operate(t, rota.ActRemove, rota.Filter{Schedule: s.Name})
		if next := fire(); next.Job == 0 {
			t.Errorf("%s: skipped, and the job before is removed: %+v", overlap, next)
		}
		node.play(t, rota.OutcomeSucceeded)
	}
	w.verify(t)
}

func scheduleSkipped(t *testing.T, w *world) {
	s := w.putSchedule(t, rota.OverlapSkip)
	f := firing(s)
	f.Jobs, f.Skipped = nil, "missed by more than an hour"
	fire, err := fireOne(w.ctx, w, f)
	if err != nil || fire.Job != 0 || fire.Skipped != f.Skipped {
		t.Fatalf("fired %+v, %v", fire, err)
	}
	after := w.schedule(t, s.Name)
	if !after.Next.Equal(f.Next) || after.Last == nil || after.Last.Skipped != f.Skipped {
		t.Errorf("the schedule afterwards: %+v", after)
	}
	_, err = fireOne(w.ctx, w, f)
	wantIs(t, "skipping again", err, rota.ErrConflict)
	if got := w.jobs(t, rota.JobQuery{}); len(got) != 0 {
		t.Errorf("jobs %v", got)
	}
}
