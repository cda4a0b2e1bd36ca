package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// everySetting is a change of all there is.
func everySetting() rota.QueueChange {
	return rota.QueueChange{Paused: ptr(true), Draining: ptr(true), Description: ptr("for the night"), Discipline: ptr("fifo"), Flow: ptr(rota.Flow("label:team")),
		Weights: map[string]float64{"a": 2, "b": 0.5}, Limits: rota.AllowanceChange{Max: rota.LimitsChange{PIDs: ptr(7)}}, Slots: ptr(3),
		Running: ptr(20), Starts: ptr(1.5), Pin: []string{"n1", "n2"}, Ignore: []string{"n3"}, Executor: ptr("exec"), Shell: ptr(false),
		Wrap: []string{"nice", "-n", "5"}, Retry: rota.RetryChange{Count: ptr(5), First: ptr(rota.Duration(time.Second)), Cap: ptr(rota.Duration(time.Minute)),
			Jitter: ptr(0.5), OnLost: ptr(rota.LostFail), MaxLost: ptr(1)},
		Keep: ptr(rota.Duration(time.Hour)), Dedupe: rota.DedupeChange{Window: ptr(rota.Duration(time.Minute)), Then: ptr(rota.RepeatMerge)}}
}

func queueSettings(t *testing.T, w *world) {
	c := everySetting()
	got := w.set(t, "q", c)
	want := rota.Queue{Name: "q", Paused: true, Draining: true, Counts: map[rota.State]int{}, QueueSettings: rota.QueueSettings{Description: "for the night",
		Discipline: "fifo", Flow: "label:team", Weights: c.Weights, Limits: rota.Allowance{Max: rota.Maxima{PIDs: 7}}, Slots: 3, Running: 20, Starts: 1.5,
		Pin: c.Pin, Ignore: c.Ignore, Executor: "exec", Shell: ptr(false), Wrap: c.Wrap,
		Retry: &rota.Retry{Count: ptr(5), First: rota.Duration(time.Second), Cap: rota.Duration(time.Minute), Jitter: ptr(0.5), OnLost: rota.LostFail, MaxLost: ptr(1)},
		Keep:  rota.Duration(time.Hour), Dedupe: rota.Dedupe{Window: rota.Duration(time.Minute), Then: rota.RepeatMerge}}}
	if text(got) != text(want) {
		t.Errorf("changed to %s, want %s", text(got), text(want))
	}
	w.reopen(t)
	if kept := w.queue(t, "q"); text(kept) != text(want) {
		t.Errorf("kept as %s, want %s", text(kept), text(want))
	}
	// What a change does not name stays.
	want.Description = "for the day"
	if got := w.set(t, "q", rota.QueueChange{Description: ptr("for the day")}); text(got) != text(want) {
		t.Errorf("one setting changed: %s, want %s", text(got), text(want))
	}
	none := rota.QueueChange{Paused: ptr(false), Draining: ptr(false), Description: ptr(""), Discipline: ptr("priority"), Flow: ptr(rota.Flow("")),
		Weights: map[string]float64{"a": 0, "b": 0}, Limits: rota.AllowanceChange{Max: rota.LimitsChange{PIDs: ptr(0)}}, Slots: ptr(0), Running: ptr(0),
		Starts: ptr(0.0), Pin: []string{}, Ignore: []string{}, Executor: ptr(""), Shell: ptr(true), Wrap: []string{},
		Retry: rota.RetryChange{Count: ptr(-1), First: ptr(rota.Duration(0)), Cap: ptr(rota.Duration(0)), Jitter: ptr(-1.0), OnLost: ptr(rota.OnLost("")), MaxLost: ptr(-1)},
		Keep:  ptr(rota.Duration(0)), Dedupe: rota.DedupeChange{Window: ptr(rota.Duration(0)), Then: ptr(rota.OnRepeat(""))}}
	w.set(t, "q", none)
	fresh := w.set(t, "fresh", rota.QueueChange{New: true})
	if fresh.Slots != rota.DefaultQueueSlots {
		t.Errorf("a queue that was made has %d slots on a node, want %d", fresh.Slots, rota.DefaultQueueSlots)
	}
	fresh.Name, fresh.Slots = "q", 0
	if kept := w.queue(t, "q"); text(kept) != text(fresh) {
		t.Errorf("all taken away: %s, want %s", text(kept), text(fresh))
	}
	w.verify(t)
}

