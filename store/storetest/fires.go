package storetest

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testFires(s suite) {
	s.test("P21_queued_fires_wait_for_each_other", fireQueued)
	s.test("P21_a_fire_that_replaces_waits_for_the_end_of_what_it_cancels", fireReplaced)
	s.test("P21_a_fire_for_every_node_is_one", fireForAll)
	s.test("P21_what_is_due_is_told_and_fired_together", fireTogether)
	s.test("P21_a_fire_by_hand_leaves_the_next_time", fireByHand)
	s.test("what_is_made_up_for_starts_at_a_pace", firePaced)
	s.test("C4_how_fires_ended_is_known", fireResults)
	s.test("alarms_go_off_and_are_over", fireAlarms)
	s.test("fires_are_pruned_but_the_last", firesPruned)
	s.test("schedules_are_numbered", schedulesNumbered)
}

// due fires a schedule as it is now.
func (w *world) due(t tb, name string) rota.Fire {
	t.Helper()
	f, err := fireOne(w.ctx, w, firing(w.schedule(t, name)))
	if err != nil {
		t.Fatalf("fire %s: %v", name, err)
	}
	return f
}

// follow lets the store look at fires whose jobs may have ended.
func (w *world) follow(t tb) {
	t.Helper()
	w.clock.Advance(5 * time.Second)
	w.sweepAll(t, rota.SweepFires)
}

func fireQueued(t *testing.T, w *world) {
	s := w.putSchedule(t, rota.OverlapQueue)
	first, second, third := w.due(t, s.Name), w.due(t, s.Name), w.due(t, s.Name)
	if first.Job == 0 || second.Job == 0 || third.Job == 0 {
		t.Fatalf("fired %+v, %+v, %+v", first, second, third)
	}
	node := w.session(t)
	for i, want := range []rota.JobID{first.Job, second.Job, third.Job} {
		if got := node.claim(t, 5); len(got) != 1 || got[0].Task.Job() != want {
			t.Fatalf("claim %d: %v, want job %d alone", i, got, want)
		} else {
			node.finish(t, end(got[0].Try, rota.OutcomeFailed))
		}
		w.settle(t)
	}
	for range rota.MaxQueued {
		w.due(t, s.Name)
	}
	if f := w.due(t, s.Name); f.Job != 0 || !strings.Contains(f.Skipped, "too many jobs") {
		t.Errorf("beyond %d: %+v", rota.MaxQueued, f)
	}
	w.verify(t)
}

func fireReplaced(t *testing.T, w *world) {
	s := w.putSchedule(t, rota.OverlapReplace)
	first := w.due(t, s.Name)
	node := w.session(t)
	running := node.claim(t, 1)
	second := w.due(t, s.Name)
	if second.Job == 0 || second.Skipped != "" {
		t.Fatalf("fired %+v", second)
	}
	if got := w.task(t, rota.PlainTask(first.Job)); got.State != rota.Running || got.Ending != rota.EndingCancel {
		t.Errorf("what is replaced: %+v", got)
	}
	if got := node.claim(t, 5); len(got) != 0 {
		t.Errorf("claimed %v while what is replaced runs", got)
	}
	third := w.due(t, s.Name) // the second has not started, and is no more
	if got := w.task(t, rota.PlainTask(second.Job)); got.State != rota.Cancelled {
		t.Errorf("what was to come: %+v", got)
	}
	node.finish(t, end(running[0].Try, rota.OutcomeEnded))
	w.settle(t)
	if got := node.claim(t, 5); len(got) != 1 || got[0].Task.Job() != third.Job {
		t.Errorf("claimed %v, want job %d", got, third.Job)
	}
	w.verify(t)
}

