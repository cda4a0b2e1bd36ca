package server

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/storetest"
)

// news is what a session is told at once.
func news(t *testing.T, s *Server, id rota.SessionID) rota.News {
	t.Helper()
	got, err := s.Await(admin, id, 0)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAwaitAfterARepeatedExchange(t *testing.T) {
	s, store := faulty(t)
	open(t, s, "one")
	if !news(t, s, "one").Ready {
		t.Error("a new session is not told to look")
	}
	x := rota.Exchange{Session: "one", Seq: 1, Claim: rota.Claim{Max: 2}}
	store.Plan(storetest.DropNth("Exchange", 1))
	if _, err := s.Exchange(admin, x); !errors.Is(err, rota.ErrUnavailable) {
		t.Fatalf("a lost reply: got %v", err)
	}
	if _, err := s.Submit(admin, plain("x")); err != nil {
		t.Fatal(err)
	}
	// The repeated exchange is answered as before the submit.
	if got, err := s.Exchange(admin, x); err != nil || len(got.Claimed) != 0 {
		t.Fatalf("again: got %+v, error %v", got, err)
	}
	if !news(t, s, "one").Ready {
		t.Error("what was submitted meanwhile is never told")
	}
}

func TestP1AwaitTellsOfAJobWhoseTimeHasCome(t *testing.T) {
	s, _ := faulty(t)
	open(t, s, "one")
	news(t, s, "one")
	past := plain("x")
	past.Spec.At = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if _, err := s.Submit(admin, past); err != nil {
		t.Fatal(err)
	}
	if !news(t, s, "one").Ready {
		t.Error("a job that is due already waits for the next poll")
	}
}

func TestAwaitIsNotWokenByItsOwnFinish(t *testing.T) {
	s, _ := faulty(t)
	open(t, s, "one")
	open(t, s, "two")
	if _, err := s.Submit(admin, plain("x")); err != nil {
		t.Fatal(err)
	}
	got, err := s.Exchange(admin, rota.Exchange{Session: "two", Seq: 1, Claim: rota.Claim{Max: 2}})
	if err != nil || len(got.Claimed) != 1 {
		t.Fatalf("claim: %+v, error %v", got, err)
	}
	news(t, s, "one")
	x := rota.Exchange{Session: "two", Seq: 2, Finished: []rota.Finish{{Try: got.Claimed[0].Try, Outcome: rota.OutcomeSucceeded}}, Claim: rota.Claim{Max: 2}}
	if _, err := s.Exchange(admin, x); err != nil {
		t.Fatal(err)
	}
	if news(t, s, "two").Ready {
		t.Error("told by its own finish, after its claim left nothing")
	}
	if !news(t, s, "one").Ready {
		t.Error("the other is not told that a finish may have freed something")
	}
}

func TestP9AwaitTellsAnEndingOnce(t *testing.T) {
	s, _ := faulty(t)
	open(t, s, "one")
	job, err := s.Submit(admin, plain("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Exchange(admin, rota.Exchange{Session: "one", Seq: 1, Claim: rota.Claim{Max: 2}}); err != nil {
		t.Fatal(err)
	}
	news(t, s, "one")
	for _, tt := range []struct {
		act rota.Act
		how rota.Ending
	}{{rota.ActCancel, rota.EndingCancel}, {rota.ActKill, rota.EndingKill}} {
		if _, err := s.Operate(admin, rota.Operation{Act: tt.act, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job.Job)}}}); err != nil {
			t.Fatal(err)
		}
		if got := news(t, s, "one").Ending; len(got) != 1 || got[0].How != tt.how {
			t.Errorf("after %s: told %+v", tt.act, got)
		}
		if got := news(t, s, "one").Ending; len(got) != 0 {
			t.Errorf("after %s, again: told %+v", tt.act, got)
		}
	}
}

// The session holds nothing when its wait begins, and claims meanwhile. No notice comes from the other server.
func TestP9AnotherServersCancelIsHeardWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := openStore(t, nil)
		s, other := New(store, Options{Node: "one"}), New(store, Options{})
		open(t, s, "one")
		if _, err := s.Exchange(admin, rota.Exchange{Session: "one", Seq: 1, Claim: rota.Claim{Max: 1}}); err != nil {
			t.Fatal(err)
		}
		news(t, s, "one")
		got := make(chan rota.News, 1)
		go func() {
			n, err := s.Await(admin, "one", time.Minute)
			if err != nil {
				t.Error(err)
			}
			got <- n
		}()
		synctest.Wait()
		job, err := other.Submit(admin, plain("x"))
		if err != nil {
			t.Fatal(err)
		}
		x, err := s.Exchange(admin, rota.Exchange{Session: "one", Seq: 2, Claim: rota.Claim{Max: 1}})
		if err != nil || len(x.Claimed) != 1 {
			t.Fatalf("claimed %+v, %v", x, err)
		}
		if _, err := other.Operate(admin, rota.Operation{Act: rota.ActCancel, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job.Job)}}}); err != nil {
			t.Fatal(err)
		}
		asked := time.Now()
		n := <-got
		if late := time.Since(asked); len(n.Ending) != 1 || n.Ending[0].Try != x.Claimed[0].Try || late > endingPoll { // of the bubble's time
			t.Errorf("told %+v after %v", n, late)
		}
	})
}

func TestIdleServerRests(t *testing.T) {
	s := New(nil, Options{})
	perSecond := 0.0
	for _, l := range s.loops.all(false) {
		perSecond += float64(time.Second) / float64(l.every)
	}
	if perSecond > 1.05 {
		t.Errorf("an idle server wakes %.2f times a second", perSecond)
	}
}
