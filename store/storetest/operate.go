package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testOperate(s suite) {
	s.test("P18_every_act_on_every_state_makes_a_move_of_the_table", operateMoves)
	s.test("P18_an_act_on_a_job_and_on_a_filter", operateFilters)
	s.test("P18_an_operation_can_be_read", operateRead)
	s.test("P18_a_dry_run_counts_and_changes_nothing", operateDry)
	s.test("P7_a_retry_by_hand_gives_one_more_attempt", operateRetry)
	s.test("release_puts_a_task_where_it_belongs", operateRelease)
	s.test("an_act_that_there_is_not_is_refused", operateUnknown)
}

// inState makes a task that stands in a state.
func (w *world) inState(t tb, s *session, state rota.State) rota.TaskID {
	t.Helper()
	finished := func(o rota.Outcome) rota.TaskID {
		q := w.name("q")
		id := w.one(t, queue(q))
		s.finish(t, end(s.claim(t, 1, q)[0].Try, o))
		return id
	}
	switch state {
	case rota.Blocked:
		return w.one(t, after(rota.AfterAny, w.one(t, queue("others"), held).Job()))
	case rota.Scheduled: // for a retry
		q := w.name("q")
		id := w.one(t, queue(q), retries(1))
		f := end(s.claim(t, 1, q)[0].Try, rota.OutcomeFailed)
		f.RetryIn = rota.Duration(time.Hour)
		s.finish(t, f)
		return id
	case rota.Held:
		return w.one(t, held)
	case rota.Running:
		q := w.name("q")
		id := w.one(t, queue(q))
		s.claim(t, 1, q)
		return id
	case rota.Succeeded:
		return finished(rota.OutcomeSucceeded)
	case rota.Failed:
		return finished(rota.OutcomeFailed)
	case rota.Cancelled:
		return finished(rota.OutcomeEnded)
	}
	return w.one(t)
}

// moved is where an act takes a task from a state, or the state itself.
func moved(from rota.State, act rota.Act) rota.State {
	switch {
	case act == rota.ActRelease && slices.Contains(rota.Sources(rota.VerbRelease), from):
		return rota.Ready // it waits for nothing else
	case act == rota.ActRetry && slices.Contains(rota.Sources(rota.VerbRetry), from):
		return rota.Ready
	case act == rota.ActHold && slices.Contains(rota.Sources(rota.VerbHold), from):
		return rota.Held
	case (act == rota.ActCancel || act == rota.ActKill) && slices.Contains(rota.Sources(rota.VerbCancel), from):
		return rota.Cancelled
	}
	return from
}

func operateMoves(t *testing.T, w *world) {
	s := w.session(t)
	for _, act := range []rota.Act{rota.ActCancel, rota.ActKill, rota.ActHold, rota.ActRelease, rota.ActRetry} {
		for _, from := range rota.States {
			id := w.inState(t, s, from)
			w.wantState(t, id, from)
			op := w.operate(t, act, only(id))
			task, want := w.task(t, id), moved(from, act)
			if task.State != want {
				t.Errorf("%s of a task that is %v makes it %v, want %v", act, from, task.State, want)
			}
			asks := from == rota.Running && act.Verb() == rota.VerbCancel
			if n := map[bool]int{true: 1}[want != from || asks]; op.Matched != n || op.Done != n {
				t.Errorf("%s of a task that is %v: matched %d, done %d; want %d", act, from, op.Matched, op.Done, n)
			}
			if asked := task.Ending != ""; asked != asks {
				t.Errorf("%s of a task that is %v: ending %q", act, from, task.Ending)
			}
			if j := w.job(t, id.Job()); j.Progress.Ended() != want.Ended() || j.Ended.IsZero() == want.Ended() {
				t.Errorf("%s of a task that is %v: the job ended at %v, %+v", act, from, j.Ended, j.Progress)
			}
		}
	}
	w.verify(t)
}

