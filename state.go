package rota

import "slices"

// State is where a task stands. The numbers are stored; they never change their meaning.
type State uint8

const (
	Blocked   State = 1 // waits for other jobs
	Scheduled State = 2 // waits for a time; a retry waits here too
	Held      State = 3 // waits for somebody to release it
	Ready     State = 4 // may be claimed, unless it stands behind a gate
	Running   State = 5 // claimed by a session, which owns the attempt
	Succeeded State = 6
	Failed    State = 7
	Cancelled State = 8
)

// States are all states in the order of a task's life.
var States = []State{Blocked, Scheduled, Held, Ready, Running, Succeeded, Failed, Cancelled}

var stateNames = [...]string{Blocked: "blocked", Scheduled: "scheduled", Held: "held", Ready: "ready",
	Running: "running", Succeeded: "succeeded", Failed: "failed", Cancelled: "cancelled"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return ""
}

// Ended reports whether the task is done: only a retry by hand moves it again.
func (s State) Ended() bool { return s >= Succeeded }

// ParseState reads a state's name.
func ParseState(name string) (State, error) {
	if i := slices.Index(stateNames[:], name); i > 0 {
		return State(i), nil
	}
	return 0, Invalid("state %q: not a state; the states are blocked, scheduled, held, ready, running, succeeded, failed and cancelled", name)
}

// MarshalText writes the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a state's name.
func (s *State) UnmarshalText(b []byte) error {
	v, err := ParseState(string(b))
	*s = v
	return err
}

// Verb is why a task moves.
type Verb string

const (
	VerbUnblock Verb = "unblock" // what it waited for has ended as wished
	VerbPromote Verb = "promote" // its time has come
	VerbHold    Verb = "hold"
	VerbRelease Verb = "release"
	VerbClaim   Verb = "claim"
	VerbFinish  Verb = "finish" // the attempt ended
	VerbRescue  Verb = "rescue" // its session was lost
	VerbCancel  Verb = "cancel"
	VerbRetry   Verb = "retry" // by hand
)

// Move is one allowed change of a task's state.
type Move struct {
	From State
	Verb Verb
	To   State
}

// Moves are all changes of state there are. The store makes no other, a property test holds the server to them,
// and the diagram in the docs is drawn from them.
//
// A running task goes back to ready when its attempt never started (it is given back) or was lost, to scheduled
// when it failed and is tried again later, and to held when it was given back too often. A running task that
// somebody cancels stays running until it is dead: cancel asks, finish tells.
var Moves = []Move{
	{Blocked, VerbUnblock, Ready}, {Blocked, VerbUnblock, Scheduled},
	{Blocked, VerbHold, Held}, {Blocked, VerbCancel, Cancelled},
	{Scheduled, VerbPromote, Ready}, {Scheduled, VerbHold, Held}, {Scheduled, VerbCancel, Cancelled},
	{Scheduled, VerbRetry, Ready},
	{Held, VerbRelease, Ready}, {Held, VerbRelease, Scheduled}, {Held, VerbRelease, Blocked},
	{Held, VerbCancel, Cancelled},
	{Ready, VerbHold, Held}, {Ready, VerbCancel, Cancelled}, {Ready, VerbClaim, Running},
	{Running, VerbFinish, Succeeded}, {Running, VerbFinish, Failed}, {Running, VerbFinish, Cancelled},
	{Running, VerbFinish, Scheduled}, {Running, VerbFinish, Ready}, {Running, VerbFinish, Held},
	{Running, VerbRescue, Ready}, {Running, VerbRescue, Failed}, {Running, VerbRescue, Cancelled}, {Running, VerbRescue, Held},
	{Failed, VerbRetry, Ready}, {Cancelled, VerbRetry, Ready},
}

// May reports whether a task may move from one state to another for that reason.
func May(from State, verb Verb, to State) bool {
	return slices.Contains(Moves, Move{from, verb, to})
}

// Sources are the states that the verb moves tasks out of.
func Sources(verb Verb) []State {
	var from []State
	for _, m := range Moves {
		if m.Verb == verb && !slices.Contains(from, m.From) {
			from = append(from, m.From)
		}
	}
	return from
}
