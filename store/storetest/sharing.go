package storetest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/rotaqueue/rota"
)

func testSharing(s suite) {
	s.test("D8_Z2_fifo_is_exact_whatever_the_priority", fifoExact)
	s.test("D8_P22_flows_share_by_weight", sharesByWeight)
	s.test("D8_P22_what_leaves_a_flow_leaves_no_gap", sharesWithoutGaps)
	s.test("D8_P22_a_task_is_ranked_when_it_becomes_ready", rankedWhenReady)
	s.test("D8_P22_settings_hold_for_what_waits", sharesAnew)
	s.test("D8_P22_flows_by_label_and_by_key", flowsByLabelAndKey)
	s.test("P16_D14_a_key_bounds_what_runs_in_all_queues", keyBounds)
	s.test("P16_D14_a_flow_has_so_many_places", flowBounds)
	s.test("P16_array_key_and_flow_bound_together", allBound)
	s.test("D8_D14_P16_P22_limits_and_shares_of_eight_nodes", limitsOfOneStore)
	s.test("P16_P22_gates_and_turns_hold_under_everything", sharingProperty)
}

func fifoExact(t *testing.T, w *world) {
	w.set(t, "q", rota.QueueChange{Discipline: ptr("fifo")})
	var want []rota.TaskID
	for i := range 20 {
		want = append(want, w.one(t, queue("q"), rank(int64(i*7%5))))
	}
	s := w.session(t)
	for len(want) > 0 {
		got := ids(s.claim(t, 3))
		for i, id := range got {
			if id != want[i] {
				t.Fatalf("claimed %v, want %v", got, want[:len(got)])
			}
		}
		want = want[len(got):]
	}
}

// fair makes a queue that is shared fairly.
func (w *world) fair(t tb, queue string, weights map[string]float64) {
	t.Helper()
	w.set(t, queue, rota.QueueChange{Discipline: ptr("sfq"), Flow: ptr(rota.FlowUser), Weights: weights})
}

// starts are those of claims, by who submitted the jobs.
type starts map[string]int

// claimFairly claims so many, one by one or several at once, and holds each two users who wait to their weights.
func (s *session) claimFairly(t tb, n, atOnce int, weights map[string]float64) starts {
	t.Helper()
	got := starts{}
	for n > 0 {
		claimed := s.claim(t, min(n, atOnce), "q")
		if len(claimed) == 0 {
			t.Fatalf("nothing to claim, and %d are wanted; so far %v", n, got)
		}
		n -= len(claimed)
		for _, a := range claimed {
			got[a.Submitter]++
			for x, wx := range weights {
				for y, wy := range weights {
					if d := float64(got[x])/wx - float64(got[y])/wy; d > 1/wx+1/wy+1e-6 {
						t.Fatalf("P22: %v: %s has had too much beside %s", got, x, y)
					}
				}
			}
		}
		s.finish(t, ends(claimed, rota.OutcomeSucceeded)...)
	}
	return got
}

func sharesByWeight(t *testing.T, w *world) {
	weights := map[string]float64{"ann": 1, "ben": 2, "cid": 0.5}
	w.fair(t, "q", weights)
	// One comes with an array, one with single jobs, one late.
	w.submit(t, job(queue("q"), by("ann"), array("1-200")))
	s := w.session(t)
	s.claimFairly(t, 20, 7, map[string]float64{"ann": 1})
	for range 300 {
		w.submitOnly(t, job(queue("q"), by("ben")))
	}
	w.submit(t, job(queue("q"), by("cid"), array("1-200")))
	got := s.claimFairly(t, 140, 9, weights)
	if got["ann"] < 38 || got["ben"] < 78 || got["cid"] < 18 {
		t.Errorf("of 140: %v", got)
	}
	w.verify(t)
}

