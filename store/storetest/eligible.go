package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testEligible(s suite) {
	s.test("J12_D10_a_job_on_a_node_or_a_label", claimOn)
	s.test("D10_settings_of_a_node_hold_at_once", nodeSettings)
	s.test("Z7_a_node_without_shells", claimNoShell)
	s.test("P16_needs_fit_into_what_is_free", claimNeeds)
	s.test("B3_pin_and_ignore", claimPinned)
	s.test("B3_slots_of_a_queue_on_a_node", claimSlots)
	s.test("D14_running_in_all", claimRunning)
	s.test("D14_starts_in_a_second", claimStarts)
	s.test("P17_many_queues_under_one_pattern", claimMany)
}

func on(place string) func(*rota.NewJob) { return func(j *rota.NewJob) { j.Spec.On = place } }

func needs(r rota.Resources) func(*rota.NewJob) {
	return func(j *rota.NewJob) { j.Spec.Needs = r }
}

// claimAs claims what a node with labels and resources may.
func (s *session) claimAs(t tb, c rota.Claim) []rota.TaskID {
	t.Helper()
	if c.Max == 0 {
		c.Max = 100
	}
	return ids(s.exchange(t, c).Claimed)
}

func wantClaimed(t tb, what string, got []rota.TaskID, want ...rota.TaskID) {
	t.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s: claimed %v, want %v", what, got, want)
	}
}

// offering opens a session of a node with labels and resources.
func (w *world) offering(t tb, node string, labels map[string]string, offers rota.Resources) *session {
	t.Helper()
	s := &session{w: w, id: rota.SessionID(w.name("session")), node: node}
	o := s.opening(false)
	o.Node.Labels, o.Node.Offers = labels, offers
	if _, err := w.OpenSession(w.ctx, o); err != nil {
		t.Fatalf("open session: %v", err)
	}
	return s
}

func claimOn(t *testing.T, w *world) {
	a, b := w.offering(t, "web1", map[string]string{"zone": "eu"}, nil), w.offering(t, "web2", map[string]string{"zone": "us"}, nil)
	c := w.offering(t, "web3", nil, nil)
	one, two := w.one(t, on("web1")), w.one(t, on("web2"))
	eu, any := w.one(t, on("zone=eu")), w.one(t)
	w.one(t, on("gone"))
	wantClaimed(t, "web2 in the us", b.claimAs(t, rota.Claim{}), two, any)
	wantClaimed(t, "web3 without labels", c.claimAs(t, rota.Claim{}))
	wantClaimed(t, "web1 in the eu", a.claimAs(t, rota.Claim{}), one, eu)
	w.verify(t)
}

func shell(j *rota.NewJob) {
	j.Spec.Executor, j.Spec.Shell, j.Spec.Argv = rota.ExecutorShell, "true", nil
}

func script(text string) func(*rota.NewJob) {
	return func(j *rota.NewJob) { j.Spec.Executor, j.Spec.Script, j.Spec.Argv = rota.ExecutorScript, text, nil }
}

// claimNoShell: a node without shells leaves what one runs to others, however a job comes to be such a one.
func claimNoShell(t *testing.T, w *world) {
	any := w.session(t)
	w.sessionOf(t, "none", false) // a node may say it when it opens anew
	none := &session{w: w, id: rota.SessionID(w.name("session")), node: "none"}
	o := none.opening(false)
	o.Node.NoShell = true
	if _, err := w.OpenSession(w.ctx, o); err != nil {
		t.Fatal(err)
	}
	if n := w.node(t, "none"); !n.NoShell {
		t.Errorf("kept as %s", text(n))
	}
	first, plain := w.one(t, shell), w.one(t)
	sh, python := w.one(t, script("true")), w.one(t, script("#!/usr/bin/env python3\n"))
	wantClaimed(t, "without shells", none.claimAs(t, rota.Claim{}), plain, python)
	wantClaimed(t, "still", none.claimAs(t, rota.Claim{}))
	for _, id := range []rota.TaskID{first, sh} {
		at, err := w.Standing(w.ctx, id)
		if err != nil || !at.Shell {
			t.Errorf("%v stands so: %+v, %v", id, at, err)
		}
	}
	if at, err := w.Standing(w.ctx, plain); err != nil || at.Shell {
		t.Errorf("%v stands so: %+v, %v", plain, at, err)
	}

	// What is edited and moved comes to where it now belongs, and what is tried again stays there.
	w.edit(t, rota.Edit{Queue: ptr("q")}, rota.Filter{Tasks: []rota.Span{rota.SpanOf(sh.Job())}})
	turned := w.one(t)
	w.edit(t, rota.Edit{Executor: ptr(rota.ExecutorShell)}, rota.Filter{Tasks: []rota.Span{rota.SpanOf(turned.Job())}})
	wantClaimed(t, "nor after edits", none.claimAs(t, rota.Claim{}))

	// In the queue's order where both are claimed.
	last := w.one(t)
	got := ids(any.claim(t, 9, "default"))
	if !slices.Equal(got, []rota.TaskID{first, turned, last}) {
		t.Errorf("with shells: claimed %v", got)
	}
	any.exchange(t, rota.Claim{}, end(rota.Try{Task: first, Attempt: 1}, rota.OutcomeLost))
	wantClaimed(t, "nor at the second attempt", none.claimAs(t, rota.Claim{}))
	if n, err := w.ChangeNode(w.ctx, "none", rota.NodeChange{Shell: ptr(true)}); err != nil || n.NoShell {
		t.Errorf("changed to %s, %v", text(n), err)
	}
	wantClaimed(t, "once it is settled that it does", none.claimAs(t, rota.Claim{}), first, sh)
	w.verify(t)
}

