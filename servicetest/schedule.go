package servicetest

import (
	"slices"

	"github.com/rotaqueue/rota"
)

var scheduleTests = []contract{
	{"a schedule is kept and dropped", scheduleKept},
	{"P21 a schedule fires, once for each due time", scheduleFires},
	{"P21 an edit raises the version", scheduleEdited},
	{"overlap skips", scheduleSkips},
	{"schedules that cannot be are refused", wrongSchedules},
	{"whose schedule it is", scheduleOwners},
	{"a paused schedule is never due", pausedSchedule},
	{"a schedule is fired by hand", scheduleByHand},
	{"C1 a schedule of one time fires once", scheduleOnce},
	{"C4 how the latest fire ended is told, and alarms", scheduleTold},
	{"a schedule without retries has none", scheduleRetries},
}

func (c *client) put(s rota.Schedule) rota.Schedule {
	c.w.Helper()
	got, err := c.PutSchedule(c.ctx, s)
	if err != nil {
		c.w.Fatalf("put schedule %+v: %v", s, err)
	}
	return got
}

// schedule is a schedule as it stands.
func (c *client) schedule(name string) rota.Schedule {
	c.w.Helper()
	all, err := c.Schedules(c.ctx)
	if err != nil {
		c.w.Fatal(err)
	}
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	c.w.Fatalf("there is no schedule %q", name)
	return rota.Schedule{}
}

func scheduleKept(w *world) {
	made := w.kim.put(rota.Schedule{Name: "nightly", Expr: "30 2 * * *", Zone: "Europe/Berlin", Spec: run(named("backup"))})
	if made.By != "kim" || made.Overlap != rota.OverlapSkip || made.Version < 1 || made.Next.IsZero() || made.Next.Minute() != 30 {
		w.Errorf("made: %+v", made)
	}
	got := w.viewer.schedule("nightly")
	if got.Expr != made.Expr || got.Zone != made.Zone || !got.Next.Equal(made.Next) || got.Spec.Name != "backup" || got.Version != made.Version {
		w.Errorf("kept: %+v, made %+v", got, made)
	}
	if err := w.kim.DropSchedule(w.kim.ctx, "nightly"); err != nil {
		w.Fatal(err)
	}
	w.refused("dropping it again", w.kim.DropSchedule(w.kim.ctx, "nightly"), rota.ErrNotFound)
}

func scheduleFires(w *world) {
	w.kim.put(rota.Schedule{Name: "often", Expr: "@every 1s", Overlap: rota.OverlapAllow, Spec: run(named("tick"), priority(3))})
	m := w.node("one")
	as := m.claim(2)
	due := w.kim.schedule("often")
	if due.Last == nil || due.Last.Job == 0 || due.Last.Due.IsZero() || !due.Next.After(due.Last.Due) {
		w.Errorf("after two fires: %+v", due)
	}
	for _, a := range as {
		job := w.kim.job(a.Task.Job())
		if job.Schedule != "often" || job.Submitter != "kim" || job.Spec.Name != "tick" {
			w.Errorf("fired: %+v", job)
		}
	}
	got, err := w.kim.Jobs(w.kim.ctx, rota.JobQuery{Filter: rota.Filter{Schedule: "often"}})
	if err != nil || len(got) < 2 {
		w.Errorf("by schedule: %d jobs, error %v; want 2 at least", len(got), err)
	}
}

func scheduleEdited(w *world) {
	made := w.kim.put(rota.Schedule{Name: "s", Expr: "@daily", Spec: run()})
	_, err := w.kim.PutSchedule(w.kim.ctx, rota.Schedule{Name: "s", Expr: "@hourly", Spec: run()})
	w.refused("creating it again", err, rota.ErrConflict)
	made.Expr = "@yearly"
	edited := w.kim.put(made)
	if edited.Version <= made.Version || !edited.Next.After(made.Next) {
		w.Errorf("edited: %+v, was %+v", edited, made)
	}
	_, err = w.kim.PutSchedule(w.kim.ctx, made)
	w.refused("an edit of the version before", err, rota.ErrConflict)
}

