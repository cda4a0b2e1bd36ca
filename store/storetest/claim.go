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
	for _, r := range []int64{5, -1, 5, 0, -1, 1 << 29, 0, -(1 << 29)} {
		byRank[r] = append(byRank[r], w.one(t, rank(r)))
	}
	for _, r := range []int64{-(1 << 29), -1, 0, 5, 1 << 29} {
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

// claimQueues gives each of the queues a, ab, b and x two tasks, and says for patterns in which order the queues are
// served. Queues between "|" stand under the same pattern; which of those comes first is the engine's choice.
func claimQueues(t *testing.T, w *world) {
	s := w.session(t)
	for _, c := range []struct{ patterns, want string }{
		{"", "a ab b x"},
		{"*", "a ab b x"},
		{"a", "a"},
		{"b a", "b | a"},
		{"x b", "x | b"},
		{"a*", "a ab"},
		{"?", "a b x"},
		{"* !x", "a ab b"},
		{"!x *", "a ab b"},
		{"* !a*", "b x"},
		{"x *", "x | a ab b"},
		{"a* x !ab", "a | x"},
		{"b* a*", "b | a ab"},
		{"none", ""},
		{"none b", "b"},
		{"a a", "a"},
	} {
		made := map[rota.TaskID]string{}
		for r, q := range []string{"b", "a", "ab", "b", "x", "x", "a", "ab"} {
			made[w.one(t, queue(q), rank(int64(r)))] = q
		}
		for _, most := range []int{100, 3} {
			got := ids(s.claim(t, most, strings.Fields(c.patterns)...))
			checkServed(t, c.patterns, c.want, most, got, made)
			s.returnAll(t)
		}
		s.play(t, rota.OutcomeSucceeded)
	}
	w.verify(t)
}

// checkServed holds claimed tasks to the order of queues, and within a queue to that of ranks, which is that of ids.
func checkServed(t tb, patterns, want string, most int, got []rota.TaskID, made map[rota.TaskID]string) {
	t.Helper()
	place := map[string]int{}
	for i, group := range strings.Split(want, "|") {
		for _, q := range strings.Fields(group) {
			place[q] = i + 1
		}
	}
	if n := min(most, 2*len(place)); len(got) != n {
		t.Errorf("queues %q, at most %d: claimed %d, want %d", patterns, most, len(got), n)
	}
	last, before := map[string]rota.TaskID{}, 0
	for _, id := range got {
		q := made[id]
		if place[q] == 0 || place[q] < before || id < last[q] {
			t.Errorf("queues %q, at most %d: claimed %v of %s, out of order", patterns, most, id, q)
		}
		last[q], before = id, place[q]
	}
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
