package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testSamples(s suite) {
	s.test("D6_an_attempts_samples_are_kept_as_they_came", samplesKept)
	s.test("D6_each_attempt_has_its_own", samplesApart)
	s.test("D6_samples_of_what_the_session_does_not_hold_are_passed_over", samplesOfOthers)
	s.test("D6_a_long_attempt_keeps_a_bounded_series", samplesCapped)
	s.test("D6_a_clock_that_was_set_back_leaves_nothing_ahead", samplesBack)
	s.test("D6_samples_go_with_their_job", samplesPruned)
	s.test("D6_what_has_no_samples_is_told_from_what_is_not_there", samplesMissing)
	s.test("D6_a_nodes_samples_are_kept_as_they_came", nodeSamplesKept)
	s.test("D6_a_nodes_samples_thin_out_with_age", nodeSamplesThin)
	s.test("D13_what_the_queues_held_is_kept_for_a_week", storeSamplesKept)
	s.test("D6_P18_samples_that_nobody_thinned_for_long_go_in_steps", nodeSamplesMany)
}

// renew renews with samples, after a time.
func (s *session) renew(t tb, in time.Duration, machine *rota.NodeSample, samples ...rota.TrySample) {
	t.Helper()
	s.w.clock.Advance(in)
	r, err := s.w.Renew(s.w.ctx, []rota.Renewal{{Session: s.id, State: rota.NodeUp, Seq: s.seq, Samples: samples, Machine: machine}})
	if err != nil || r[0].Err != nil {
		t.Fatalf("renew: %+v, %v", r, err)
	}
}

// used is the nth sample of an attempt.
func used(try rota.Try, n int) rota.TrySample {
	return rota.TrySample{Try: try, Sample: rota.Sample{Memory: int64(n%7) << 20, CPU: rota.Duration(time.Duration(n) * 1500 * time.Millisecond), Processes: 1 + n%3}}
}

// point is the nth sample as it is kept.
func point(at time.Time, n int) rota.Point {
	return rota.Point{At: at, Sample: used(rota.Try{}, n).Sample}
}

func (w *world) series(t tb, task rota.TaskID, attempt int) rota.Series {
	t.Helper()
	s, err := w.Samples(w.ctx, task, attempt)
	if err != nil {
		t.Fatalf("samples of attempt %d of %v: %v", attempt, task, err)
	}
	for i, p := range s.Points {
		if i > 0 && !p.At.After(s.Points[i-1].At) {
			t.Errorf("point %d is of %v, after one of %v", i, p.At, s.Points[i-1].At)
		}
	}
	if len(s.Points) > rota.MaxPoints {
		t.Errorf("%d points", len(s.Points))
	}
	return s
}

