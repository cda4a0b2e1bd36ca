package rota_test

import (
	"testing"

	"github.com/rotaqueue/rota"
	"pgregory.net/rapid"
)

var outcomes = []rota.Outcome{rota.OutcomeSucceeded, rota.OutcomeFailed, rota.OutcomeTimedOut, rota.OutcomeRefused,
	rota.OutcomeEnded, rota.OutcomeReturned, rota.OutcomeLost, rota.OutcomeOutOfMemory}

func TestP7_FateIsAMove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := rapid.SampledFrom(outcomes).Draw(t, "outcome")
		ending := rapid.Bool().Draw(t, "ending")
		count := rapid.IntRange(0, 30)
		attempt, limit, lost, maxLost, returns := count.Draw(t, "attempt"), count.Draw(t, "limit"), count.Draw(t, "lost"),
			count.Draw(t, "max lost"), count.Draw(t, "returns")
		onLost := rapid.SampledFrom([]rota.OnLost{rota.LostRetry, rota.LostFail}).Draw(t, "on lost")

		to := rota.Fate(o, ending, rota.Tally{Attempt: attempt, Limit: limit, Lost: lost, MaxLost: maxLost, Crashes: count.Draw(t, "crashes"), Returns: returns, OnLost: onLost})
		if !rota.May(rota.Running, rota.VerbFinish, to) {
			t.Fatalf("finish moves to %v, which is no move", to)
		}
		if o == rota.OutcomeLost && !rota.May(rota.Running, rota.VerbRescue, to) {
			t.Fatalf("rescue moves to %v, which is no move", to)
		}
		if (to == rota.Succeeded) != (o == rota.OutcomeSucceeded && !ending) {
			t.Fatalf("%s, asked to end %v: %v", o, ending, to)
		}
		if ending && to != rota.Cancelled {
			t.Fatalf("P9: asked to end, and %v", to)
		}
		if to == rota.Scheduled && attempt >= limit {
			t.Fatalf("attempt %d of %d is tried again", attempt, limit)
		}
	})
}

