package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func testSeq(s suite) {
	s.test("P5_a_repeated_exchange_has_the_same_answer_and_claims_nothing_new", seqRepeat)
	s.test("P5_a_repeat_after_a_restart_has_the_same_answer", seqRestart)
	s.test("P5_a_number_out_of_order_is_a_conflict", seqGap)
	s.test("P5_sessions_number_for_themselves", seqSessions)
	s.test("P5_finish_is_idempotent_under_a_new_number", finishAgain)
	s.test("P5_finish_and_claim_are_one_exchange", finishAndClaim)
	s.test("P5_a_renewal_tells_strays_and_gone", renewDigest)
}

// sameAnswer compares two answers to one exchange.
func sameAnswer(t tb, got, want rota.Exchanged) {
	t.Helper()
	if a, b := text(got), text(want); a != b {
		t.Errorf("the repeat is answered %s, the first was %s", a, b)
	}
}

func seqRepeat(t *testing.T, w *world) {
	w.submit(t, job(lines("a", "b", "c", "d", "e")))
	s := w.session(t)
	first := s.claim(t, 2)
	x := rota.Exchange{Session: s.id, Seq: 2, Claim: rota.Claim{Max: 2},
		Finished: []rota.Finish{end(first[0].Try, rota.OutcomeFailed), end(rota.Try{Task: first[0].Task, Attempt: 9}, rota.OutcomeSucceeded)}}
	want, err := w.Exchange(w.ctx, x)
	if err != nil || len(want.Claimed) != 2 || len(want.Refused) != 1 {
		t.Fatalf("%+v, %v", want, err)
	}
	for range 3 {
		got, err := w.Exchange(w.ctx, x)
		if err != nil {
			t.Fatal(err)
		}
		sameAnswer(t, got, want)
	}
	if p := w.job(t, first[0].Task.Job()).Progress; p.Running != 3 || p.Ready != 1 || p.Failed != 1 {
		t.Errorf("progress %+v", p)
	}
	if task := w.task(t, want.Claimed[0].Task); task.Number != 1 {
		t.Errorf("a repeat raised the attempt: %+v", task)
	}
	s.seq = 2
	s.finish(t, ends(want.Claimed, rota.OutcomeSucceeded)...)
	w.verify(t)
}

