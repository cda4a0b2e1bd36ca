package storetest

import (
	"fmt"

	"github.com/rotaqueue/rota"
)

// session is a node's session as a test plays it: it numbers its exchanges.
type session struct {
	w    *world
	id   rota.SessionID
	node string
	seq  int64
}

// session opens a session of a node of its own.
func (w *world) session(t tb) *session {
	t.Helper()
	return w.sessionOf(t, w.name("node"), false)
}

func (w *world) sessionOf(t tb, node string, sole bool, started ...rota.Try) *session {
	t.Helper()
	s := &session{w: w, id: rota.SessionID(w.name("session")), node: node}
	if got, err := w.OpenSession(w.ctx, s.opening(sole, started...)); err != nil || got.Seq != 0 {
		t.Fatalf("open session %s of %s: %v", s.id, node, err)
	}
	return s
}

func (s *session) opening(sole bool, started ...rota.Try) rota.Opening {
	return rota.Opening{Session: s.id, Key: "key of " + s.node, Sole: sole, Started: started,
		Node: rota.Node{Name: s.node, Version: "1", Platform: "linux/amd64", PID: 7, Slots: 4, Queues: []string{"*"},
			Executors: map[string]string{"exec": "1"}, State: rota.NodeUp}}
}

// try sends an exchange under the next number; one that fails does not use the number up.
func (s *session) try(c rota.Claim, fs ...rota.Finish) (rota.Exchanged, error) {
	x, err := s.w.Exchange(s.w.ctx, rota.Exchange{Session: s.id, Seq: s.seq + 1, Finished: fs, Claim: c})
	if err == nil {
		s.seq++
	}
	return x, err
}

func (s *session) exchange(t tb, c rota.Claim, fs ...rota.Finish) rota.Exchanged {
	t.Helper()
	x, err := s.try(c, fs...)
	if err != nil {
		t.Fatalf("exchange %d of %s: %v", s.seq+1, s.id, err)
	}
	if len(x.Claimed) > c.Max {
		t.Fatalf("asked for %d tasks at most, got %d", c.Max, len(x.Claimed))
	}
	return x
}

// claim claims, from the queues with patterns.
func (s *session) claim(t tb, most int, queues ...string) []rota.Assignment {
	t.Helper()
	return s.exchange(t, rota.Claim{Max: most, Queues: queues}).Claimed
}

// claimOne claims exactly the one task that is there.
func (s *session) claimOne(t tb, want rota.TaskID) rota.Try {
	t.Helper()
	got := s.claim(t, 2)
	if len(got) != 1 || got[0].Task != want {
		t.Fatalf("claimed %v, want %v alone", ids(got), want)
	}
	return got[0].Try
}

// finish records ends, of which none is to be refused.
func (s *session) finish(t tb, fs ...rota.Finish) {
	t.Helper()
	if x := s.exchange(t, rota.Claim{}, fs...); len(x.Refused) > 0 {
		t.Fatalf("finish refused: %+v", x.Refused)
	}
}

// refused records an end that is to be refused.
func (s *session) refused(t tb, f rota.Finish) {
	t.Helper()
	x := s.exchange(t, rota.Claim{}, f)
	if len(x.Refused) != 1 || x.Refused[0].Try != f.Try || x.Refused[0].Why == "" {
		t.Fatalf("finish of %v: refused %+v, want it refused with a reason", f.Try, x.Refused)
	}
}

// end is the end of an attempt with all that such an outcome brings along.
func end(try rota.Try, o rota.Outcome) rota.Finish {
	f := rota.Finish{Try: try, Outcome: o, StartedAgo: 2_000_000, EndedAgo: 1_000_000}
	code := map[rota.Outcome]int{rota.OutcomeSucceeded: 0, rota.OutcomeFailed: 1, rota.OutcomeRefused: 127}
	if c, ok := code[o]; ok {
		f.Exit = &c
	}
	if o != rota.OutcomeSucceeded {
		f.Reason = fmt.Sprint("it ", o)
	}
	if o == rota.OutcomeReturned {
		f.StartedAgo, f.EndedAgo = 0, 0
	}
	return f
}

func ends(as []rota.Assignment, o rota.Outcome) []rota.Finish {
	fs := make([]rota.Finish, len(as))
	for i, a := range as {
		fs[i] = end(a.Try, o)
	}
	return fs
}

func ids(as []rota.Assignment) []rota.TaskID {
	all := make([]rota.TaskID, len(as))
	for i, a := range as {
		all[i] = a.Task
	}
	return all
}

func tries(as []rota.Assignment) []rota.Try {
	all := make([]rota.Try, len(as))
	for i, a := range as {
		all[i] = a.Try
	}
	return all
}

// play claims and finishes everything that can be claimed until nothing is left.
func (s *session) play(t tb, o rota.Outcome, queues ...string) int {
	t.Helper()
	n := 0
	got := s.claim(t, 50, queues...)
	for len(got) > 0 {
		n += len(got)
		x := s.exchange(t, rota.Claim{Max: 50, Queues: queues}, ends(got, o)...)
		if len(x.Refused) > 0 {
			t.Fatalf("finish refused: %+v", x.Refused)
		}
		got = x.Claimed
	}
	return n
}