func scheduleSkips(w *world) {
	w.kim.put(rota.Schedule{Name: "slow", Expr: "@every 1s", Spec: run()})
	m := w.node("one")
	a := m.claimOne()
	var skipped rota.Schedule
	w.eventually("a fire is skipped", func() bool {
		skipped = w.kim.schedule("slow")
		return skipped.Last != nil && skipped.Last.Skipped != ""
	})
	equal(w, "job of a skipped fire", skipped.Last.Job, 0)
	m.idle("the job of the fire before runs")
	m.ends(rota.OutcomeSucceeded, a)
	m.claimOne()
}

func wrongSchedules(w *world) {
	good := rota.Schedule{Name: "s", Expr: "@daily", Spec: run()}
	for what, change := range map[string]func(*rota.Schedule){
		"no name":                  func(s *rota.Schedule) { s.Name = "" },
		"a name with a space":      func(s *rota.Schedule) { s.Name = "a b" },
		"no expression":            func(s *rota.Schedule) { s.Expr = "" },
		"seven fields":             func(s *rota.Schedule) { s.Expr = "0 0 0 * * * *" },
		"a day that never comes":   func(s *rota.Schedule) { s.Expr = "0 0 30 2 *" },
		"a zone of no place":       func(s *rota.Schedule) { s.Zone = "Europe/Atlantis" },
		"a zone outside":           func(s *rota.Schedule) { s.Zone = "../../etc/passwd" },
		"an unknown overlap":       func(s *rota.Schedule) { s.Overlap = "sometimes" },
		"an unknown missed":        func(s *rota.Schedule) { s.Missed = "sometimes" },
		"a deadline too far":       func(s *rota.Schedule) { s.Deadline = rota.MaxDeadline + 1 },
		"a jitter too far":         func(s *rota.Schedule) { s.Jitter = rota.MaxDelay + 1 },
		"a spread backwards":       func(s *rota.Schedule) { s.Spread = -1 },
		"a calendar of no days":    func(s *rota.Schedule) { s.Calendar = "Christmas" },
		"days off on all its days": func(s *rota.Schedule) { s.Expr, s.Calendar = "0 0 25 12 *", "12-25" },
		"a time that is over":      func(s *rota.Schedule) { s.Expr = "@at 2020-01-01T00:00:00Z" },
		"an alarm backwards":       func(s *rota.Schedule) { s.Alarm.Fails = -1 },
		"an alarm to no address":   func(s *rota.Schedule) { s.Alarm = rota.Alarm{Fails: 1, To: []string{"ops"}} },
		"an alarm to no URL":       func(s *rota.Schedule) { s.Alarm = rota.Alarm{Fails: 1, To: []string{"ftp://example.org"}} },
		"nothing to tell of":       func(s *rota.Schedule) { s.Alarm.To = []string{"ops@example.org"} },
		"nothing to run":           func(s *rota.Schedule) { s.Spec = rota.Spec{} },
		"a time of its own":        func(s *rota.Schedule) { s.Spec.At = s.Spec.At.AddDate(2030, 1, 1) },
		"another job to wait for":  func(s *rota.Schedule) { after(rota.AfterOK, 1)(&s.Spec) },
		"lines":                    func(s *rota.Schedule) { s.Spec.Lines = true },
	} {
		s := good
		change(&s)
		_, err := w.kim.PutSchedule(w.kim.ctx, s)
		w.refused(what, err, rota.ErrInvalid)
	}
	if all, err := w.kim.Schedules(w.kim.ctx); err != nil || len(all) != 0 {
		w.Errorf("after refusals only: %d schedules, error %v", len(all), err)
	}
}

func scheduleOwners(w *world) {
	made := w.kim.put(rota.Schedule{Name: "s", Expr: "@daily", Spec: run(environment("A=1"))})
	_, err := w.lee.PutSchedule(w.lee.ctx, made)
	w.refused("another's schedule", err, rota.ErrDenied)
	w.refused("dropping another's schedule", w.lee.DropSchedule(w.lee.ctx, "s"), rota.ErrDenied)
	equal(w, "environment as kim sees it", w.kim.schedule("s").Spec.Env, []string{"A=1"})
	seen := w.operator.schedule("s")
	equal(w, "environment as an operator sees it", len(seen.Spec.Env), 0)
	seen.Expr = "@hourly"
	w.operator.put(seen)
	now := w.kim.schedule("s")
	if now.By != "kim" || len(now.Spec.Env) != 1 || now.Expr != "@hourly" {
		w.Errorf("after an operator changed when: %+v; want kim's job as it was", now)
	}
	seen = w.operator.schedule("s")
	seen.Spec.Argv = []string{"false"}
	w.operator.put(seen)
	equal(w, "whose it is after an operator changed what", w.kim.schedule("s").By, "ole")
}