func queueRefusesSettings(t *testing.T, w *world) {
	w.set(t, "q", rota.QueueChange{New: true, Slots: ptr(2)})
	_, err := w.ChangeQueue(w.ctx, "q", rota.QueueChange{New: true, Slots: ptr(3)})
	wantIs(t, "made twice", err, rota.ErrConflict)
	for name, c := range map[string]rota.QueueChange{
		"discipline":        {Slots: ptr(4), Discipline: ptr("lottery")},
		"flow":              {Slots: ptr(4), Flow: ptr(rota.Flow("host"))},
		"weight":            {Slots: ptr(4), Weights: map[string]float64{"a": -1}},
		"slots":             {Slots: ptr(-1)},
		"starts":            {Slots: ptr(4), Starts: ptr(-0.5)},
		"a node":            {Slots: ptr(4), Pin: []string{"a b"}},
		"executor":          {Slots: ptr(4), Executor: ptr("Exec!")},
		"shell of no shell": {Slots: ptr(4), Executor: ptr("shell"), Shell: ptr(false)},
		"wrap":              {Slots: ptr(4), Wrap: []string{""}},
		"retries":           {Slots: ptr(4), Retry: rota.RetryChange{Count: ptr(-2)}},
		"jitter":            {Slots: ptr(4), Retry: rota.RetryChange{Jitter: ptr(1.5)}},
		"dedupe":            {Slots: ptr(4), Dedupe: rota.DedupeChange{Then: ptr(rota.OnRepeat("replace"))}},
	} {
		_, err := w.ChangeQueue(w.ctx, "q", c)
		wantIs(t, name, err, rota.ErrInvalid)
	}
	if q := w.queue(t, "q"); q.Slots != 2 {
		t.Errorf("what was refused has changed the queue: %s", text(q))
	}
}

func queueDrains(t *testing.T, w *world) {
	id := w.one(t, queue("q"))
	w.set(t, "q", rota.QueueChange{Draining: ptr(true)})
	results := must(w.Submit(w.ctx, []rota.NewJob{job(queue("q")), job()}))
	wantIs(t, "a new job", results[0].Err, rota.ErrConflict)
	if results[1].Err != nil {
		t.Errorf("a job of another queue: %v", results[1].Err)
	}
	s := w.session(t)
	if got := s.claim(t, 9, "q"); len(got) != 1 || got[0].Task != id {
		t.Errorf("claimed %s", text(got))
	}
	w.set(t, "q", rota.QueueChange{Draining: ptr(false)})
	w.one(t, queue("q"))
	w.verify(t)
}

func queuePauses(t *testing.T, w *world) {
	w.one(t, queue("q"))
	w.set(t, "q", rota.QueueChange{Paused: ptr(true)})
	w.one(t, queue("q"))
	s := w.session(t)
	if got := s.claim(t, 9); len(got) != 0 {
		t.Errorf("claimed of a paused queue: %s", text(got))
	}
	w.set(t, "q", rota.QueueChange{Paused: ptr(false)})
	if got := s.claim(t, 9); len(got) != 2 {
		t.Errorf("claimed of a queue that goes on: %s", text(got))
	}
	w.verify(t)
}