func samplesKept(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	try := s.claimOne(t, id)
	if got := w.series(t, id, 0); got.Attempt != 1 || len(got.Points) != 0 {
		t.Errorf("at first: %+v", got)
	}
	var want []rota.Point
	for n := range 20 {
		s.renew(t, rota.SampleEvery, nil, used(try, n))
		want = append(want, point(w.clock.Now(), n))
	}
	s.renew(t, 0, nil) // one without
	w.reopen(t)
	if got := w.series(t, id, 0); got.Attempt != 1 || got.Step.D() != rota.SampleEvery || !slices.Equal(got.Points, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	// One that comes sooner than the step gives way to the next.
	for n := range 3 {
		s.renew(t, rota.SampleEvery/4, nil, used(try, 20+n))
	}
	if got := w.series(t, id, 1).Points; len(got) != 21 || got[20] != point(w.clock.Now(), 22) {
		t.Errorf("%d points, the last %+v", len(got), got[len(got)-1])
	}
	s.finish(t, end(try, rota.OutcomeSucceeded))
	if got := w.series(t, id, 1).Points; len(got) != 21 {
		t.Errorf("%d points when it has ended", len(got))
	}
	w.verify(t)
}

func samplesApart(t *testing.T, w *world) {
	a, b := w.one(t, retries(1)), w.one(t)
	s := w.session(t)
	tries := tries(s.claim(t, 2))
	s.renew(t, rota.SampleEvery, nil, used(tries[1], 8), used(tries[0], 1))
	s.finish(t, end(tries[0], rota.OutcomeFailed))
	w.clock.Advance(time.Hour)
	w.settle(t)
	again := s.claimOne(t, a)
	s.renew(t, rota.SampleEvery, nil, used(again, 2), used(again, 3), used(tries[1], 9))
	for _, c := range []struct {
		task    rota.TaskID
		attempt int
		want    []rota.Sample
	}{
		{a, 1, []rota.Sample{used(again, 1).Sample}}, {a, 2, []rota.Sample{used(again, 3).Sample}}, {a, 0, []rota.Sample{used(again, 3).Sample}},
		{b, 0, []rota.Sample{used(again, 8).Sample, used(again, 9).Sample}},
	} {
		var got []rota.Sample
		for _, p := range w.series(t, c.task, c.attempt).Points {
			got = append(got, p.Sample)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("attempt %d of %v: %+v, want %+v", c.attempt, c.task, got, c.want)
		}
	}
}

func samplesOfOthers(t *testing.T, w *world) {
	mine, others, waiting := w.one(t), w.one(t), w.one(t)
	s, other := w.session(t), w.session(t)
	x, y := s.claim(t, 1)[0].Try, other.claim(t, 1)[0].Try
	if x.Task != mine || y.Task != others {
		t.Fatalf("claimed %v, %v", x, y)
	}
	s.renew(t, rota.SampleEvery, nil, used(y, 1), used(rota.Try{Task: mine, Attempt: 2}, 1), used(rota.Try{Task: waiting, Attempt: 1}, 1),
		used(rota.Try{Task: rota.PlainTask(4711), Attempt: 1}, 1))
	s.finish(t, end(x, rota.OutcomeSucceeded))
	s.renew(t, rota.SampleEvery, nil, used(x, 2)) // the node has not heard of it yet
	for _, id := range []rota.TaskID{mine, others} {
		if got := w.series(t, id, 0); len(got.Points) != 0 {
			t.Errorf("samples of %v: %+v", id, got)
		}
	}
	lost := w.sessionOf(t, other.node, true, y)
	r, err := w.Renew(w.ctx, []rota.Renewal{{Session: other.id, Samples: []rota.TrySample{used(y, 3)}, Machine: &rota.NodeSample{Slots: 1}}})
	if err != nil || r[0].Err == nil {
		t.Errorf("a lost session renews: %+v, %v", r, err)
	}
	if got := w.series(t, others, 1); len(got.Points) != 0 {
		t.Errorf("a lost session's samples: %+v", got)
	}
	if got, err := w.NodeSamples(w.ctx, lost.node, time.Time{}); err != nil || len(got) != 0 {
		t.Errorf("a lost session's node: %+v, %v", got, err)
	}
}

func samplesCapped(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	try := s.claimOne(t, id)
	start := w.clock.Now()
	for n := range 2100 {
		s.renew(t, rota.SampleEvery, nil, used(try, n))
		if n%97 != 0 {
			continue
		}
		got := w.series(t, id, 0)
		last := len(got.Points) - 1
		if got.Points[last] != point(w.clock.Now(), n) {
			t.Fatalf("after %d samples the last is %+v", n+1, got.Points[last])
		}
		for i := 2; i < last; i++ { // even all along, but for the newest
			if gap := got.Points[i].At.Sub(got.Points[i-1].At); gap != got.Step.D() {
				t.Fatalf("after %d samples, a step of %v: points %d and %d are %v apart", n+1, got.Step, i-1, i, gap)
			}
		}
		if n > rota.MaxPoints && len(got.Points) < rota.MaxPoints/2 {
			t.Fatalf("after %d samples only %d points", n+1, len(got.Points))
		}
	}
	if got := w.series(t, id, 0); got.Points[0].At.Sub(start) > rota.SampleEvery {
		t.Errorf("the first point is of %v, %v after the start", got.Points[0].At, got.Points[0].At.Sub(start))
	}
}

func samplesBack(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	try := s.claimOne(t, id)
	for n := range 4 {
		s.renew(t, rota.SampleEvery, &rota.NodeSample{Slots: n}, used(try, n))
	}
	s.renew(t, -2*rota.SampleEvery-rota.SampleEvery/2, &rota.NodeSample{Slots: 9}, used(try, 9))
	if got := w.series(t, id, 0).Points; got[len(got)-1] != point(w.clock.Now(), 9) {
		t.Errorf("points %+v", got)
	}
	got, err := w.NodeSamples(w.ctx, s.node, time.Time{})
	if err != nil || len(got) != 2 || got[1].Slots != 9 {
		t.Errorf("node: %+v, %v", got, err)
	}
}

func samplesPruned(t *testing.T, w *world) {
	id, other := w.one(t), w.one(t)
	s := w.session(t)
	tries := tries(s.claim(t, 2))
	s.renew(t, rota.SampleEvery, nil, used(tries[0], 1), used(tries[1], 1))
	s.finish(t, end(tries[0], rota.OutcomeSucceeded))
	w.clock.Advance(time.Hour)
	w.prune(t, rota.Retention{Age: rota.Duration(time.Minute)})
	_, err := w.Samples(w.ctx, id, 1)
	wantIs(t, "samples of a pruned job", err, rota.ErrNotFound)
	if got := w.series(t, other, 0); len(got.Points) != 1 {
		t.Errorf("samples of what runs on: %+v", got)
	}
	w.verify(t)
}

func samplesMissing(t *testing.T, w *world) {
	id, many := w.one(t), w.submit(t, job(array("1-2")))[0]
	if got := w.series(t, id, 0); got.Attempt != 0 || len(got.Points) != 0 {
		t.Errorf("before it was tried: %+v", got)
	}
	for what, task := range map[string]rota.TaskID{"no such job": rota.PlainTask(4711), "a job of many": rota.PlainTask(many), "no such element": rota.Element(many, 3)} {
		_, err := w.Samples(w.ctx, task, 0)
		wantIs(t, what, err, rota.ErrNotFound)
	}
	_, err := w.Samples(w.ctx, id, 1)
	wantIs(t, "an attempt that was not made", err, rota.ErrNotFound)
	_, err = w.NodeSamples(w.ctx, "nowhere", time.Time{})
	wantIs(t, "a node that is not there", err, rota.ErrNotFound)
}

func nodeSamplesKept(t *testing.T, w *world) {
	a, b := w.session(t), w.session(t)
	if n := w.node(t, a.node); n.Sample != nil {
		t.Errorf("at first: %+v", n.Sample)
	}
	x := rota.NodeSample{Load1: 1.25, CPUs: 2, MemoryUsed: 3 << 30, MemoryTotal: 4 << 30, DiskFree: 5 << 40, DiskTotal: 6 << 40, Slots: 7, Running: 3}
	a.renew(t, time.Minute, &x)
	first := w.clock.Now()
	y := x
	y.Running, y.Load1, y.At = 0, 0, first.Add(time.Hour) // its own time counts for nothing
	a.renew(t, time.Minute, &y)
	b.renew(t, 0, &rota.NodeSample{Slots: 1})
	x.At, y.At = first, w.clock.Now()
	w.reopen(t)
	got, err := w.NodeSamples(w.ctx, a.node, time.Time{})
	if err != nil || !slices.Equal(got, []rota.NodeSample{x, y}) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, []rota.NodeSample{x, y})
	}
	got, err = w.NodeSamples(w.ctx, a.node, first.Add(time.Second))
	if err != nil || !slices.Equal(got, []rota.NodeSample{y}) {
		t.Errorf("since a second later: %+v, %v", got, err)
	}
	if n := w.node(t, a.node); n.Sample == nil || *n.Sample != y {
		t.Errorf("the node's latest: %+v", n.Sample)
	}
	again := a.opening(false) // what a node says of itself does not come in another way
	again.Node.Sample = &rota.NodeSample{Slots: 99}
	if _, err := w.OpenSession(w.ctx, again); err != nil {
		t.Fatal(err)
	}
	if n := w.node(t, a.node); n.Sample == nil || *n.Sample != y {
		t.Errorf("the node's latest when it opens again: %+v", n.Sample)
	}
}

