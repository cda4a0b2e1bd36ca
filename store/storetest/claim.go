package storetest

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rotaqueue/rota"
)

func testClaim(s suite) {
	s.test("by_rank_then_by_id", claimOrder)
	s.test("P17_queues_by_pattern_and_in_order", claimQueues)
	s.test("no_more_than_asked_for", claimMax)
	s.test("an_assignment_has_all_that_a_node_needs", claimContent)
	s.test("a_claimed_task_is_running_on_its_node", claimRecorded)
	s.test("I4_each_task_is_claimed_once_however_many_claim", claimRace)
}

func claimOrder(t *testing.T, w *world) {
	var want []rota.TaskID
	byRank := map[int64][]rota.TaskID{}
	for i, r := range []int64{5, -1, 5, 0, -1, 1 << 40, 0, -(1 << 40)} {
		id := w.one(t, rank(r), queue([]string{"a", "b", "c"}[i%3]))
		byRank[r] = append(byRank[r], id)
	}
	for _, r := range []int64{-(1 << 40), -1, 0, 5, 1 << 40} {
		want = append(want, byRank[r]...)
	}
	s := w.session(t)
	var got []rota.TaskID
	for _, n := range []int{1, 3, 10} {
		got = append(got, ids(s.claim(t, n))...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("claimed %v, want %v", got, want)
	}
	w.verify(t)
}

// claimQueues gives each of the queues a, ab, b and x two tasks; the wanted order is written as in "a1 b2": the
// queue with the rank of the task.
func claimQueues(t *testing.T, w *world) {
	s := w.session(t)
	for _, c := range []struct {
		patterns string
		want     string
	}{
		{"", "b0 a1 ab2 b3 x4 x5 a6 ab7"},
		{"*", "b0 a1 ab2 b3 x4 x5 a6 ab7"},
		{"a", "a1 a6"},
		{"b a", "b0 b3 a1 a6"},
		{"x b", "x4 x5 b0 b3"},
		{"a*", "a1 ab2 a6 ab7"},
		{"?", "b0 a1 b3 x4 x5 a6"},
		{"* !x", "b0 a1 ab2 b3 a6 ab7"},
		{"!x *", "b0 a1 ab2 b3 a6 ab7"},
		{"* !a*", "b0 b3 x4 x5"},
		{"x *", "x4 x5 b0 a1 ab2 b3 a6 ab7"},
		{"a* x !ab", "a1 a6 x4 x5"},
		{"none", ""},
		{"none b", "b0 b3"},
		{"a a", "a1 a6"},
	} {
		made := map[rota.TaskID]string{}
		for r, q := range []string{"b", "a", "ab", "b", "x", "x", "a", "ab"} {
			made[w.one(t, queue(q), rank(int64(r)))] = q + text(r)
		}
		for _, most := range []int{100, 3} {
			var got []string
			for _, a := range s.claim(t, most, strings.Fields(c.patterns)...) {
				got = append(got, made[a.Task])
			}
			want := strings.Fields(c.want)
			if want = want[:min(most, len(want))]; !slices.Equal(got, want) {
				t.Errorf("queues %q, at most %d: claimed %v, want %v", c.patterns, most, got, want)
			}
			s.returnAll(t)
		}
		s.play(t, rota.OutcomeSucceeded)
	}
	w.verify(t)
}

// returnAll gives back everything the session runs.
func (s *session) returnAll(t tb) {
	t.Helper()
	var fs []rota.Finish
	for _, task := range s.w.all(t, rota.Filter{States: []rota.State{rota.Running}}) {
		fs = append(fs, end(rota.Try{Task: task.ID, Attempt: task.Number}, rota.OutcomeReturned))
	}
	s.finish(t, fs...)
}

func claimMax(t *testing.T, w *world) {
	w.submit(t, job(array("1-30")))
	s := w.session(t)
	if got := s.claim(t, 0); len(got) != 0 {
		t.Errorf("asked for none, claimed %v", ids(got))
	}
	for _, n := range []int{1, 7, 20, 2} {
		if got := s.claim(t, n); len(got) != n {
			t.Errorf("asked for %d, claimed %v", n, ids(got))
		}
	}
	if got := s.claim(t, 10); len(got) != 0 {
		t.Errorf("claimed %v, and everything is claimed", ids(got))
	}
}

func claimContent(t *testing.T, w *world) {
	j := job(queue("q"), by("bob"), retries(2), maxLost(1), onLost(rota.LostFail), named("n"), func(j *rota.NewJob) {
		j.Spec.Argv, j.Spec.Env = []string{"x", "ü"}, []string{"A=1"}
	})
	id := w.one(t, func(n *rota.NewJob) { *n = j })
	got := w.session(t).claim(t, 1)
	if len(got) != 1 {
		t.Fatalf("claimed %v", ids(got))
	}
	a := got[0]
	if a.Try != (rota.Try{Task: id, Attempt: 1}) || a.Limit != 3 || a.Failures != 0 || a.Queue != "q" || a.Submitter != "bob" || a.HasInput || a.Line != "" {
		t.Errorf("assigned %+v", a)
	}
	if a.Spec == nil || text(*a.Spec) != text(j.Spec) {
		t.Errorf("spec %s, want %s", text(a.Spec), text(j.Spec))
	}
	if text(a.Retry) != text(j.Retry) {
		t.Errorf("retry %s, want %s", text(a.Retry), text(j.Retry))
	}
}

func claimRecorded(t *testing.T, w *world) {
	id := w.one(t)
	s := w.session(t)
	s.claimOne(t, id)
	task := w.wantState(t, id, rota.Running)
	if task.Number != 1 || task.Node != s.node || task.Session != string(s.id) || !task.Claimed.Equal(w.clock.Now()) || task.Outcome != "" ||
		!task.Ended.IsZero() || task.Exit != nil {
		t.Errorf("claimed as %+v", task)
	}
	if p := w.job(t, id.Job()).Progress; p.Running != 1 || p.Ready != 0 {
		t.Errorf("progress %+v", p)
	}
	nodes, err := w.Nodes(w.ctx)
	if err != nil || len(nodes) != 1 || nodes[0].Running != 1 {
		t.Errorf("nodes %+v, %v", nodes, err)
	}
	w.verify(t)
}

func claimRace(t *testing.T, w *world) {
	const n = 400
	w.submit(t, job(array("1-200")), job(array("1-200"), queue("b")))
	sessions := []*session{w.session(t), w.session(t), w.session(t), w.session(t)}
	got := make([][]rota.Try, len(sessions))
	errs := make([]error, len(sessions))
	var wg sync.WaitGroup
	for i, s := range sessions {
		wg.Go(func() {
			for {
				x, err := s.try(rota.Claim{Max: 1 + i*3})
				if errs[i] = err; err != nil || len(x.Claimed) == 0 {
					return
				}
				got[i] = append(got[i], tries(x.Claimed)...)
			}
		})
	}
	wg.Wait()
	seen := map[rota.TaskID]bool{}
	for i := range sessions {
		if errs[i] != nil {
			t.Fatalf("session %d: %v", i, errs[i])
		}
		for _, try := range got[i] {
			if seen[try.Task] || try.Attempt != 1 {
				t.Fatalf("%v is claimed twice", try)
			}
			seen[try.Task] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d tasks are claimed", len(seen), n)
	}
	w.verify(t)
}