func operateFilters(t *testing.T, w *world) {
	label := func(j *rota.NewJob) { j.Spec.Labels = map[string]string{"team": "x"} }
	parent := w.one(t, queue("parents"))
	for name, c := range map[string]struct {
		change func(*rota.NewJob)
		filter func(rota.JobID) rota.Filter
		want   int
	}{
		"job": {array("1-5"), func(j rota.JobID) rota.Filter { return whole(j) }, 5},
		"part": {array("1-5"), func(j rota.JobID) rota.Filter {
			return rota.Filter{Tasks: []rota.Span{{First: rota.Element(j, 2), Last: rota.Element(j, 3)}}}
		}, 2},
		"queue":     {queue("q"), func(rota.JobID) rota.Filter { return rota.Filter{Queue: "q"} }, 1},
		"name":      {named("train-1"), func(rota.JobID) rota.Filter { return rota.Filter{Name: "train*"} }, 1},
		"label":     {label, func(rota.JobID) rota.Filter { return rota.Filter{Labels: map[string]string{"team": "x"}} }, 1},
		"submitter": {by("bob"), func(rota.JobID) rota.Filter { return rota.Filter{Submitter: "bob"} }, 1},
		"schedule":  {func(j *rota.NewJob) { j.Schedule = "s" }, func(rota.JobID) rota.Filter { return rota.Filter{Schedule: "s"} }, 1},
		"parent":    {func(j *rota.NewJob) { j.Parent = parent }, func(rota.JobID) rota.Filter { return rota.Filter{Parent: parent} }, 1},
		"state":     {held, func(rota.JobID) rota.Filter { return rota.Filter{States: []rota.State{rota.Held}} }, 1},
		"twice": {array("1-5"), func(j rota.JobID) rota.Filter {
			return rota.Filter{Tasks: []rota.Span{{First: rota.Element(j, 4), Last: rota.Element(j, 5)}, rota.SpanOf(j), {First: rota.Element(j, 1), Last: rota.Element(j, 2)}}}
		}, 5},
		"nothing": {queue("q2"), func(rota.JobID) rota.Filter { return rota.Filter{Queue: "q3"} }, 0},
	} {
		other := w.one(t)
		id := w.submit(t, job(c.change))[0]
		op := w.operate(t, rota.ActCancel, c.filter(id))
		if op.Matched != c.want || op.Done != c.want {
			t.Errorf("%s: matched %d, done %d, want %d", name, op.Matched, op.Done, c.want)
		}
		if p := w.job(t, id).Progress; p.Cancelled != c.want {
			t.Errorf("%s: %+v", name, p)
		}
		w.wantState(t, other, rota.Ready)
		w.wantState(t, parent, rota.Ready)
		w.operate(t, rota.ActCancel, whole(id))
	}
	all := len(w.all(t, rota.Filter{States: []rota.State{rota.Ready}}))
	if op := w.operate(t, rota.ActCancel, rota.Filter{}); op.Done != all {
		t.Errorf("everything: done %d of %d", op.Done, all)
	}
	w.verify(t)
}

func operateRead(t *testing.T, w *world) {
	id := w.submit(t, job(manyTasks()))[0]
	small, err := w.Operate(w.ctx, rota.Operation{Act: rota.ActHold, Filter: only(rota.Element(id, 1), rota.Element(id, 1)), By: "bob"})
	if err != nil || !small.Ended || small.Matched != 1 || small.Done != 1 || !small.At.Equal(w.clock.Now()) || small.Upper < rota.Element(id, 1) {
		t.Errorf("a small operation: %+v, %v", small, err)
	}
	asked := rota.Operation{Act: rota.ActHold, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(id)}, States: []rota.State{rota.Ready}}, By: "bob", Reason: "because"}
	op, err := w.Operate(w.ctx, asked)
	if err != nil || op.Ended || op.ID < 1 || op.ID == small.ID {
		t.Fatalf("a large operation: %+v, %v", op, err)
	}
	w.reopen(t)
	got, err := w.Operation(w.ctx, op.ID)
	if err != nil || text(got) != text(op) {
		t.Errorf("read %s, %v; want %s", text(got), err, text(op))
	}
	if got.By != "bob" || got.Reason != "because" || got.Act != rota.ActHold || got.Upper < rota.Element(id, many()) {
		t.Errorf("read %+v", got)
	}
	w.settle(t)
	if got, err = w.Operation(w.ctx, op.ID); err != nil || !got.Ended || got.Done != many()-1 {
		t.Errorf("in the end: %+v, %v", got, err)
	}
	_, err = w.Operation(w.ctx, 999)
	wantIs(t, "no operation", err, rota.ErrNotFound)
}

