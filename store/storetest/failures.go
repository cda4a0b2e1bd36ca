package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testFailures(s suite) {
	s.test("D14_failures_are_grouped_by_what_they_have_in_common", failureGroups)
	s.test("D14_a_group_is_retried_or_dismissed_as_a_whole", failureActs)
	s.test("usage_is_summed_up", usageSums)
}

// fails submits a job, and lets it fail with an error output.
func (w *world) fails(t tb, s *session, stderr string, changes ...func(*rota.NewJob)) rota.TaskID {
	t.Helper()
	id := w.one(t, append(changes, retries(0))...)
	for _, a := range s.claim(t, 100) {
		f := end(a.Try, rota.OutcomeFailed)
		f.Exit = ptr(1)
		if stderr != "" {
			f.Output = []rota.Chunk{{Stream: rota.Stderr, Data: []byte(stderr), Total: int64(len(stderr))}}
		}
		s.finish(t, f)
	}
	w.wantState(t, id, rota.Failed)
	return id
}

func (w *world) failures(t tb, by rota.By, f rota.Filter) []rota.FailureGroup {
	t.Helper()
	groups, err := w.Failures(w.ctx, rota.FailureQuery{By: by, Filter: f})
	if err != nil {
		t.Fatalf("failures by %s: %v", by, err)
	}
	return groups
}

func failureGroups(t *testing.T, w *world) {
	s := w.session(t)
	first := w.clock.Now()
	for i := range 3 {
		w.fails(t, s, fmt.Sprintf("reading\nerror: row %d of /data/%d.csv is broken\n", i, i), queue("a"), named("load"))
		w.clock.Advance(time.Minute)
	}
	last := w.fails(t, s, "panic: nil\n", queue("b"), by("bob"))
	silent := w.fails(t, s, "", queue("b"))
	groups := w.failures(t, rota.ByError, rota.Filter{})
	if len(groups) != 3 || groups[0].Count != 3 || groups[0].Text != "error: row <n> of <path> is broken" || !groups[0].First.Equal(first) ||
		groups[0].Last.Sub(groups[0].First) != 2*time.Minute || groups[0].Kinds != 1 {
		t.Errorf("by error: %s", text(groups))
	}
	if !slices.ContainsFunc(groups, func(g rota.FailureGroup) bool { return g.Task == last && g.Text == "panic: nil" }) ||
		!slices.ContainsFunc(groups, func(g rota.FailureGroup) bool { return g.Task == silent && g.Text != "" }) {
		t.Errorf("by error: %s", text(groups))
	}
	if groups := w.failures(t, rota.ByQueue, rota.Filter{}); len(groups) != 2 || groups[0].Key != "a" || groups[1].Key != "b" || groups[1].Kinds != 2 {
		t.Errorf("by queue: %s", text(groups))
	}
	if groups := w.failures(t, rota.ByName, rota.Filter{Queue: "a"}); len(groups) != 1 || groups[0].Key != "load" {
		t.Errorf("by name, of a queue: %s", text(groups))
	}
	if groups := w.failures(t, rota.ByNode, rota.Filter{}); len(groups) != 1 || groups[0].Key != s.node || groups[0].Count != 5 {
		t.Errorf("by node: %s", text(groups))
	}
	if groups := w.failures(t, rota.ByUser, rota.Filter{}); len(groups) != 2 {
		t.Errorf("by user: %s", text(groups))
	}
	for _, key := range rota.FailureBys { // whatever they are grouped by, a filter leaves the same
		for want, f := range map[int]rota.Filter{1: {Submitter: "bob"}, 2: {Queue: "b"}, 3: {Name: "load"}, 5: {Node: s.node, States: []rota.State{rota.Failed}},
			4: {Tasks: []rota.Span{{First: 0, Last: last}}}, 0: {States: []rota.State{rota.Running}}} {
			n := 0
			for _, g := range w.failures(t, key, f) {
				n += g.Count
			}
			if n != want {
				t.Errorf("by %s, of %+v: %d, want %d", key, f, n, want)
			}
		}
	}
	_, err := w.Failures(w.ctx, rota.FailureQuery{By: "colour"})
	wantIs(t, "by what there is not", err, rota.ErrInvalid)
}