func claimNeeds(t *testing.T, w *world) {
	s := w.offering(t, "n", nil, rota.Resources{"gpu": 5, "mem": 2 << 30})
	var big, small []rota.TaskID
	for range 3 {
		big = append(big, w.one(t, needs(rota.Resources{"gpu": 2})))
		small = append(small, w.one(t, needs(rota.Resources{"gpu": 1, "mem": 1 << 30})))
	}
	none := w.one(t)
	wantClaimed(t, "3 gpus, 1 GiB free", s.claimAs(t, rota.Claim{Used: rota.Resources{"gpu": 2, "mem": 1 << 30}}), big[0], small[0], none)
	wantClaimed(t, "nothing free", s.claimAs(t, rota.Claim{Used: rota.Resources{"gpu": 5, "mem": 1 << 30}}))
	wantClaimed(t, "1 gpu", s.claimAs(t, rota.Claim{Used: rota.Resources{"gpu": 4, "mem": 2 << 30}}))
	wantClaimed(t, "4 gpus", s.claimAs(t, rota.Claim{Used: rota.Resources{"gpu": 1, "mem": 2 << 30}}), big[1], big[2])
	wantClaimed(t, "all free", s.claimAs(t, rota.Claim{}), small[1], small[2])
	w.verify(t)
}

// nodeSettings: what is settled for a node holds from its next claim on, over its restarts too.
func nodeSettings(t *testing.T, w *world) {
	s := w.offering(t, "n", map[string]string{"zone": "eu", "disk": "ssd"}, rota.Resources{"gpu": 1})
	_, err := w.ChangeNode(w.ctx, "none", rota.NodeChange{})
	wantIs(t, "of a node that is not there", err, rota.ErrNotFound)
	fast, slow, eu := w.one(t, queue("fast")), w.one(t, queue("slow")), w.one(t, queue("fast"), on("zone=eu"))
	us, gpus, own := w.one(t, queue("fast"), on("zone=us")), w.one(t, queue("fast"), needs(rota.Resources{"gpu": 2})), w.one(t, queue("@n"))
	n, err := w.ChangeNode(w.ctx, "n", rota.NodeChange{Queues: []string{"fast", "!default"}, Labels: map[string]string{"zone": "us"}, Offers: rota.Resources{"gpu": 4}})
	if err != nil || n.Labels["zone"] != "us" || n.Labels["disk"] != "ssd" || n.Offers["gpu"] != 4 || !slices.Equal(n.Queues, []string{"@n", "fast", "!default", "default"}) {
		t.Errorf("changed to %s, %v", text(n), err)
	}
	wantClaimed(t, "as settled", s.claimAs(t, rota.Claim{Used: rota.Resources{"gpu": 2}}), fast, us, gpus, own)
	w.reopen(t)
	s = w.offering(t, "n", map[string]string{"zone": "eu"}, rota.Resources{"gpu": 1})
	if n := w.node(t, "n"); n.Labels["zone"] != "us" || n.Offers["gpu"] != 4 {
		t.Errorf("kept as %s", text(n))
	}
	if _, err := w.ChangeNode(w.ctx, "n", rota.NodeChange{Queues: []string{}, Labels: map[string]string{"zone": "eu"}}); err != nil {
		t.Fatal(err)
	}
	wantClaimed(t, "its own queues again", s.claimAs(t, rota.Claim{}), slow, eu)
	w.verify(t)
}