func TestP7_FateTable(t *testing.T) {
	for _, c := range []struct {
		name                                   string
		o                                      rota.Outcome
		ending                                 bool
		attempt, limit, lost, maxLost, returns int
		crashes                                int
		onLost                                 rota.OnLost
		want                                   rota.State
	}{
		{name: "success", o: rota.OutcomeSucceeded, attempt: 1, limit: 1, want: rota.Succeeded},
		{name: "success of a task asked to end", o: rota.OutcomeSucceeded, ending: true, attempt: 1, limit: 4, want: rota.Cancelled},
		{name: "failure with budget", o: rota.OutcomeFailed, attempt: 1, limit: 4, want: rota.Scheduled},
		{name: "last failure", o: rota.OutcomeFailed, attempt: 4, limit: 4, want: rota.Failed},
		{name: "timeout with budget", o: rota.OutcomeTimedOut, attempt: 3, limit: 4, want: rota.Scheduled},
		{name: "out of memory with budget", o: rota.OutcomeOutOfMemory, attempt: 3, limit: 4, want: rota.Scheduled},
		{name: "out of memory for the last time", o: rota.OutcomeOutOfMemory, attempt: 4, limit: 4, want: rota.Failed},
		{name: "last timeout", o: rota.OutcomeTimedOut, attempt: 4, limit: 4, want: rota.Failed},
		{name: "refused is never tried again", o: rota.OutcomeRefused, attempt: 1, limit: 4, want: rota.Failed},
		{name: "ended", o: rota.OutcomeEnded, attempt: 1, limit: 4, want: rota.Cancelled},
		{name: "given back", o: rota.OutcomeReturned, attempt: 1, limit: 2, returns: 1, want: rota.Ready},
		{name: "given back once less than too often", o: rota.OutcomeReturned, attempt: 19, limit: 20, returns: rota.MaxReturns - 1, want: rota.Ready},
		{name: "given back too often", o: rota.OutcomeReturned, attempt: 20, limit: 21, returns: rota.MaxReturns, want: rota.Held},
		{name: "given back when asked to end", o: rota.OutcomeReturned, ending: true, attempt: 1, limit: 2, returns: 1, want: rota.Cancelled},
		{name: "lost", o: rota.OutcomeLost, attempt: 1, limit: 2, lost: 1, maxLost: 3, onLost: rota.LostRetry, want: rota.Ready},
		{name: "lost as often as allowed", o: rota.OutcomeLost, attempt: 3, limit: 4, lost: 3, maxLost: 3, onLost: rota.LostRetry, want: rota.Ready},
		{name: "lost once more", o: rota.OutcomeLost, attempt: 4, limit: 5, lost: 4, maxLost: 3, onLost: rota.LostRetry, want: rota.Failed},
		{name: "crashed twice", o: rota.OutcomeLost, attempt: 2, limit: 3, lost: 2, maxLost: 3, crashes: 2, onLost: rota.LostRetry, want: rota.Ready},
		{name: "crashed once more", o: rota.OutcomeLost, attempt: 3, limit: 4, lost: 3, maxLost: 3, crashes: 3, onLost: rota.LostRetry, want: rota.Held},
		{name: "crashed more often than it may be lost", o: rota.OutcomeLost, attempt: 3, limit: 4, lost: 3, maxLost: 2, crashes: 3, onLost: rota.LostRetry, want: rota.Failed},
		{name: "lost, to fail", o: rota.OutcomeLost, attempt: 1, limit: 2, lost: 1, maxLost: 3, onLost: rota.LostFail, want: rota.Failed},
		{name: "lost when asked to end", o: rota.OutcomeLost, ending: true, attempt: 1, limit: 2, lost: 1, maxLost: 3, onLost: rota.LostRetry, want: rota.Cancelled},
	} {
		if got := rota.Fate(c.o, c.ending, rota.Tally{Attempt: c.attempt, Limit: c.limit, Lost: c.lost, MaxLost: c.maxLost, Crashes: c.crashes, Returns: c.returns, OnLost: c.onLost}); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestP7_OnlyReturnsAndLossesRaiseTheLimit(t *testing.T) {
	for _, o := range outcomes {
		if want := o == rota.OutcomeReturned || o == rota.OutcomeLost; rota.RaisesLimit(o) != want {
			t.Errorf("RaisesLimit(%s) = %v", o, !want)
		}
	}
}

// TestP7_AttemptsAreBounded plays a task against every mixture of outcomes: it ends, and within the attempts that
// the budgets allow (I9).
func TestP7_AttemptsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		retries, maxLost := rapid.IntRange(0, 5).Draw(t, "retries"), rapid.IntRange(0, 5).Draw(t, "max lost")
		attempt, limit, lost, returns := 0, 1+retries, 0, 0
		for {
			attempt++
			if most := 1 + retries + maxLost + rota.MaxReturns; attempt > most {
				t.Fatalf("attempt %d of at most %d", attempt, most)
			}
			o := rapid.SampledFrom(outcomes).Draw(t, "outcome")
			if rota.RaisesLimit(o) {
				limit++
			}
			switch o {
			case rota.OutcomeLost:
				lost++
			case rota.OutcomeReturned:
				returns++
			}
			if to := rota.Fate(o, false, rota.Tally{Attempt: attempt, Limit: limit, Lost: lost, MaxLost: maxLost, Returns: returns, OnLost: rota.LostRetry}); to.Ended() || to == rota.Held {
				return
			}
		}
	})
}

func TestP25AttemptsAreNumberedAcrossIncarnations(t *testing.T) {
	const mil = rota.AttemptsOfIncarnation
	for _, tt := range []struct{ last, incarnation, next, nth int }{
		{0, 0, 1, 1}, {7, 0, 8, 8}, {0, 1, mil + 1, 1}, {7, 1, mil + 8, 8}, {mil + 8, 1, mil + 9, 9}, {mil + 8, 3, 3*mil + 9, 9},
		{mil, 0, mil + 1, 1}, // who tries a million times is passed over by one
	} {
		if next := rota.NextAttempt(tt.last, tt.incarnation); next != tt.next || rota.Nth(next) != tt.nth {
			t.Errorf("after %d in incarnation %d: %d, the %dth; want %+v", tt.last, tt.incarnation, next, rota.Nth(next), tt)
		}
	}
}