func failureActs(t *testing.T, w *world) {
	s := w.session(t)
	var broken, other []rota.TaskID
	for i := range 3 {
		broken = append(broken, w.fails(t, s, fmt.Sprintf("error: row %d is broken", i)))
		other = append(other, w.fails(t, s, "panic: nil"))
	}
	id := func(of rota.TaskID) string {
		for _, g := range w.failures(t, rota.ByError, rota.Filter{}) {
			if g.Task == of {
				return g.Key
			}
		}
		t.Fatalf("task %v is no failure", of)
		return ""
	}
	b, o := id(broken[2]), id(other[2])
	if n := len(must(w.Jobs(w.ctx, rota.JobQuery{Filter: rota.Filter{Error: b}}))); n != 3 {
		t.Errorf("%d jobs have that error", n)
	}
	if op := w.operate(t, rota.ActRetry, rota.Filter{Error: b}); op.Done != 3 {
		t.Errorf("retried %+v", op)
	}
	for _, id := range broken {
		w.wantState(t, id, rota.Ready)
	}
	if op := w.operate(t, rota.ActDismiss, rota.Filter{Error: o}); op.Done != 3 {
		t.Errorf("dismissed %+v", op)
	}
	w.wantState(t, other[0], rota.Failed)
	if groups := w.failures(t, rota.ByError, rota.Filter{}); len(groups) != 0 {
		t.Errorf("left: %s", text(groups))
	}
	w.verify(t)
	w.fails(t, s, "error: row 8 is broken")
	w.operate(t, rota.ActRemove, rota.Filter{States: []rota.State{rota.Failed}})
	for range 2 { // as soon as they are removed, and when they are gone
		for _, key := range rota.FailureBys {
			if groups := w.failures(t, key, rota.Filter{}); len(groups) != 0 {
				t.Errorf("of removed jobs, by %s: %s", key, text(groups))
			}
		}
		w.sweepAll(t, rota.SweepPrune)
	}
}

func usageSums(t *testing.T, w *world) {
	s := w.session(t)
	since := w.clock.Now()
	run := func(o rota.Outcome, changes ...func(*rota.NewJob)) {
		w.one(t, changes...)
		w.clock.Advance(10 * time.Second)
		a := s.claim(t, 1)[0]
		f := end(a.Try, o)
		f.StartedAgo, f.EndedAgo = rota.Duration(4*time.Second), rota.Duration(time.Second)
		f.CPUUser, f.CPUSystem = rota.Duration(2*time.Second), rota.Duration(time.Second)
		w.clock.Advance(5 * time.Second)
		s.finish(t, f)
	}
	run(rota.OutcomeSucceeded, queue("a"))
	run(rota.OutcomeFailed, queue("a"), retries(0))
	run(rota.OutcomeFailed, queue("a"), by("bob"), retries(1))
	s.claim(t, 0)
	w.sweepAll(t, rota.SweepPromote)
	rows, err := w.Usage(w.ctx, rota.UsageQuery{By: []rota.By{rota.ByUser, rota.ByQueue}, Since: since})
	if err != nil || len(rows) != 2 || rows[0].Attempts != 2 || rows[0].Succeeded != 1 || rows[0].Failed != 1 || rows[0].CPU != rota.Duration(6*time.Second) ||
		rows[0].Ran != rota.Duration(6*time.Second) || rows[0].Waited != rota.Duration(10*time.Second) || rows[0].Keys[1] != "a" {
		t.Errorf("by user and queue: %s, %v", text(rows), err)
	}
	if len(rows) == 2 && (rows[1].Keys[0] != "bob" || rows[1].Retried != 1 || rows[1].Attempts != 1) {
		t.Errorf("of one that is tried again: %s", text(rows[1]))
	}
	// Once it has been tried again, both of its attempts count.
	w.settle(t)
	for _, a := range s.claim(t, 9) {
		f := end(a.Try, rota.OutcomeSucceeded)
		f.StartedAgo, f.CPUUser = rota.Duration(time.Second), rota.Duration(time.Second)
		s.finish(t, f)
	}
	rows, err = w.Usage(w.ctx, rota.UsageQuery{By: []rota.By{rota.ByQueue}, Since: since})
	if err != nil || len(rows) != 1 || rows[0].Attempts != 4 || rows[0].Succeeded != 2 || rows[0].Retried != 1 || rows[0].Waits != 3 || rows[0].CPU != rota.Duration(10*time.Second) {
		t.Errorf("in all: %s, %v", text(rows), err)
	}
	rows, err = w.Usage(w.ctx, rota.UsageQuery{By: []rota.By{rota.ByQueue}, Since: w.clock.Now().Add(time.Second)})
	if err != nil || len(rows) != 0 {
		t.Errorf("since now: %s, %v", text(rows), err)
	}
}
