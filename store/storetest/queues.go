package storetest

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testQueues(s suite) {
	s.test("D6_a_change_changes_what_it_names", queueChanged)
	s.test("D6_settings_that_contradict_each_other_are_refused_whole", queueContradicts)
	s.test("D6_a_claim_has_what_its_queue_says_then", queueAtClaim)
	s.test("D6_what_is_beyond_a_queue_is_refused", queueRefuses)
	s.test("D6_a_fire_beyond_its_queue_is_skipped", queueFire)
	s.test("B3_D10_all_settings_are_kept_and_changed_by_name", queueSettings)
	s.test("B3_D10_settings_that_cannot_be_are_refused", queueRefusesSettings)
	s.test("D10_a_draining_queue_takes_nothing_new", queueDrains)
	s.test("D10_a_paused_queue_is_not_claimed", queuePauses)
	s.test("D10_a_renamed_queue_keeps_what_is_in_it", queueRenamed)
	s.test("D10_a_queue_with_something_in_it_is_not_removed", queueDropped)
	s.test("P18_D10_a_renamed_queue_while_others_count", queueRenamedMeanwhile)
	s.test("B3_a_queue_keeps_its_history_for_so_long", queueKeeps)
	s.test("D14_a_queues_retry_policy_holds_for_what_waits", queuePolicy)
	s.test("D13_who_has_waited_longest_is_told", queueOldest)
}

const gib = 1 << 30

func ptr[T any](v T) *T { return &v }

func memory(n int64) func(*rota.NewJob) { return func(j *rota.NewJob) { j.Spec.Memory = n } }

func (w *world) change(t tb, queue string, c rota.AllowanceChange) rota.Queue {
	t.Helper()
	q, err := w.ChangeQueue(w.ctx, queue, rota.QueueChange{Limits: c})
	if err != nil {
		t.Fatalf("change queue %s: %v", queue, err)
	}
	return q
}

// set changes settings of a queue.
func (w *world) set(t tb, queue string, c rota.QueueChange) rota.Queue {
	t.Helper()
	q, err := w.ChangeQueue(w.ctx, queue, c)
	if err != nil {
		t.Fatalf("change queue %s: %v", queue, err)
	}
	return q
}

func (w *world) queue(t tb, name string) rota.Queue {
	t.Helper()
	queues, err := w.Queues(w.ctx)
	if err != nil {
		t.Fatalf("queues: %v", err)
	}
	for _, q := range queues {
		if q.Name == name {
			return q
		}
	}
	t.Fatalf("no queue %q among %d", name, len(queues))
	return rota.Queue{}
}

func queueChanged(t *testing.T, w *world) {
	w.one(t, queue("old"))
	for _, name := range []string{"old", "new", rota.DefaultQueue} {
		w.change(t, name, rota.AllowanceChange{Default: rota.LimitsChange{Memory: ptr[int64](gib), CPUs: ptr(1.5)}})
		got := w.change(t, name, rota.AllowanceChange{Default: rota.LimitsChange{CPUs: ptr(0.5), PIDs: ptr(7), Nice: ptr(3)},
			Max: rota.LimitsChange{Memory: ptr[int64](2 * gib), Nice: ptr(0)}})
		want := rota.Allowance{Default: rota.Limits{Memory: gib, CPUs: 0.5, PIDs: 7, Nice: 3}, Max: rota.Maxima{Memory: 2 * gib, Nice: ptr(0)}}
		if got.Name != name || text(got.Limits) != text(want) {
			t.Errorf("changed: %s, want %s", text(got), text(want))
		}
		if kept := w.queue(t, name); text(kept) != text(got) {
			t.Errorf("kept as %s, answered as %s", text(kept), text(got))
		}
	}
	if n := w.queue(t, "old").Counts[rota.Ready]; n != 1 {
		t.Errorf("%d tasks wait in the changed queue", n)
	}
	w.reopen(t)
	w.change(t, "new", rota.AllowanceChange{Default: rota.LimitsChange{Memory: ptr[int64](0), CPUs: ptr(0.0), PIDs: ptr(0), Nice: ptr(0)},
		Max: rota.LimitsChange{Memory: ptr[int64](0), Nice: ptr(rota.MinNice)}})
	if q := w.queue(t, "new"); !q.Limits.IsZero() {
		t.Errorf("all taken away: %s", text(q))
	}
	if q := w.queue(t, "old"); q.Limits.Max.Memory != 2*gib {
		t.Errorf("another's, after a restart: %s", text(q))
	}
	w.verify(t)
}