func sharesWithoutGaps(t *testing.T, w *world) {
	weights := map[string]float64{"ann": 1, "ben": 1}
	w.fair(t, "q", nil)
	w.set(t, "other", rota.QueueChange{})
	s := w.session(t)
	a := w.submit(t, job(queue("q"), by("ann"), array("1-100")), job(queue("q"), by("ben"), array("1-100")), job(queue("q"), by("ann"), array("1-100")))
	s.claimFairly(t, 10, 1, weights)
	var some []rota.TaskID
	for i := 10; i < 60; i += 2 {
		some = append(some, rota.Element(a[0], i))
	}
	w.operate(t, rota.ActCancel, only(some...))
	s.claimFairly(t, 20, 4, weights)
	w.operate(t, rota.ActHold, only(rota.Element(a[1], 40), rota.Element(a[1], 41), rota.Element(a[1], 42)))
	s.claimFairly(t, 20, 4, weights)
	w.operate(t, rota.ActCancel, whole(a[0]))
	s.claimFairly(t, 20, 4, weights)
	// What is let go comes behind what its flow has waiting, and again costs what it costs.
	w.operate(t, rota.ActRelease, rota.Filter{States: []rota.State{rota.Held}})
	s.claimFairly(t, 60, 4, weights)
	w.verify(t)
}

func rankedWhenReady(t *testing.T, w *world) {
	w.fair(t, "q", nil)
	s := w.session(t)
	first := w.submit(t, job(queue("first")))[0]
	w.submit(t, job(queue("q"), by("ann"), array("1-30"), after(rota.AfterOK, first)), job(queue("q"), by("ann"), held))
	w.submit(t, job(queue("q"), by("ben"), array("1-60")))
	s.claimFairly(t, 30, 1, map[string]float64{"ben": 1})
	s.finish(t, ends(s.claim(t, 1, "first"), rota.OutcomeSucceeded)...)
	w.settle(t)
	w.operate(t, rota.ActRelease, rota.Filter{States: []rota.State{rota.Held}})
	// Ann has waited, but nothing of hers could run: she is owed nothing.
	s.claimFairly(t, 60, 3, map[string]float64{"ann": 1, "ben": 1})
	w.verify(t)
}

// sharesAnew changes how a queue is shared while tasks wait in it.
func sharesAnew(t *testing.T, w *world) {
	w.submit(t, job(queue("q"), by("ann"), array("1-100")))
	for range 60 {
		w.one(t, queue("q"), by("ben"), rank(1))
	}
	w.one(t, queue("q"), by("ben"), held)
	s := w.session(t)
	s.claimFairly(t, 5, 2, map[string]float64{"ann": 1}) // by priority
	w.fair(t, "q", nil)
	w.settle(t)
	s.claimFairly(t, 20, 3, map[string]float64{"ann": 1, "ben": 1})
	w.fair(t, "q", map[string]float64{"ann": 3})
	w.settle(t)
	s.claimFairly(t, 20, 3, map[string]float64{"ann": 3, "ben": 1})
	w.set(t, "q", rota.QueueChange{FlowRunning: ptr(2)})
	w.settle(t)
	if got := s.claim(t, 100); len(got) != 4 {
		t.Errorf("of two flows with two places each, claimed %d", len(got))
	} else {
		s.finish(t, ends(got, rota.OutcomeSucceeded)...)
	}
	w.verify(t)
	w.set(t, "q", rota.QueueChange{FlowRunning: ptr(0), Discipline: ptr("priority"), Weights: map[string]float64{"ann": 0}})
	w.settle(t)
	for _, a := range s.claim(t, 40) {
		if a.Submitter != "ann" {
			t.Fatalf("by priority again, claimed one of %s", a.Submitter)
		}
	}
	w.verify(t)
}

