package rota_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
)

// entries are the states a task may be stored in when it is made.
var entries = []rota.State{rota.Blocked, rota.Scheduled, rota.Held, rota.Ready}

var verbs = []rota.Verb{rota.VerbUnblock, rota.VerbPromote, rota.VerbHold, rota.VerbRelease, rota.VerbClaim,
	rota.VerbFinish, rota.VerbRescue, rota.VerbCancel, rota.VerbRetry}

func TestStatesAreStoredNumbers(t *testing.T) {
	want := map[rota.State]uint8{rota.Blocked: 1, rota.Scheduled: 2, rota.Held: 3, rota.Ready: 4, rota.Running: 5,
		rota.Succeeded: 6, rota.Failed: 7, rota.Cancelled: 8}
	for s, n := range want {
		if uint8(s) != n {
			t.Errorf("%v is stored as %d, and was %d: stored states would change their meaning", s, uint8(s), n)
		}
	}
	if len(rota.States) != len(want) || !slices.IsSorted(rota.States) {
		t.Errorf("States = %v", rota.States)
	}
}

func TestStateText(t *testing.T) {
	for _, s := range rota.States {
		text, _ := s.MarshalText()
		var back rota.State
		if err := back.UnmarshalText(text); err != nil || back != s || len(text) == 0 {
			t.Errorf("%d is written %q and read as %v, %v", s, text, back, err)
		}
	}
	for _, name := range []string{"", "Ready", "done", " ready"} {
		if s, err := rota.ParseState(name); !errors.Is(err, rota.ErrInvalid) || s != 0 {
			t.Errorf("ParseState(%q) = %v, %v; want ErrInvalid", name, s, err)
		}
	}
}

func TestEveryStateIsReachable(t *testing.T) {
	reached := slices.Clone(entries)
	for i := 0; i < len(reached); i++ {
		for _, m := range rota.Moves {
			if m.From == reached[i] && !slices.Contains(reached, m.To) {
				reached = append(reached, m.To)
			}
		}
	}
	for _, s := range rota.States {
		if !slices.Contains(reached, s) {
			t.Errorf("no task can ever be %v", s)
		}
	}
}

func TestEveryStateCanEnd(t *testing.T) {
	for _, start := range rota.States {
		reached := []rota.State{start}
		for i := 0; i < len(reached); i++ {
			for _, m := range rota.Moves {
				if m.From == reached[i] && !slices.Contains(reached, m.To) {
					reached = append(reached, m.To)
				}
			}
		}
		if !slices.ContainsFunc(reached, rota.State.Ended) {
			t.Errorf("a task that is %v can never end", start)
		}
	}
}

func TestMovesAreSound(t *testing.T) {
	for i, m := range rota.Moves {
		if slices.Contains(rota.Moves[:i], m) {
			t.Errorf("%v stands twice", m)
		}
		if m.From == m.To {
			t.Errorf("%v moves nothing", m)
		}
		if !slices.Contains(rota.States, m.From) || !slices.Contains(rota.States, m.To) || !slices.Contains(verbs, m.Verb) {
			t.Errorf("%v is made of an unknown state or verb", m)
		}
		switch {
		case m.From == rota.Succeeded:
			t.Errorf("%v: a success is final", m)
		case m.From.Ended() && m.Verb != rota.VerbRetry:
			t.Errorf("%v: only a retry by hand moves what has ended", m)
		case m.From.Ended() && m.To != rota.Ready:
			t.Errorf("%v: a retry by hand makes ready", m)
		case m.To == rota.Succeeded && m.Verb != rota.VerbFinish:
			t.Errorf("%v: only a finish makes a success", m)
		case (m.From == rota.Running) != (m.Verb == rota.VerbFinish || m.Verb == rota.VerbRescue):
			t.Errorf("%v: finish and rescue, and nothing else, move what runs", m)
		case (m.To == rota.Running) != (m.Verb == rota.VerbClaim):
			t.Errorf("%v: a claim, and nothing else, makes running", m)
		}
	}
}

func TestMayAgreesWithMoves(t *testing.T) {
	for _, from := range rota.States {
		for _, verb := range verbs {
			for _, to := range rota.States {
				if want := slices.Contains(rota.Moves, rota.Move{From: from, Verb: verb, To: to}); rota.May(from, verb, to) != want {
					t.Errorf("May(%v, %v, %v) = %v", from, verb, to, !want)
				}
			}
		}
	}
}

func TestSources(t *testing.T) {
	for verb, want := range map[rota.Verb][]rota.State{
		rota.VerbUnblock: {rota.Blocked},
		rota.VerbPromote: {rota.Scheduled},
		rota.VerbHold:    {rota.Blocked, rota.Scheduled, rota.Ready},
		rota.VerbRelease: {rota.Held},
		rota.VerbClaim:   {rota.Ready},
		rota.VerbFinish:  {rota.Running},
		rota.VerbRescue:  {rota.Running},
		rota.VerbCancel:  {rota.Blocked, rota.Scheduled, rota.Held, rota.Ready},
		rota.VerbRetry:   {rota.Scheduled, rota.Failed, rota.Cancelled},
		"no such verb":   nil,
	} {
		got := rota.Sources(verb)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("Sources(%s) = %v, want %v", verb, got, want)
		}
	}
}

func TestActsMakeMoves(t *testing.T) {
	for _, a := range append(slices.Clone(rota.Acts), rota.ActUnblock, rota.ActStarve) {
		if a == rota.ActRemove || a == rota.ActEdit || a == rota.ActDismiss {
			if a.Verb() != "" {
				t.Errorf("remove, edit and dismiss make no move, and its verb is %q", a.Verb())
			}
			continue
		}
		if len(rota.Sources(a.Verb())) == 0 {
			t.Errorf("act %s has the verb %q, which moves nothing", a, a.Verb())
		}
	}
}