func fireForAll(t *testing.T, w *world) {
	s := w.putSchedule(t, rota.OverlapSkip)
	f := firing(s)
	for range 2 {
		f.Jobs = append(f.Jobs, f.Jobs[0])
	}
	fire, err := fireOne(w.ctx, w, f)
	if err != nil || fire.Jobs != 3 {
		t.Fatalf("fired %+v, %v", fire, err)
	}
	node := w.session(t)
	tries := node.claim(t, 5)
	if len(tries) != 3 {
		t.Fatalf("claimed %v", tries)
	}
	node.finish(t, end(tries[0].Try, rota.OutcomeSucceeded), end(tries[2].Try, rota.OutcomeSucceeded))
	if again := w.due(t, s.Name); again.Job != 0 {
		t.Errorf("fired %+v while one of three jobs runs", again)
	}
	w.follow(t)
	if got := w.schedule(t, s.Name); got.Result != "" {
		t.Errorf("one of three runs: %+v", got)
	}
	node.finish(t, end(tries[1].Try, rota.OutcomeRefused))
	w.follow(t)
	if got := w.schedule(t, s.Name); got.Result != rota.ResultFailed || got.Failures != 1 {
		t.Errorf("one of three failed: %+v", got)
	}
	if again := w.due(t, s.Name); again.Jobs != 1 {
		t.Errorf("fired %+v when all have ended", again)
	}
}

func fireTogether(t *testing.T, w *world) {
	var names []string
	for range 5 {
		names = append(names, w.putSchedule(t, rota.OverlapSkip).Name)
	}
	later := w.putSchedule(t, rota.OverlapSkip)
	later.Next = w.clock.Now().Add(time.Hour)
	if _, err := w.PutSchedule(w.ctx, later); err != nil {
		t.Fatal(err)
	}
	paused := w.putSchedule(t, rota.OverlapSkip)
	paused.Paused = true
	paused, err := w.PutSchedule(w.ctx, paused)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.DueSchedules(w.ctx, 3)
	if err != nil || len(got.Due) != 3 {
		t.Fatalf("due %+v, %v; want 3", got, err)
	}
	got, err = w.DueSchedules(w.ctx, 100)
	if err != nil || len(got.Due) != 5 || !got.Next.Equal(later.Next) || got.Now.IsZero() {
		t.Fatalf("due %+v, %v; want %v, and the next at %v", got, err, names, later.Next)
	}
	var fs []rota.Firing
	for _, s := range got.Due {
		fs = append(fs, firing(s))
	}
	fs[1].Version++                        // somebody changed it
	fs[2].Due = fs[2].Due.Add(-1e9)        // somebody fired it
	fs[3].Schedule = "none"                // somebody dropped it
	fs = append(fs, fs[0], firing(paused)) // twice in one call; paused
	results, err := w.Fire(w.ctx, fs)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if fired := i == 0 || i == 4; fired != (r.Err == nil && r.Job != 0) {
			t.Errorf("fire %d: %+v", i, r)
		} else if !fired {
			wantIs(t, fmt.Sprint("fire ", i), r.Err, rota.ErrConflict)
		}
	}
	if left, err := w.DueSchedules(w.ctx, 100); err != nil || len(left.Due) != 3 {
		t.Errorf("left %+v, %v; want 3", left, err)
	}
	w.verify(t)
}