func pausedSchedule(w *world) {
	s := w.kim.put(rota.Schedule{Name: "s", Expr: "@every 1s", Paused: true, Spec: run()})
	if !s.Next.IsZero() {
		w.Errorf("paused, but due at %v", s.Next)
	}
	s.Paused = false
	if s = w.kim.put(s); s.Next.IsZero() {
		w.Error("not paused any more, but never due")
	}
	w.node("one").claimOne()
}

func scheduleByHand(w *world) {
	s := w.kim.put(rota.Schedule{Name: "s", Expr: "@yearly", Paused: true, Spec: run(named("backup"))})
	_, err := w.lee.FireSchedule(w.lee.ctx, "s")
	w.refused("another's", err, rota.ErrDenied)
	_, err = w.kim.FireSchedule(w.kim.ctx, "none")
	w.refused("none", err, rota.ErrNotFound)
	f, err := w.kim.FireSchedule(w.kim.ctx, "s")
	if err != nil || f.Job == 0 || f.Jobs != 1 {
		w.Fatalf("fired %+v, %v", f, err)
	}
	equal(w, "job", w.node("one").claimOne().Task.Job(), f.Job)
	if job := w.kim.job(f.Job); job.Schedule != "s" || job.Submitter != "kim" {
		w.Errorf("fired: %+v", job)
	}
	again, err := w.operator.FireSchedule(w.operator.ctx, "s")
	if err != nil || again.Job != 0 || again.Skipped == "" {
		w.Errorf("while the first runs: %+v, %v", again, err)
	}
	r, err := w.viewer.Schedule(w.viewer.ctx, "s")
	if err != nil || len(r.Fires) != 2 || r.Version != s.Version || !r.Paused || len(r.Alarms) != 0 {
		w.Errorf("record %+v, %v", r, err)
	}
}

func scheduleOnce(w *world) {
	w.kim.put(rota.Schedule{Name: "once", Expr: "@once", Spec: run()})
	m := w.node("one")
	m.ends(rota.OutcomeSucceeded, m.claimOne())
	w.eventually("its result is known", func() bool { return w.kim.schedule("once").Result == rota.ResultSucceeded })
	s := w.kim.schedule("once")
	if !s.Next.IsZero() {
		w.Errorf("due again at %v", s.Next)
	}
	s = w.kim.put(s)
	if !s.Next.IsZero() {
		w.Errorf("changed, and due again at %v", s.Next)
	}
}

func scheduleTold(w *world) {
	w.kim.put(rota.Schedule{Name: "s", Expr: "@yearly", Alarm: rota.Alarm{Fails: 1, To: []string{"none"}}, Spec: run()})
	m := w.node("one")
	for _, want := range []struct {
		outcome rota.Outcome
		result  rota.Result
		alarms  int
	}{{rota.OutcomeRefused, rota.ResultFailed, 1}, {rota.OutcomeSucceeded, rota.ResultSucceeded, 0}} {
		if _, err := w.kim.FireSchedule(w.kim.ctx, "s"); err != nil {
			w.Fatal(err)
		}
		m.ends(want.outcome, m.claimOne())
		w.eventually("the result "+string(want.result), func() bool { return w.kim.schedule("s").Result == want.result })
		equal(w, "alarms", len(w.kim.schedule("s").Alarms), want.alarms)
	}
	r, err := w.viewer.Schedule(w.viewer.ctx, "s")
	if err != nil || len(r.Log) != 1 || r.Log[0].Until.IsZero() || r.Log[0].Kind != rota.AlarmFails || !slices.Equal(r.Alarm.To, []string{"none"}) {
		w.Errorf("alarms %+v, %v", r.Log, err)
	}
}

func scheduleRetries(w *world) {
	s := w.kim.put(rota.Schedule{Name: "s", Expr: "@yearly", Spec: run()})
	if s.Spec.Retry == nil || s.Spec.Retry.Count == nil || *s.Spec.Retry.Count != 0 || s.Missed != rota.MissedOnce || s.Deadline != rota.MissedWithin {
		w.Errorf("defaults: %+v, retry %+v", s, s.Spec.Retry)
	}
}