func flowsByLabelAndKey(t *testing.T, w *world) {
	for _, c := range []struct {
		flow rota.Flow
		give func(j *rota.NewJob, flow string)
		of   func(a *rota.Assignment) string
	}{
		{"label:team", func(j *rota.NewJob, f string) { j.Spec.Labels = map[string]string{"team": f} }, func(a *rota.Assignment) string { return a.Spec.Labels["team"] }},
		{rota.FlowKey, func(j *rota.NewJob, f string) { j.Spec.LimitKey, j.Spec.KeyLimit = f, 50 }, func(a *rota.Assignment) string { return a.Spec.LimitKey }},
	} {
		q := fmt.Sprint("by", len(c.flow))
		w.set(t, q, rota.QueueChange{Discipline: ptr("sfq"), Flow: ptr(c.flow)})
		for _, f := range []string{"x", "y"} {
			w.submit(t, job(queue(q), array("1-20"), func(j *rota.NewJob) { c.give(j, f) }))
		}
		s := w.session(t)
		n := map[string]int{}
		for _, a := range s.claim(t, 20, q) {
			n[c.of(&a)]++
		}
		if n["x"] != 10 || n["y"] != 10 {
			t.Errorf("flow %s: %v", c.flow, n)
		}
	}
}

func limitKey(key string, n int) func(*rota.NewJob) {
	return func(j *rota.NewJob) { j.Spec.LimitKey, j.Spec.KeyLimit = key, n }
}

// mostAtOnce runs all there is and returns how many tasks of each group ran at once at most.
func (s *session) mostAtOnce(t tb, group func(a *rota.Assignment) string) map[string]int {
	t.Helper()
	most, now := map[string]int{}, map[string]int{}
	var has []rota.Assignment
	for {
		got := s.claim(t, 3)
		for i := range got {
			g := group(&got[i])
			now[g]++
			most[g] = max(most[g], now[g])
		}
		has = append(has, got...)
		if len(has) == 0 {
			return most
		}
		if len(got) == 0 {
			s.finish(t, end(has[0].Try, rota.OutcomeSucceeded))
			now[group(&has[0])]--
			has = has[1:]
		}
	}
}

func keyBounds(t *testing.T, w *world) {
	for i := range 12 {
		w.one(t, queue(fmt.Sprint("q", i%3)), limitKey([]string{"a", "b"}[i%2], 1+i%2))
	}
	w.one(t)
	s := w.session(t)
	most := s.mostAtOnce(t, func(a *rota.Assignment) string { return a.Spec.LimitKey })
	if most["a"] != 1 || most["b"] != 2 || most[""] != 1 {
		t.Errorf("at once: %v", most)
	}
	w.verify(t)
	// What the latest job says holds for all.
	for range 6 {
		w.one(t, limitKey("a", 1))
	}
	w.one(t, limitKey("a", 4))
	if most := s.mostAtOnce(t, func(a *rota.Assignment) string { return a.Spec.LimitKey }); most["a"] != 4 {
		t.Errorf("widened, at once: %v", most)
	}
	w.verify(t)
}

func flowBounds(t *testing.T, w *world) {
	w.set(t, "q", rota.QueueChange{Flow: ptr(rota.FlowUser), FlowRunning: ptr(2)})
	for _, who := range []string{"ann", "ben"} {
		w.submit(t, job(queue("q"), by(who), array("1-9")), job(queue("q"), by(who)))
	}
	s := w.session(t)
	most := s.mostAtOnce(t, func(a *rota.Assignment) string { return a.Submitter })
	if most["ann"] != 2 || most["ben"] != 2 {
		t.Errorf("at once: %v", most)
	}
	w.verify(t)
}