// nodeSamplesThin has a node tell of itself every ten seconds for hours, and every minute for days, with upkeep now and
// then: what is kept depends on the samples' times alone.
func nodeSamplesThin(t *testing.T, w *world) {
	s := w.session(t)
	for range 1500 {
		s.renew(t, 10*time.Second, &rota.NodeSample{Slots: 1})
		if w.clock.Now().Unix()%70 == 0 {
			w.prune(t, rota.Retention{})
		}
	}
	for range 30 * 60 {
		s.renew(t, time.Minute, &rota.NodeSample{Slots: 1})
	}
	for range 5 {
		s.renew(t, 29*time.Hour, &rota.NodeSample{Slots: 1})
		w.prune(t, rota.Retention{})
	}
	w.reopen(t)
	wantThin(t, w, s.node, 5)
	for range 200 {
		s.renew(t, 10*time.Second, &rota.NodeSample{Slots: 1})
	}
	s.renew(t, 0, &rota.NodeSample{Slots: 2}) // in the same moment: in place of the one before
	w.prune(t, rota.Retention{})
	wantThin(t, w, s.node, 200)
	w.clock.Advance(8 * 24 * time.Hour)
	w.prune(t, rota.Retention{})
	if got, err := w.NodeSamples(w.ctx, s.node, time.Time{}); err != nil || len(got) != 0 {
		t.Errorf("a week after the last: %d, %v", len(got), err)
	}
}