func queueRenamed(t *testing.T, w *world) {
	s := w.session(t)
	w.set(t, "old", rota.QueueChange{Slots: ptr(30)})
	ended, running := w.one(t, queue("old")), w.one(t, queue("old"))
	tries := s.claim(t, 2)
	s.finish(t, end(tries[0].Try, rota.OutcomeSucceeded))
	w.submit(t, job(queue("old"), array("1-3")))
	waits := w.one(t, queue("old"))
	if _, err := w.PutSchedule(w.ctx, rota.Schedule{Name: "s", Expr: "@hourly", Zone: "UTC", Spec: job(queue("old")).Spec, Overlap: rota.OverlapAllow, By: "ann", Next: w.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	w.set(t, "taken", rota.QueueChange{})
	_, err := w.RenameQueue(w.ctx, "old", "taken")
	wantIs(t, "to a name that is taken", err, rota.ErrConflict)
	_, err = w.RenameQueue(w.ctx, "none", "any")
	wantIs(t, "of none", err, rota.ErrNotFound)
	q, err := w.RenameQueue(w.ctx, "old", "new")
	if err != nil || q.Name != "new" || q.Slots != 30 || q.Counts[rota.Ready] != 4 || q.Counts[rota.Running] != 1 || q.Counts[rota.Succeeded] != 1 {
		t.Fatalf("renamed: %s, %v", text(q), err)
	}
	for _, id := range []rota.TaskID{ended, running, waits} {
		if x, _, err := w.Task(w.ctx, id); err != nil || x.Queue != "new" {
			t.Errorf("task %v is in %q, %v", id, x.Queue, err)
		}
	}
	s.finish(t, end(tries[1].Try, rota.OutcomeSucceeded))
	w.verify(t)
	if got := s.claim(t, 9, "old"); len(got) != 0 {
		t.Errorf("claimed under the old name: %s", text(got))
	}
	if got := s.claim(t, 9, "new"); len(got) != 4 || got[0].Queue != "new" {
		t.Errorf("claimed under the new name: %s", text(got))
	}
	if sch := w.schedule(t, "s"); sch.Spec.Queue != "new" {
		t.Errorf("the schedule fires into %s", sch.Spec.Queue)
	}
	// The old name is another queue's now, and can be taken again by renaming after all that.
	w.one(t, queue("old"))
	w.verify(t)
	w.reopen(t)
	w.verify(t)
}

func queueDropped(t *testing.T, w *world) {
	s := w.session(t)
	w.set(t, "q", rota.QueueChange{Slots: ptr(3)})
	id := w.one(t, queue("q"))
	wantIs(t, "with a ready task", w.DropQueue(w.ctx, "q"), rota.ErrConflict)
	a := s.claim(t, 1)[0]
	wantIs(t, "with a running task", w.DropQueue(w.ctx, "q"), rota.ErrConflict)
	s.finish(t, end(a.Try, rota.OutcomeSucceeded))
	if err := w.DropQueue(w.ctx, "q"); err != nil {
		t.Fatal(err)
	}
	wantIs(t, "twice", w.DropQueue(w.ctx, "q"), rota.ErrNotFound)
	if x, _, err := w.Task(w.ctx, id); err != nil || x.Queue != "q" || x.State != rota.Succeeded {
		t.Errorf("the history: %s, %v", text(x), err)
	}
	w.verify(t)
	// A job into it makes it anew, with nothing settled.
	again := w.one(t, queue("q"))
	if q := w.queue(t, "q"); q.Slots != 0 || q.Counts[rota.Ready] != 1 || q.Counts[rota.Succeeded] != 1 {
		t.Errorf("made anew as %s", text(q))
	}
	if got := s.claim(t, 9, "q"); len(got) != 1 || got[0].Task != again {
		t.Errorf("claimed %s", text(got))
	}
	w.submitOnly(t, job(queue("large"), array("1-3"))) // not made yet
	wantIs(t, "with tasks to be made", w.DropQueue(w.ctx, "large"), rota.ErrConflict)
	w.verify(t)
}

// queueRenamedMeanwhile renames queues to and fro, and removes and makes one, while others submit, claim and finish: all
// counts are right in the end, and nothing is left behind that cannot be claimed.
func queueRenamedMeanwhile(t *testing.T, w *world) {
	var all sync.WaitGroup
	stop := make(chan struct{})
	all.Go(func() {
		for name, to := "a", "b"; ; name, to = to, name {
			select {
			case <-stop:
				return
			default:
			}
			_, _ = w.RenameQueue(w.ctx, name, to) // there may be one of that name for a while
			_ = w.DropQueue(w.ctx, to)
			_ = w.DropQueue(w.ctx, name)
		}
	})
	var work sync.WaitGroup
	for range 3 {
		s := w.session(t)
		work.Go(func() {
			for i := range 40 {
				name := "a"
				if i%3 == 0 {
					name = "b"
				}
				results, err := w.Submit(w.ctx, []rota.NewJob{job(queue(name)), job(queue(name))})
				if err != nil || results[0].Err != nil {
					t.Errorf("submit: %v %v", err, results)
					return
				}
				for _, a := range s.claim(t, 2) {
					s.finish(t, end(a.Try, rota.OutcomeSucceeded))
				}
			}
		})
	}
	work.Wait()
	close(stop)
	all.Wait()
	w.verify(t)
	s := w.session(t)
	for n := 1; n > 0; {
		got := s.claim(t, 100)
		for _, a := range got {
			s.finish(t, end(a.Try, rota.OutcomeSucceeded))
		}
		n = len(got)
	}
	for _, x := range w.all(t, rota.Filter{}) {
		if x.State != rota.Succeeded {
			t.Errorf("task %v of %s is %v, and nothing claims it", x.ID, x.Queue, x.State)
		}
	}
	w.verify(t)
}

func queuePolicy(t *testing.T, w *world) {
	s := w.session(t)
	own := 1
	plain := job(queue("q"))
	plain.Spec.Retry, plain.Retry = nil, rota.DefaultRetry()
	said := job(queue("q"))
	said.Spec.Retry = &rota.Retry{Count: &own}
	said.Retry = said.Spec.Retry.Or(rota.DefaultRetry())
	many := plain
	w.set(t, "q", rota.QueueChange{Retry: rota.RetryChange{Count: ptr(2)}})
	array("1-3")(&many)
	ids := w.submit(t, plain, said, many)
	limits := func(want ...int) {
		t.Helper()
		for i, id := range ids {
			for _, x := range w.all(t, rota.Filter{Tasks: []rota.Span{rota.SpanOf(id)}}) {
				if x.Limit != want[i] {
					t.Errorf("task %v has %d attempts, want %d", x.ID, x.Limit, want[i])
				}
			}
		}
	}
	limits(3, 2, 3)
	a := s.claim(t, 1)[0] // runs meanwhile
	if *a.Retry.Count != 2 {
		t.Errorf("claimed with %s", text(a.Retry))
	}
	w.set(t, "q", rota.QueueChange{Retry: rota.RetryChange{Count: ptr(0), First: ptr(rota.Duration(3 * time.Second)), Jitter: ptr(0.0)}})
	w.sweepAll(t, rota.SweepOperate)
	limits(1, 2, 1)
	s.finish(t, end(a.Try, rota.OutcomeFailed))
	if x, _, _ := w.Task(w.ctx, a.Task); x.State != rota.Failed {
		t.Errorf("without a budget the task is %v", x.State)
	}
	for _, a := range s.claim(t, 9, "q") {
		if own := a.Task == rota.PlainTask(ids[1]); own != (*a.Retry.Count == 1) || a.Retry.First != rota.Duration(3*time.Second) || *a.Retry.Jitter != 0 {
			t.Errorf("task %v claimed with %s", a.Task, text(a.Retry))
		}
	}
	w.verify(t)
}

func queueKeeps(t *testing.T, w *world) {
	s := w.session(t)
	w.set(t, "short", rota.QueueChange{Keep: ptr(rota.Duration(time.Hour))})
	short, long := w.one(t, queue("short")), w.one(t, queue("long"))
	for _, a := range s.claim(t, 9) {
		s.finish(t, end(a.Try, rota.OutcomeSucceeded))
	}
	waits := w.one(t, queue("short"))
	prune := func() {
		for w.sweep(t, rota.Sweep{What: rota.SweepPrune, Retention: rota.Retention{Age: rota.Duration(1000 * time.Hour)}}).More {
		}
	}
	prune()
	w.wantState(t, short, rota.Succeeded)
	w.clock.Advance(2 * time.Hour)
	prune()
	_, _, err := w.Task(w.ctx, short)
	wantIs(t, "an ended task of the queue", err, rota.ErrNotFound)
	w.wantState(t, long, rota.Succeeded)
	w.wantState(t, waits, rota.Ready)
	w.verify(t)
}