func claimPinned(t *testing.T, w *world) {
	a, b := w.sessionOf(t, "a", false), w.sessionOf(t, "b", false)
	w.set(t, "pinned", rota.QueueChange{Pin: []string{"a"}, Ignore: []string{"a"}})
	w.set(t, "ignored", rota.QueueChange{Ignore: []string{"a"}})
	p, i := w.one(t, queue("pinned")), w.one(t, queue("ignored"))
	wantClaimed(t, "b", b.claimAs(t, rota.Claim{}), i)
	wantClaimed(t, "a", a.claimAs(t, rota.Claim{}), p)
	// Settings hold for what waits.
	q := w.one(t, queue("pinned"))
	w.set(t, "pinned", rota.QueueChange{Pin: []string{"b"}})
	wantClaimed(t, "a, no longer pinned", a.claimAs(t, rota.Claim{}))
	wantClaimed(t, "b, now pinned", b.claimAs(t, rota.Claim{}), q)
}

func claimSlots(t *testing.T, w *world) {
	w.set(t, "q", rota.QueueChange{Slots: ptr(3)})
	w.submit(t, job(queue("q"), array("1-20")))
	a, b := w.sessionOf(t, "a", false), w.sessionOf(t, "b", false)
	for _, c := range []struct {
		s    *session
		held int
		want int
	}{{a, 0, 3}, {a, 3, 0}, {b, 0, 3}, {a, 1, 2}, {a, 7, 0}} {
		if got := c.s.claimAs(t, rota.Claim{Held: map[string]int{"q": c.held, "other": 9}}); len(got) != c.want {
			t.Errorf("holding %d: claimed %d, want %d", c.held, len(got), c.want)
		}
	}
}

func claimRunning(t *testing.T, w *world) {
	w.set(t, "q", rota.QueueChange{Running: ptr(4)})
	w.submit(t, job(queue("q"), array("1-20")))
	free := w.submit(t, job(queue("free"), array("1-3")))[0]
	a, b := w.sessionOf(t, "a", false), w.sessionOf(t, "b", false)
	got := a.claim(t, 3, "q")
	more := b.claim(t, 9)
	if len(got) != 3 || len(more) != 4 {
		t.Fatalf("claimed %d and %d", len(got), len(more))
	}
	if n := len(b.claim(t, 9)); n != 0 {
		t.Errorf("over the limit: claimed %d", n)
	}
	x := a.exchange(t, rota.Claim{Max: 9}, end(got[0].Try, rota.OutcomeSucceeded), end(got[1].Try, rota.OutcomeFailed))
	if len(x.Claimed) != 2 {
		t.Errorf("two ended: claimed %d", len(x.Claimed))
	}
	w.set(t, "q", rota.QueueChange{Running: ptr(6)})
	if n := len(b.claim(t, 9)); n != 2 {
		t.Errorf("raised by two: claimed %d", n)
	}
	if j := w.job(t, free); j.Running != 3 {
		t.Errorf("of the other queue run %d", j.Running)
	}
	w.verify(t)
}

func claimStarts(t *testing.T, w *world) {
	w.set(t, "q", rota.QueueChange{Starts: ptr(2.0)})
	w.submit(t, job(queue("q"), array("1-20")))
	s := w.session(t)
	x := s.exchange(t, rota.Claim{Max: 9})
	if len(x.Claimed) != 1 {
		t.Fatalf("at first: claimed %d", len(x.Claimed))
	}
	for range 6 {
		x = s.exchange(t, rota.Claim{Max: 9})
		if len(x.Claimed) != 0 || x.Again <= 0 || x.Again > rota.Duration(time.Second/2) {
			t.Fatalf("too early: claimed %d, again in %v", len(x.Claimed), x.Again)
		}
		w.clock.Advance(x.Again.D())
		if x = s.exchange(t, rota.Claim{Max: 9}); len(x.Claimed) != 1 {
			t.Fatalf("in time: claimed %d", len(x.Claimed))
		}
	}
}

// claimMany: of queues that one pattern selects the priority decides, then the age, and each keeps its own order.
func claimMany(t *testing.T, w *world) {
	w.fair(t, "shared", nil)
	var want []rota.TaskID
	names := []string{"a", "b", "shared", "c"}
	for i := range 40 {
		want = append(want, w.one(t, queue(names[i%4])))
	}
	first := w.one(t, queue("c"), rank(-5))
	want = append([]rota.TaskID{first}, want...)
	s := w.session(t)
	var got []rota.TaskID
	for _, n := range []int{1, 2, 7, 30, 10} {
		got = append(got, ids(s.claim(t, n))...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("claimed %v, want %v", got, want)
	}
}
