package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testFinish(s suite) {
	s.test("P6_a_refused_finish_among_good_ones", finishPerItem)
	s.test("P1_times_are_of_the_store_clock", finishTimes)
	s.test("an_end_is_kept_as_it_was_told", finishKeeps)
	s.test("attempts_are_kept_oldest_first", finishHistory)
	s.test("I5_an_old_attempt_writes_nothing", finishOld)
	s.test("I5_another_session_finishes_nothing", finishForeign)
	s.test("P14_small_output_comes_with_the_finish", finishOutput)
}

func finishPerItem(t *testing.T, w *world) {
	w.submit(t, job(array("1-3")))
	waiting := w.one(t, held)
	s := w.session(t)
	got := s.claim(t, 3)
	bad := []rota.Finish{end(rota.Try{Task: got[2].Task, Attempt: 2}, rota.OutcomeSucceeded), end(rota.Try{Task: rota.PlainTask(999), Attempt: 1}, rota.OutcomeSucceeded),
		end(rota.Try{Task: waiting, Attempt: 1}, rota.OutcomeSucceeded), end(rota.Try{Task: waiting, Attempt: 0}, rota.OutcomeSucceeded)}
	all := append([]rota.Finish{end(got[0].Try, rota.OutcomeSucceeded)}, bad...)
	all = append(all, end(got[1].Try, rota.OutcomeFailed))
	x := s.exchange(t, rota.Claim{}, all...)
	if len(x.Refused) != len(bad) {
		t.Fatalf("refused %+v", x.Refused)
	}
	for i, r := range x.Refused {
		if r.Try != bad[i].Try || r.Why == "" {
			t.Errorf("refused %+v, want %v with a reason", r, bad[i].Try)
		}
	}
	w.wantState(t, got[0].Task, rota.Succeeded)
	w.wantState(t, got[1].Task, rota.Failed)
	w.wantState(t, got[2].Task, rota.Running)
	w.wantState(t, waiting, rota.Held)
	w.verify(t)
}

func finishTimes(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	claimed := w.clock.Now()
	try := s.claimOne(t, id)
	w.clock.Advance(time.Minute)
	f := end(try, rota.OutcomeSucceeded)
	f.StartedAgo, f.EndedAgo = rota.Duration(50*time.Second), rota.Duration(1500*time.Millisecond)
	s.finish(t, f)
	task, now := w.task(t, id), w.clock.Now()
	if !task.Claimed.Equal(claimed) || !task.Started.Equal(now.Add(-50*time.Second)) || !task.Ended.Equal(now.Add(-1500*time.Millisecond)) {
		t.Errorf("claimed %v, started %v, ended %v; the clock is at %v", task.Claimed, task.Started, task.Ended, now)
	}
	try = s.claimOne(t, w.one(t))
	f = end(try, rota.OutcomeRefused)
	f.StartedAgo, f.EndedAgo = 0, 0
	s.finish(t, f)
	if task := w.task(t, try.Task); !task.Started.IsZero() || !task.Ended.Equal(now) {
		t.Errorf("an attempt that never started: started %v, ended %v", task.Started, task.Ended)
	}
}

func finishKeeps(t *testing.T, w *world) {
	s := w.session(t)
	code, size := 137, int64(12)
	for _, f := range []rota.Finish{
		{Outcome: rota.OutcomeSucceeded, Exit: new(int), Usage: rota.Usage{CPUUser: rota.Duration(1500 * time.Millisecond), CPUSystem: rota.Duration(time.Millisecond), MaxRSS: 5 << 30,
			Memory: 6 << 30, IORead: 7 << 30, IOWrite: 8 << 30}, Written: written(0, 5<<30)},
		{Outcome: rota.OutcomeFailed, Exit: &code, Reason: "exit 137: \"ü\"", Written: rota.Written{Stderr: new(int64)}},
		{Outcome: rota.OutcomeSucceeded, Exit: new(int), Written: rota.Written{Stdout: &size}},
		{Outcome: rota.OutcomeFailed, Signal: 9, Reason: "killed by a signal"},
		{Outcome: rota.OutcomeTimedOut, Signal: 15, Reason: "timed out"},
		{Outcome: rota.OutcomeRefused, Reason: "no such file"},
		{Outcome: rota.OutcomeOutOfMemory, Signal: 9, Reason: "out of memory", Usage: rota.Usage{Memory: 1 << 40, IORead: 1}},
	} {
		f.Try = s.claimOne(t, w.one(t))
		s.finish(t, f)
		wantAttempt(t, w.task(t, f.Task).Attempt, f, s)
	}
	w.verify(t)
}