func seqRestart(t *testing.T, w *world) {
	w.submit(t, job(array("1-9")))
	s := w.session(t)
	x := rota.Exchange{Session: s.id, Seq: 1, Claim: rota.Claim{Max: 3}}
	want, err := w.Exchange(w.ctx, x)
	if err != nil || len(want.Claimed) != 3 {
		t.Fatalf("%+v, %v", want, err)
	}
	w.reopen(t)
	got, err := w.Exchange(w.ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	sameAnswer(t, got, want)
	if s.seq = 1; len(s.claim(t, 10)) != 6 {
		t.Error("the session does not go on as it was")
	}
}

func seqGap(t *testing.T, w *world) {
	w.submit(t, job(array("1-9")))
	s := w.session(t)
	s.claim(t, 1)
	s.claim(t, 1)
	s.claim(t, 1)
	for _, seq := range []int64{5, 2, 1, 1000} {
		_, err := w.Exchange(w.ctx, rota.Exchange{Session: s.id, Seq: seq, Claim: rota.Claim{Max: 1}})
		wantIs(t, "number "+text(seq)+" after 3", err, rota.ErrConflict)
	}
	if got := s.claim(t, 10); len(got) != 6 {
		t.Errorf("what was refused has claimed: %d of 6 are left", len(got))
	}
	w.verify(t)
}

func seqSessions(t *testing.T, w *world) {
	w.submit(t, job(array("1-4")))
	a, b := w.session(t), w.session(t)
	got := append(ids(a.claim(t, 1)), ids(b.claim(t, 1))...)
	got = append(append(got, ids(a.claim(t, 1))...), ids(b.claim(t, 1))...)
	if len(slices.Compact(slices.Sorted(slices.Values(got)))) != 4 {
		t.Errorf("claimed %v", got)
	}
}

func finishAgain(t *testing.T, w *world) {
	s := w.session(t)
	for _, o := range []rota.Outcome{rota.OutcomeSucceeded, rota.OutcomeFailed, rota.OutcomeRefused} {
		try := s.claimOne(t, w.one(t))
		f := end(try, o)
		s.finish(t, f)
		before := w.task(t, try.Task)
		w.clock.Advance(time.Second)
		f.StartedAgo, f.EndedAgo = f.StartedAgo+rota.Duration(time.Second), f.EndedAgo+rota.Duration(time.Second)
		s.finish(t, f, f) // the same end, told a second later, and twice
		other := end(try, rota.OutcomeFailed)
		if o == rota.OutcomeFailed {
			other = end(try, rota.OutcomeSucceeded)
		}
		s.refused(t, other)
		if got := w.task(t, try.Task); text(got) != text(before) {
			t.Errorf("%s told again changes the task from %s to %s", o, text(before), text(got))
		}
	}
	try := s.claimOne(t, w.one(t, retries(1)))
	s.finish(t, end(try, rota.OutcomeFailed))
	w.settle(t)
	second := s.claimOne(t, try.Task)
	s.finish(t, end(try, rota.OutcomeFailed)) // of the earlier attempt
	s.refused(t, end(try, rota.OutcomeSucceeded))
	s.finish(t, end(second, rota.OutcomeSucceeded))
	w.wantState(t, try.Task, rota.Succeeded)
	w.verify(t)
}

func finishAndClaim(t *testing.T, w *world) {
	id := w.submit(t, job(array("1-5%1")))[0]
	s := w.session(t)
	got := s.claim(t, 3)
	for i := 1; i <= 5; i++ {
		if len(got) != 1 || got[0].Task != rota.Element(id, i) {
			t.Fatalf("claimed %v, want index %d: the place that the finish frees", ids(got), i)
		}
		got = s.exchange(t, rota.Claim{Max: 3}, end(got[0].Try, rota.OutcomeSucceeded)).Claimed
	}
	if p := w.job(t, id).Progress; p.Succeeded != 5 || len(got) != 0 {
		t.Errorf("progress %+v", p)
	}
}

func renewDigest(t *testing.T, w *world) {
	w.submit(t, job(array("1-4")))
	s, other := w.session(t), w.session(t)
	mine, others := tries(s.claim(t, 3)), tries(other.claim(t, 1))
	renew := func(seq int64, held ...rota.Try) rota.Renewed {
		t.Helper()
		r, err := w.Renew(w.ctx, []rota.Renewal{{Session: s.id, State: rota.NodeUp, Seq: seq, Held: held}})
		if err != nil || len(r) != 1 || r[0].Err != nil {
			t.Fatalf("renew: %+v, %v", r, err)
		}
		return r[0].Renewed
	}
	if r := renew(1, mine...); len(r.Strays)+len(r.Gone)+len(r.Ending) != 0 {
		t.Errorf("the lists agree: %+v", r)
	}
	if r := renew(1, mine[0], mine[2]); !slices.Equal(r.Strays, mine[1:2]) || len(r.Gone) != 0 {
		t.Errorf("the node lacks %v: %+v", mine[1], r)
	}
	if r := renew(0); len(r.Strays) != 0 {
		t.Errorf("the node has not yet seen the last answer: %+v", r)
	}
	old := rota.Try{Task: mine[0].Task, Attempt: 7}
	if r := renew(1, append(slices.Clone(mine), others[0], old)...); len(r.Gone) != 2 || !slices.Contains(r.Gone, others[0]) || !slices.Contains(r.Gone, old) {
		t.Errorf("the node holds %v and %v, which are not its: %+v", others[0], old, r)
	}
}