func queueContradicts(t *testing.T, w *world) {
	w.change(t, "q", rota.AllowanceChange{Default: rota.LimitsChange{Memory: ptr[int64](2 * gib)}})
	for _, c := range []rota.AllowanceChange{
		{Default: rota.LimitsChange{PIDs: ptr(5)}, Max: rota.LimitsChange{Memory: ptr[int64](gib)}},
		{Default: rota.LimitsChange{PIDs: ptr(5), CPUs: ptr(-1.0)}},
		{Default: rota.LimitsChange{PIDs: ptr(5)}, Max: rota.LimitsChange{Nice: ptr(20)}},
	} {
		_, err := w.ChangeQueue(w.ctx, "q", rota.QueueChange{Limits: c})
		wantIs(t, text(c), err, rota.ErrInvalid)
		if err != nil && !strings.Contains(err.Error(), "queue q") {
			t.Errorf("%v does not name the queue", err)
		}
	}
	if q := w.queue(t, "q"); q.Limits != (rota.Allowance{Default: rota.Limits{Memory: 2 * gib}}) {
		t.Errorf("after what was refused: %s", text(q))
	}
	_, err := w.ChangeQueue(w.ctx, "none", rota.QueueChange{Limits: rota.AllowanceChange{Default: rota.LimitsChange{PIDs: ptr(-1)}}})
	wantIs(t, "a new queue", err, rota.ErrInvalid)
	for _, q := range must(w.Queues(w.ctx)) {
		if q.Name == "none" {
			t.Error("what was refused made a queue")
		}
	}
}

func queueAtClaim(t *testing.T, w *world) {
	s := w.session(t)
	allowed := func(n int, queues ...string) string {
		t.Helper()
		var out []string
		for _, a := range s.claim(t, n, queues...) {
			out = append(out, fmt.Sprint(a.Queue, " ", text(a.Allowance)))
		}
		s.returnAll(t)
		return strings.Join(out, ", ")
	}
	w.one(t, queue("a"))
	w.one(t, queue("b"))
	w.submit(t, job(queue("a"), array("1-2")))
	const all = `a null, b null, a null, a null`
	if got := allowed(9); got != all {
		t.Errorf("nothing said: %s", got)
	}
	w.change(t, "a", rota.AllowanceChange{Max: rota.LimitsChange{CPUs: ptr(2.0)}})
	const a = `a {"max":{"cpus":2}}`
	if got, want := allowed(9), a+`, b null, `+a+`, `+a; got != want {
		t.Errorf("what waited: %s, want %s", got, want)
	}
	w.reopen(t)
	if got, want := allowed(9), a+`, b null, `+a+`, `+a; got != want {
		t.Errorf("after a restart: %s, want %s", got, want)
	}
	w.change(t, "a", rota.AllowanceChange{Max: rota.LimitsChange{CPUs: ptr(0.0)}})
	if got := allowed(9); got != all {
		t.Errorf("taken away: %s", got)
	}
	// An exchange whose answer was lost has the same answer, allowance included.
	w.change(t, "b", rota.AllowanceChange{Default: rota.LimitsChange{PIDs: ptr(3)}})
	first := s.claim(t, 9, "b")
	s.seq--
	if again := s.claim(t, 9, "b"); len(first) != 1 || text(again) != text(first) || first[0].Allowance == nil {
		t.Errorf("answered %s, and again %s", text(first), text(again))
	}
	w.verify(t)
}