// wantThin checks that a node's samples are as far apart as their age wants it.
func wantThin(t tb, w *world, node string, least int) {
	t.Helper()
	got, err := w.NodeSamples(w.ctx, node, time.Time{})
	if err != nil || len(got) < least {
		t.Fatalf("%d samples, %v", len(got), err)
	}
	for _, span := range rota.NodeSpans {
		for i, x := range got {
			switch old := w.clock.Now().Sub(x.At) > span.Age+span.Step; {
			case !old:
			case span.Step == 0:
				t.Errorf("one of %v is still there", x.At)
			case i > 0 && got[i-1].At.Truncate(span.Step).Equal(x.At.Truncate(span.Step)):
				t.Errorf("two within %v: %v and %v", span.Step, got[i-1].At, x.At)
			}
		}
	}
}

func nodeSamplesMany(t *testing.T, w *world) {
	a, b := w.session(t), w.session(t)
	for range 2700 {
		w.clock.Advance(10 * time.Second)
		r, err := w.Renew(w.ctx, []rota.Renewal{{Session: a.id, Machine: &rota.NodeSample{Slots: 1}}, {Session: b.id, Machine: &rota.NodeSample{Slots: 2}}})
		if err != nil || r[0].Err != nil || r[1].Err != nil {
			t.Fatalf("renew: %+v, %v", r, err)
		}
	}
	w.prune(t, rota.Retention{}) // checks each step
	for _, node := range []string{a.node, b.node} {
		wantThin(t, w, node, 360)
		got, err := w.NodeSamples(w.ctx, node, w.clock.Now().Add(-time.Hour+time.Minute))
		if err != nil || len(got) < 350 {
			t.Errorf("of the last hour %d are left, %v", len(got), err)
		}
	}
}

// storeSamplesKept has two servers tell what the queues hold, every minute for more than a week.
func storeSamplesKept(t *testing.T, w *world) {
	keep := func(x rota.StoreSample) {
		t.Helper()
		if err := w.KeepStoreSample(w.ctx, x); err != nil {
			t.Fatal(err)
		}
	}
	all := func() []rota.StoreSample {
		t.Helper()
		got, err := w.StoreSamples(w.ctx, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	x := rota.StoreSample{At: w.clock.Now().Add(time.Hour), Waiting: 1, Running: 2, Ended: 30, Failed: 4, Oldest: rota.Duration(90 * time.Second)}
	first := w.clock.Now()
	keep(x)
	x.At = first // its own time counts for nothing
	w.clock.Advance(20 * time.Second)
	keep(rota.StoreSample{Waiting: 99}) // the other server's, of the same minute
	if got := all(); !slices.Equal(got, []rota.StoreSample{x}) {
		t.Errorf("got %+v\nwant %+v", got, x)
	}
	w.clock.Advance(40 * time.Second)
	keep(rota.StoreSample{Waiting: 5})
	second := w.clock.Now()
	got, err := w.StoreSamples(w.ctx, first.Add(time.Microsecond))
	if err != nil || !slices.Equal(got, []rota.StoreSample{{At: second, Waiting: 5}}) {
		t.Errorf("since the first: %+v, %v", got, err)
	}
	w.clock.Advance(rota.StoreSamplesFor - 30*time.Second)
	keep(rota.StoreSample{Waiting: 6})
	w.reopen(t)
	if got := all(); len(got) != 2 || got[0].Waiting != 5 || got[1].Waiting != 6 {
		t.Errorf("a week later: %+v", got)
	}
	w.clock.Advance(-time.Hour) // set back: nothing is left ahead
	keep(rota.StoreSample{Waiting: 7})
	if got := all(); len(got) != 2 || got[0].Waiting != 5 || got[1].Waiting != 7 {
		t.Errorf("set back: %+v", got)
	}
}