func allBound(t *testing.T, w *world) {
	w.set(t, "q", rota.QueueChange{Flow: ptr(rota.FlowUser), FlowRunning: ptr(4), Discipline: ptr("sfq")})
	w.submit(t, job(queue("q"), by("ann"), array("1-20"), limit(2)), job(queue("q"), by("ann"), array("1-20"), limitKey("k", 3)),
		job(queue("q"), by("ben"), array("1-20"), limit(2), limitKey("k", 3)))
	s := w.session(t)
	by := map[string]func(a *rota.Assignment) string{
		"job":  func(a *rota.Assignment) string { return a.Task.Job().String() },
		"key":  func(a *rota.Assignment) string { return a.Spec.LimitKey },
		"user": func(a *rota.Assignment) string { return a.Submitter },
	}
	now := map[string]int{}
	var has []rota.Assignment
	ran := 0
	for ran < 60 {
		for _, a := range s.claim(t, 9) {
			for what, of := range by {
				now[what+" "+of(&a)]++
			}
			has = append(has, a)
		}
		if now["job 1"] > 2 || now["job 3"] > 2 || now["key k"] > 3 || now["user ann"] > 4 || now["user ben"] > 4 {
			t.Fatalf("P16: at once %v", now)
		}
		if len(has) == 0 {
			t.Fatalf("P16: nothing runs after %d: %v", ran, now)
		}
		s.finish(t, end(has[0].Try, rota.OutcomeSucceeded))
		for what, of := range by {
			now[what+" "+of(&has[0])]--
		}
		has, ran = has[1:], ran+1
		w.verify(t)
	}
}

// sharingProperty does at random what there is to do, and looks at every step whether the gates and ranks add up.
func sharingProperty(t *testing.T, w *world) {
	w.set(t, "q", rota.QueueChange{Flow: ptr(rota.FlowUser), FlowRunning: ptr(3), Discipline: ptr("sfq"), Weights: map[string]float64{"ben": 3}})
	s := w.session(t)
	steps := times(400)
	r := rapid.Custom(func(t *rapid.T) int { return rapid.IntRange(0, 1<<30).Draw(t, "n") })
	seed := 0
	pick := func(n int) int { seed++; return r.Example(seed) % n }
	var has []rota.Assignment
	for range steps {
		switch pick(7) {
		case 0, 1:
			changes := []func(*rota.NewJob){queue([]string{"q", "p"}[pick(2)]), by([]string{"ann", "ben", "cid"}[pick(3)])}
			if pick(2) == 0 {
				changes = append(changes, array("1-6"), limit(pick(3)))
			}
			if pick(2) == 0 {
				changes = append(changes, limitKey([]string{"a", "b"}[pick(2)], 1+pick(3)))
			}
			if pick(5) == 0 {
				changes = append(changes, held)
			}
			if pick(3) == 0 {
				changes = append(changes, retries(2))
			}
			w.submit(t, job(changes...))
		case 2, 3:
			has = append(has, s.claim(t, 1+pick(5))...)
		case 4:
			for len(has) > 0 && pick(3) > 0 {
				s.finish(t, end(has[0].Try, []rota.Outcome{rota.OutcomeSucceeded, rota.OutcomeFailed, rota.OutcomeReturned, rota.OutcomeLost}[pick(4)]))
				has = has[1:]
			}
		case 5:
			if pick(3) == 0 {
				w.edit(t, rota.Edit{Queue: ptr([]string{"q", "p"}[pick(2)])}, rota.Filter{Submitter: []string{"ann", "ben", "cid"}[pick(3)]})
				continue
			}
			if pick(6) == 0 {
				w.set(t, "q", rota.QueueChange{FlowRunning: ptr(pick(4)), Discipline: ptr([]string{"sfq", "priority"}[pick(2)])})
				w.settle(t)
				continue
			}
			act := []rota.Act{rota.ActHold, rota.ActRelease, rota.ActCancel, rota.ActRetry}[pick(4)]
			w.operate(t, act, rota.Filter{Submitter: []string{"ann", "ben", "cid"}[pick(3)], States: []rota.State{rota.Ready, rota.Held, rota.Cancelled}[pick(3):]})
		case 6:
			w.clock.Advance(3600e9)
			w.settle(t)
		}
		if pick(8) == 0 {
			w.verify(t)
		}
	}
	w.verify(t)
}