func wantAttempt(t tb, got rota.Attempt, f rota.Finish, s *session) {
	t.Helper()
	if got.Number != f.Attempt || got.Outcome != f.Outcome || got.Signal != f.Signal || got.Reason != f.Reason || got.Usage != f.Usage ||
		got.Node != s.node || text(got.Exit) != text(f.Exit) || text(got.Written) != text(f.Written) {
		t.Errorf("kept as %s, was told as %s", text(got), text(f))
	}
}

func written(stdout, stderr int64) rota.Written {
	return rota.Written{Stdout: &stdout, Stderr: &stderr}
}

func finishHistory(t *testing.T, w *world) {
	id := w.one(t, retries(5))
	a, b := w.session(t), w.session(t)
	var told []rota.Finish
	var who []*session
	for i, o := range []rota.Outcome{rota.OutcomeFailed, rota.OutcomeReturned, rota.OutcomeTimedOut, rota.OutcomeSucceeded} {
		s := []*session{a, b}[i%2]
		_, earlier := w.history(t, id)
		if len(earlier) != max(0, i-1) {
			t.Fatalf("before attempt %d there are %d earlier ones: the latest stands in the task", i+1, len(earlier))
		}
		f := end(s.claimOne(t, id), o)
		if f.Attempt != i+1 {
			t.Fatalf("attempt %d is numbered %d", i+1, f.Attempt)
		}
		f.MaxRSS, f.Written = int64(1000+i), written(int64(i), int64(10*i))
		s.finish(t, f)
		told, who = append(told, f), append(who, s)
		w.clock.Advance(time.Hour)
		w.settle(t)
	}
	task, earlier := w.history(t, id)
	if all := append(slices.Clone(earlier), task.Attempt); len(all) != len(told) {
		t.Errorf("%d attempts are kept of %d", len(all), len(told))
	} else {
		for i, got := range all {
			wantAttempt(t, got, told[i], who[i])
		}
	}
	if earlier[0].Claimed.IsZero() || !earlier[0].Claimed.Before(earlier[1].Claimed) || earlier[0].Ended.IsZero() {
		t.Errorf("times of the earlier attempts: %+v", earlier)
	}
	w.verify(t)
}

func finishOld(t *testing.T, w *world) {
	id := w.one(t, retries(3))
	s := w.session(t)
	first := s.claimOne(t, id)
	s.finish(t, end(first, rota.OutcomeReturned))
	second := s.claimOne(t, id)
	if second.Attempt != 2 {
		t.Fatalf("the attempt after a give-back is %v", second)
	}
	s.refused(t, end(first, rota.OutcomeSucceeded))
	w.wantState(t, id, rota.Running)
	s.finish(t, end(second, rota.OutcomeSucceeded))
	s.refused(t, end(first, rota.OutcomeFailed))
	if task := w.wantState(t, id, rota.Succeeded); task.Number != 2 {
		t.Errorf("the task stands at attempt %d", task.Number)
	}
	w.verify(t)
}

func finishForeign(t *testing.T, w *world) {
	id := w.one(t)
	owner, other := w.session(t), w.session(t)
	try := owner.claimOne(t, id)
	other.refused(t, end(try, rota.OutcomeSucceeded))
	w.wantState(t, id, rota.Running)
	owner.finish(t, end(try, rota.OutcomeFailed))
	w.wantState(t, id, rota.Failed)
	w.verify(t)
}

func finishOutput(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	f := end(s.claimOne(t, id), rota.OutcomeFailed)
	f.Output = []rota.Chunk{{Stream: rota.Stdout, Total: 3, Data: []byte("a\x00\xff")}, {Stream: rota.Stderr, Total: 4, Data: []byte("oh\n!")}}
	s.finish(t, f)
	for stream, want := range map[rota.Stream]string{rota.Stdout: "a\x00\xff", rota.Stderr: "oh\n!"} {
		o, err := w.Output(w.ctx, rota.OutputQuery{Task: id, Stream: stream})
		if err != nil || string(o.Data) != want || o.Size != int64(len(want)) || !o.Ended || o.Attempt != 1 || o.Cut != 0 || o.Offset != 0 {
			t.Errorf("%s: %+v, %v; want %q", stream, o, err, want)
		}
	}
}
