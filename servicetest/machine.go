package servicetest

import (
	"fmt"
	"time"

	"github.com/rotaqueue/rota"
)

// machine is a node as the Service sees it: a session that claims and finishes, with no process behind.
type machine struct {
	c    *client
	id   rota.SessionID
	name string
	seq  int64
}

// node starts a node; one of the same name takes the place of the one before.
func (w *world) node(name string, started ...rota.Try) *machine {
	w.Helper()
	m, err := w.admin.open(name, started...)
	if err != nil {
		w.Fatalf("open a session of %s: %v", name, err)
	}
	return m
}

func (c *client) open(name string, started ...rota.Try) (*machine, error) {
	m := &machine{c: c, id: rota.SessionID(fmt.Sprintf("%s-%d", name, time.Now().UnixNano())), name: name}
	_, err := m.c.OpenSession(m.c.ctx, rota.Opening{Session: m.id, Key: "key of " + name, Sole: true, Started: started,
		Node: rota.Node{Name: name, Version: "1", Platform: "linux/amd64", PID: 1, Slots: 4, Queues: []string{"*"},
			Executors: map[string]string{"exec": "1"}, State: rota.NodeUp}})
	return m, err
}

// exchange is the next exchange, which must be accepted.
func (m *machine) exchange(most int, ended ...rota.Finish) rota.Exchanged {
	m.c.w.Helper()
	got, err := m.try(rota.Exchange{Seq: m.seq + 1, Finished: ended, Claim: rota.Claim{Max: most}})
	if err != nil {
		m.c.w.Fatalf("exchange %d of %s: %v", m.seq+1, m.id, err)
	}
	m.seq++
	return got
}

func (m *machine) try(x rota.Exchange) (rota.Exchanged, error) {
	x.Session = m.id
	return m.c.Exchange(m.c.ctx, x)
}

// claim claims exactly so many tasks, waiting for them as a node does.
func (m *machine) claim(n int) []rota.Assignment {
	m.c.w.Helper()
	var got []rota.Assignment
	over := time.Now().Add(patience)
	for {
		got = append(got, m.exchange(n-len(got)).Claimed...)
		if len(got) == n {
			return got
		}
		if time.Now().After(over) {
			m.c.w.Fatalf("claimed %d tasks, and %d were to come", len(got), n)
		}
		if _, err := m.c.Await(m.c.ctx, m.id, time.Second); err != nil {
			m.c.w.Fatalf("await: %v", err)
		}
	}
}

// claimOne claims one task.
func (m *machine) claimOne() rota.Assignment {
	m.c.w.Helper()
	return m.claim(1)[0]
}

// idle checks that nothing can be claimed.
func (m *machine) idle(why string) {
	m.c.w.Helper()
	if got := m.exchange(10).Claimed; len(got) > 0 {
		m.c.w.Errorf("%s, but %v was claimed", why, got[0].Try)
	}
}

// ends finishes attempts, all with one outcome, and checks that they are recorded.
func (m *machine) ends(o rota.Outcome, as ...rota.Assignment) {
	m.c.w.Helper()
	var fs []rota.Finish
	for _, a := range as {
		fs = append(fs, finish(a.Try, o))
	}
	if refused := m.exchange(0, fs...).Refused; len(refused) > 0 {
		m.c.w.Errorf("finish as %s: refused: %+v", o, refused)
	}
}

// runs claims the tasks of a job one by one and ends each with an outcome.
func (m *machine) runs(o rota.Outcome, n int) {
	m.c.w.Helper()
	for range n {
		m.ends(o, m.claimOne())
	}
}

// finish is the end of an attempt as a keeper would report it: it wrote its number to stdout and nothing to stderr.
func finish(try rota.Try, o rota.Outcome) rota.Finish {
	stdout := int64(try.Attempt)
	f := rota.Finish{Try: try, Outcome: o, StartedAgo: rota.Duration(2 * time.Millisecond), EndedAgo: rota.Duration(time.Millisecond),
		RetryIn: rota.Duration(time.Millisecond), Written: rota.Written{Stdout: &stdout, Stderr: new(int64)}}
	exit := 0
	switch o {
	case rota.OutcomeSucceeded:
		f.Exit = &exit
	case rota.OutcomeFailed, rota.OutcomeRefused:
		exit = 3
		f.Exit, f.Reason = &exit, "it ended with 3"
	case rota.OutcomeReturned:
		f.StartedAgo, f.EndedAgo, f.Written = 0, 0, rota.Written{}
		f.Reason = "never started"
	default:
		f.Signal, f.Reason = 15, "it was ended"
	}
	return f
}