func fireByHand(t *testing.T, w *world) {
	s := w.putSchedule(t, rota.OverlapSkip)
	s.Paused = true
	s, err := w.PutSchedule(w.ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	f := firing(s)
	f.ByHand, f.Next = true, time.Time{}
	first, err := fireOne(w.ctx, w, f)
	if err != nil || first.Job == 0 || first.Due.IsZero() {
		t.Fatalf("fired %+v, %v", first, err)
	}
	second, err := fireOne(w.ctx, w, f)
	if err != nil || second.Job != 0 || !second.Due.After(first.Due) {
		t.Errorf("again, while the first has not ended: %+v, %v", second, err)
	}
	if got := w.schedule(t, s.Name); !got.Next.Equal(s.Next) || got.Last == nil || !got.Last.Due.Equal(second.Due) {
		t.Errorf("afterwards: %+v, before %+v", got, s)
	}
	r, err := w.Schedule(w.ctx, s.Name)
	if err != nil || len(r.Fires) != 2 || r.Fires[0].Skipped == "" || r.Fires[1].Job != first.Job || r.Name != s.Name {
		t.Errorf("record %+v, %v", r, err)
	}
	f.Version++
	_, err = fireOne(w.ctx, w, f)
	wantIs(t, "of another version", err, rota.ErrConflict)
	_, err = w.Schedule(w.ctx, "none")
	wantIs(t, "a record of none", err, rota.ErrNotFound)
}

func firePaced(t *testing.T, w *world) {
	begun := w.clock.Now()
	var fs []rota.Firing
	for range 6 {
		f := firing(w.putSchedule(t, rota.OverlapSkip))
		f.Pace = rota.Duration(10 * time.Second)
		fs = append(fs, f)
	}
	for _, some := range [][]rota.Firing{fs[:2], fs[2:]} { // as two servers would
		if _, err := w.Fire(w.ctx, some); err != nil {
			t.Fatal(err)
		}
	}
	node := w.session(t)
	for i := range fs {
		tries := node.claim(t, 10)
		if len(tries) != 1 {
			t.Fatalf("%v after the beginning: claimed %v, want one", time.Duration(i)*10*time.Second, tries)
		}
		node.finish(t, end(tries[0].Try, rota.OutcomeSucceeded))
		w.clock.Advance(begun.Add(time.Duration(i+1) * 10 * time.Second).Sub(w.clock.Now()))
		w.sweepAll(t, rota.SweepPromote)
	}
	w.verify(t)
}

func fireResults(t *testing.T, w *world) {
	s := w.putSchedule(t, rota.OverlapAllow)
	node := w.session(t)
	for i, tt := range []struct {
		outcome  rota.Outcome
		result   rota.Result
		failures int
	}{
		{rota.OutcomeSucceeded, rota.ResultSucceeded, 0}, {rota.OutcomeRefused, rota.ResultFailed, 1}, {rota.OutcomeRefused, rota.ResultFailed, 2},
		{rota.OutcomeEnded, rota.ResultCancelled, 2}, {rota.OutcomeRefused, rota.ResultFailed, 3}, {rota.OutcomeSucceeded, rota.ResultSucceeded, 0},
	} {
		w.due(t, s.Name)
		tries := node.claim(t, 1)
		before := w.schedule(t, s.Name)
		if swept := w.sweep(t, rota.Sweep{What: rota.SweepFires}); swept.Next.IsZero() || swept.Next.After(w.clock.Now().Add(5*time.Second)) {
			t.Errorf("fire %d: there will be something to look at at %v", i, swept.Next)
		}
		w.follow(t)
		if got := w.schedule(t, s.Name); got.Result != before.Result || got.Last.Result != "" {
			t.Errorf("fire %d: while its job runs %+v", i, got)
		}
		node.finish(t, end(tries[0].Try, tt.outcome))
		w.follow(t)
		if got := w.schedule(t, s.Name); got.Result != tt.result || got.Failures != tt.failures || got.Last.Result != tt.result {
			t.Errorf("fire %d: %+v, last %+v, want %s, %d", i, got, got.Last, tt.result, tt.failures)
		}
	}
	gone := w.due(t, s.Name)
	node.play(t, rota.OutcomeRefused)
	w.settle(t)
	w.operate(t, rota.ActRemove, whole(gone.Job))
	w.sweepAll(t, rota.SweepPrune)
	w.follow(t)
	if got := w.schedule(t, s.Name); got.Last.Result != rota.ResultGone || got.Result != rota.ResultSucceeded {
		t.Errorf("of a job that was removed: %+v", got.Last)
	}
}

func fireAlarms(t *testing.T, w *world) {
	s := w.putSchedule(t, rota.OverlapAllow)
	s.Alarm = rota.Alarm{Late: rota.Duration(time.Minute), Long: rota.Duration(time.Minute), Fails: 2}
	s, err := w.PutSchedule(w.ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	node := w.session(t)
	holds := func(want ...rota.AlarmKind) {
		t.Helper()
		w.follow(t)
		var got []rota.AlarmKind
		for _, a := range w.schedule(t, s.Name).Alarms {
			got = append(got, a.Kind)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("alarms %v, want %v", got, want)
		}
	}
	next := func() {
		t.Helper()
		s := w.schedule(t, s.Name)
		s.Next = w.clock.Now()
		if _, err := w.PutSchedule(w.ctx, s); err != nil {
			t.Fatal(err)
		}
		w.due(t, s.Name)
	}
	told := map[rota.JobID]int{}
	next()
	holds()
	w.clock.Advance(time.Minute)
	holds(rota.AlarmLate)
	try := node.claim(t, 1)[0].Try
	w.clock.Advance(time.Minute)
	holds(rota.AlarmLate, rota.AlarmLong)
	node.finish(t, end(try, rota.OutcomeSucceeded))
	holds()
	for i := range 3 {
		next()
		node.finish(t, end(node.claim(t, 1)[0].Try, rota.OutcomeRefused))
		if i == 0 {
			holds()
		} else {
			holds(rota.AlarmFails)
		}
	}
	next()
	node.finish(t, end(node.claim(t, 1)[0].Try, rota.OutcomeSucceeded))
	holds()
	skipped := firing(w.schedule(t, s.Name))
	skipped.Jobs, skipped.Skipped = nil, "missed"
	if _, err := fireOne(w.ctx, w, skipped); err != nil {
		t.Fatal(err)
	}
	holds(rota.AlarmLate)
	r, err := w.Schedule(w.ctx, s.Name)
	if err != nil || len(r.Log) != 4 || r.Log[0].Text != "it did not run: missed" || r.Log[1].Until.IsZero() || len(r.Alarms) != 1 {
		t.Errorf("alarms %+v, %v", r.Log, err)
	}
	for _, l := range letters(t, w) { // of each alarm that went off one, and none of those that held already
		if told[l.Job]++; l.Kind != rota.EventAlarm || l.Place != "" || l.Event.Schedule != s.Name || l.Event.Text == "" {
			t.Errorf("%+v", l)
		}
	}
	if want := map[rota.JobID]int{try.Task.Job(): 2, try.Task.Job() + 2: 1, 0: 1}; !maps.Equal(told, want) {
		t.Errorf("letters by job %v, want %v", told, want)
	}
	now := w.schedule(t, s.Name)
	now.Alarm = rota.Alarm{}
	if _, err := w.PutSchedule(w.ctx, now); err != nil {
		t.Fatal(err)
	}
	holds()
}

func firesPruned(t *testing.T, w *world) {
	s := w.putSchedule(t, rota.OverlapAllow)
	node := w.session(t)
	for range 4 {
		w.due(t, s.Name)
		node.play(t, rota.OutcomeSucceeded)
	}
	w.follow(t)
	w.clock.Advance(48 * time.Hour)
	for range 5 {
		if _, err := w.Sweep(w.ctx, rota.Sweep{What: rota.SweepPrune, Retention: rota.Retention{Age: rota.Duration(time.Hour)}}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := w.Schedule(w.ctx, s.Name)
	if err != nil || len(r.Fires) != 1 || r.Last == nil || r.Last.Result != rota.ResultSucceeded {
		t.Errorf("left %+v, %v; want the last", r.Fires, err)
	}
}

func schedulesNumbered(t *testing.T, w *world) {
	last := ""
	for range 3 {
		s, err := w.PutSchedule(w.ctx, rota.Schedule{Name: "door-#", Expr: "@hourly", Zone: "UTC", Spec: job().Spec, By: "ann"})
		if err != nil || !strings.HasPrefix(s.Name, "door-") || strings.HasSuffix(s.Name, "#") || s.Name == last {
			t.Fatalf("put %+v, %v", s, err)
		}
		last = s.Name
		if err := w.DropSchedule(w.ctx, s.Name); err != nil {
			t.Fatal(err)
		}
	}
}

// raceForDue has eight stores look for what is due and fire it, as servers do.
func raceForDue(t *testing.T, open Opener) {
	c := newCluster(t, open, 8)
	w := &world{Store: c.stores[0], clock: c.clock, ctx: c.ctx}
	const each = 3
	many := times(200)
	names := make([]string, many)
	for i := range names {
		names[i] = w.putSchedule(t, rota.OverlapAllow).Name
	}
	end := c.clock.Now().Add(each * time.Hour)
	var fired atomic.Int64
	var work sync.WaitGroup
	for _, s := range c.stores {
		work.Go(func() {
			for int(fired.Load()) < each*many {
				due, err := s.DueSchedules(c.ctx, 50)
				if err != nil {
					c.blame("due: %v", err)
					return
				}
				var fs []rota.Firing
				for _, sch := range due.Due {
					if sch.Next.Before(end) {
						fs = append(fs, firing(sch))
					}
				}
				if len(fs) == 0 {
					c.clock.Advance(time.Second)
					continue
				}
				results, err := s.Fire(c.ctx, fs)
				if err != nil {
					c.blame("fire: %v", err)
					return
				}
				for _, r := range results {
					switch {
					case r.Err == nil:
						fired.Add(1)
					case !expected(r.Err):
						c.blame("fire: %v", r.Err)
					}
				}
			}
		})
	}
	work.Wait()
	jobs := 0
	for _, name := range names {
		got := w.jobs(t, rota.JobQuery{Filter: rota.Filter{Schedule: name}})
		jobs += len(got)
		if len(got) != each {
			t.Errorf("schedule %s: %d jobs of %d due times", name, len(got), each)
		}
	}
	t.Logf("%d due times, %d jobs; fired %d", each*many, jobs, fired.Load())
	for _, text := range c.wrong {
		t.Error(text)
	}
}

// comeBack has nodes go away with what they had read of schedules, which then move: edited, paused, dropped, or fired by the
// others. What a node fires when it is back must not be.
func comeBack(t *testing.T, open Opener) {
	c := newCluster(t, open, 8)
	w := &world{Store: c.stores[0], clock: c.clock, ctx: c.ctx}
	returns := times(100)
	stale, doubled := 0, 0
	for i := range returns {
		away, home := c.stores[i%8], c.stores[(i+1)%8]
		var names []string
		for range 4 {
			names = append(names, w.putSchedule(t, rota.OverlapAllow).Name)
		}
		read, err := away.DueSchedules(c.ctx, 10)
		if err != nil || len(read.Due) != len(names) {
			t.Fatalf("read %+v, %v", read, err)
		}
		for k, s := range read.Due {
			switch moved := s; k {
			case 0:
				_, err = fireOne(c.ctx, home, firing(s))
			case 1:
				moved.Expr, moved.Next = "@yearly", s.Next.AddDate(1, 0, 0)
				_, err = home.PutSchedule(c.ctx, moved)
			case 2:
				moved.Paused, moved.Next = true, time.Time{}
				_, err = home.PutSchedule(c.ctx, moved)
			case 3:
				err = home.DropSchedule(c.ctx, s.Name)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range read.Due { // it is back
			stale++
			if f, err := fireOne(c.ctx, away, firing(s)); err == nil {
				doubled++
				t.Errorf("return %d: fired %+v of %s", i, f, s.Name)
			} else if !expected(err) {
				t.Fatal(err)
			}
		}
		if again, err := away.DueSchedules(c.ctx, 10); err != nil || len(again.Due) != 0 {
			t.Fatalf("return %d: still due %+v, %v", i, again.Due, err)
		}
	}
	t.Logf("8 stores, %d returns: %d stale fires tried, %d happened", returns, stale, doubled)
}