func queueRefuses(t *testing.T, w *world) {
	w.change(t, "q", rota.AllowanceChange{Max: rota.LimitsChange{Memory: ptr[int64](gib)}})
	results, err := w.Submit(w.ctx, []rota.NewJob{job(queue("q"), memory(gib)), job(queue("q"), memory(2*gib), keyed("k", "h")), job(memory(2 * gib)), job(queue("q"))})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if i != 1 && r.Err != nil {
			t.Errorf("job %d: %v", i, r.Err)
		}
	}
	wantIs(t, "beyond its queue", results[1].Err, rota.ErrTooLarge)
	if n := len(must(w.Jobs(w.ctx, rota.JobQuery{}))); n != 3 {
		t.Errorf("%d jobs are stored, want 3", n)
	}
	w.change(t, "q", rota.AllowanceChange{Max: rota.LimitsChange{Memory: ptr[int64](2 * gib)}})
	if ids := w.submit(t, job(queue("q"), memory(2*gib), keyed("k", "h"))); len(ids) != 1 {
		t.Errorf("the refused key is taken: %v", ids)
	}
	w.verify(t)
}

func queueFire(t *testing.T, w *world) {
	s, err := w.PutSchedule(w.ctx, rota.Schedule{Name: "s", Expr: "@hourly", Zone: "UTC", Spec: job(queue("q"), memory(2*gib)).Spec,
		Overlap: rota.OverlapAllow, By: "ann", Next: w.clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	w.change(t, "q", rota.AllowanceChange{Max: rota.LimitsChange{Memory: ptr[int64](gib)}})
	fired, err := fireOne(w.ctx, w, firing(s))
	if err != nil || fired.Job != 0 || !strings.Contains(fired.Skipped, "2GiB") {
		t.Errorf("fired %+v, %v", fired, err)
	}
	if after := w.schedule(t, "s"); !after.Next.After(s.Next) || after.Last == nil || after.Last.Skipped != fired.Skipped {
		t.Errorf("recorded as %s", text(after))
	}
	w.verify(t)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// queueOldest: of each queue, whatever the order of its tasks, and whatever was in it before.
func queueOldest(t *testing.T, w *world) {
	want := func(what string, want map[string]rota.Oldest) {
		t.Helper()
		got, err := w.Oldest(w.ctx)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", what, got, err, want)
		}
	}
	s := w.session(t)
	want("nothing", map[string]rota.Oldest{})
	gone := w.one(t, queue("a"))
	s.finish(t, end(s.claim(t, 1)[0].Try, rota.OutcomeSucceeded))
	w.wantState(t, gone, rota.Succeeded)
	want("what has ended", map[string]rota.Oldest{})
	w.clock.Advance(time.Minute)
	first := rota.Oldest{Since: w.clock.Now()}
	first.Job = w.one(t, queue("a"), rank(5)).Job()
	w.clock.Advance(time.Minute)
	w.one(t, queue("a"), rank(-5)) // is claimed before it
	other := rota.Oldest{Since: w.clock.Now()}
	other.Job = w.one(t, queue("b")).Job()
	w.one(t, queue("b"))
	w.one(t, queue("c"), at(w.clock.Now().Add(time.Hour)))
	w.one(t, queue("d"), func(j *rota.NewJob) { j.Spec.Hold = true })
	want("two queues", map[string]rota.Oldest{"a": first, "b": other})
	w.clock.Advance(time.Hour)
	w.sweepAll(t, rota.SweepPromote)
	got, err := w.Oldest(w.ctx)
	if c := got["c"]; err != nil || len(got) != 3 || !c.Since.Equal(other.Since.Add(time.Hour)) {
		t.Errorf("one that came before its time: %+v, %v", got, err)
	}
	s.claim(t, 2, "a")
	delete(got, "a")
	want("claimed", got)
}