func operateDry(t *testing.T, w *world) {
	id := w.submit(t, job(array("1-12000")))[0]
	few := w.submit(t, job(array("1-7"), queue("few")))[0]
	for _, act := range []rota.Act{rota.ActCancel, rota.ActHold, rota.ActKill} {
		for f, want := range map[rota.JobID]int{id: rota.CountCap, few: 7} {
			op, err := w.Operate(w.ctx, rota.Operation{Act: act, Filter: whole(f), DryRun: true})
			if err != nil || op.Matched != want || op.Done != 0 || !op.DryRun {
				t.Errorf("%s of job %v: %+v, %v; want %d matched", act, f, op, err, want)
			}
		}
	}
	if op, err := w.Operate(w.ctx, rota.Operation{Act: rota.ActRetry, DryRun: true}); err != nil || op.Matched != 0 {
		t.Errorf("retry: %+v, %v", op, err)
	}
	w.settle(t)
	if p := w.job(t, id).Progress; p.Ready != 12_000 {
		t.Errorf("after dry runs: %+v", p)
	}
	w.verify(t)
}

func operateRetry(t *testing.T, w *world) {
	s := w.session(t)
	id := w.one(t, retries(1))
	for range 2 {
		s.finish(t, end(s.claimOne(t, id), rota.OutcomeFailed))
		w.settle(t)
	}
	w.wantState(t, id, rota.Failed)
	w.operate(t, rota.ActRetry, only(id))
	task := w.wantState(t, id, rota.Ready)
	if task.Limit <= 2 || task.Number != 2 {
		t.Errorf("attempt %d of %d after a retry by hand", task.Number, task.Limit)
	}
	if j := w.job(t, id.Job()); !j.Ended.IsZero() || j.Failed != 0 || j.Ready != 1 {
		t.Errorf("the job goes on: ended %v, %+v", j.Ended, j.Progress)
	}
	s.finish(t, end(s.claimOne(t, id), rota.OutcomeRefused))
	w.wantState(t, id, rota.Failed)
	w.operate(t, rota.ActRetry, only(id))
	try := s.claimOne(t, id)
	s.finish(t, end(try, rota.OutcomeSucceeded))
	if w.wantState(t, id, rota.Succeeded); try.Attempt != 4 {
		t.Errorf("attempt %d", try.Attempt)
	}
	if _, earlier := w.history(t, id); len(earlier) != 3 || earlier[2].Outcome != rota.OutcomeRefused {
		t.Errorf("earlier attempts %+v", earlier)
	}

	early := w.one(t, retries(1)) // one that waits for its next attempt goes now, and keeps its budget
	f := end(s.claimOne(t, early), rota.OutcomeFailed)
	f.RetryIn = rota.Duration(time.Hour)
	s.finish(t, f)
	w.operate(t, rota.ActRetry, only(early))
	if try := s.claimOne(t, early); try.Attempt != 2 {
		t.Errorf("attempt %d", try.Attempt)
	}
	w.verify(t)
}

func operateRelease(t *testing.T, w *world) {
	s := w.session(t)
	soon := w.clock.Now().Add(time.Hour)
	late, past := w.one(t, at(soon)), w.one(t, at(w.clock.Now().Add(time.Minute)))
	waiting := w.inState(t, s, rota.Blocked)
	all := only(late, past, waiting)
	if op := w.operate(t, rota.ActHold, all); op.Done != 3 {
		t.Errorf("held %d", op.Done)
	}
	w.clock.Advance(2 * time.Minute)
	w.settle(t)
	for _, id := range []rota.TaskID{late, past, waiting} {
		w.wantState(t, id, rota.Held)
	}
	w.operate(t, rota.ActRelease, all)
	w.settle(t)
	if task := w.wantState(t, late, rota.Scheduled); !task.RunAt.Equal(soon) {
		t.Errorf("runs at %v, want %v", task.RunAt, soon)
	}
	w.wantState(t, past, rota.Ready)
	w.wantState(t, waiting, rota.Blocked)
	w.verify(t)
}

func operateUnknown(t *testing.T, w *world) {
	id := w.one(t)
	for _, act := range []rota.Act{"", "explode"} {
		_, err := w.Operate(w.ctx, rota.Operation{Act: act})
		wantIs(t, "act "+string(act), err, rota.ErrInvalid)
	}
	w.wantState(t, id, rota.Ready)
}
