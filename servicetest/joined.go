package servicetest

import (
	"strings"

	"github.com/rotaqueue/rota"
)

var joinedTests = []contract{
	{"P29 a node's token runs tasks from claim to end", nodeRunsTasks},
	{"P29 a node touches nothing that is another's", nodeTouchesNothing},
	{"P29 a token is the node's that uses it first", tokenOfTheFirst},
	{"P29 a token that names a node is that node's alone", tokenNamesNode},
	{"P29 a token of no node yet takes no name by force", noNameByForce},
	{"P29 a node claims nothing from other nodes' own queues", nodeClaimsElsewhere},
}

// bearer is the Service as the bearer of a token has it now.
func (w *world) bearer(t rota.Token) *client {
	w.Helper()
	p, err := w.Authenticate(w.Context(), t.Secret)
	if err != nil {
		w.Fatalf("token %s: %v", t.Name, err)
	}
	return w.as(p)
}

// joined is a node that came with a token of its own.
func (w *world) joined(name string) *machine {
	w.Helper()
	m, err := w.bearer(w.token(rota.Token{Name: name, Role: rota.RoleNode, Node: name})).open(name)
	if err != nil {
		w.Fatalf("open a session of %s: %v", name, err)
	}
	return m
}

func nodeRunsTasks(w *world) {
	id := w.kim.send(rota.Submission{Spec: run(), Input: []byte("read me")}).Job
	m := w.joined("one")
	a := m.claimOne()
	if text, size, err := m.c.Input(m.c.ctx, id, 0, 100); err != nil || string(text) != "read me" || size != 7 {
		w.Errorf("its input: %q of %d, %v", text, size, err)
	}
	if got, err := m.c.Renew(m.c.ctx, rota.Renewal{Session: m.id, State: rota.NodeUp, Seq: m.seq, Held: []rota.Try{a.Try}}); err != nil || len(got.Gone) > 0 {
		w.Errorf("its renewal: %+v, %v", got, err)
	}
	output := func(text string) error {
		return m.c.KeepOutput(m.c.ctx, a.Try, []rota.Chunk{chunk(rota.Stdout, []byte(text))})
	}
	if err := output("1"); err != nil {
		w.Errorf("its output: %v", err)
	}
	m.ends(rota.OutcomeSucceeded, a)
	if err := output("1"); err != nil {
		w.Errorf("its output, once more after the end: %v", err)
	}
	w.refused("other output after the end", output("2"), rota.ErrLeaseLost)
	equal(w, "the task", w.kim.inState(id, rota.Succeeded).Succeeded, 1)
	if err := m.c.CloseSession(m.c.ctx, m.id); err != nil {
		w.Errorf("its end: %v", err)
	}
}

func nodeTouchesNothing(w *world) {
	id := w.kim.send(rota.Submission{Spec: run(retries(0)), Input: []byte("secret")}).Job
	victim, thief := w.joined("victim"), w.joined("thief")
	a := victim.claimOne()
	fresh := w.bearer(w.token(rota.Token{Name: "fresh", Role: rota.RoleNode})) // of no node yet
	for name, c := range map[string]*client{"another node": thief.c, "a token of no node yet": fresh} {
		_, err := c.Renew(c.ctx, rota.Renewal{Session: victim.id, State: rota.NodeUp})
		w.refused(name+" renews", err, rota.ErrDenied)
		_, err = c.Exchange(c.ctx, rota.Exchange{Session: victim.id, Seq: victim.seq + 1, Finished: []rota.Finish{finish(a.Try, rota.OutcomeSucceeded)}})
		w.refused(name+" finishes", err, rota.ErrDenied)
		_, err = c.Await(c.ctx, victim.id, 0)
		w.refused(name+" awaits", err, rota.ErrDenied)
		look := rota.Look{Try: a.Try, Stream: rota.Stdout, Max: 1, Number: 1}
		w.refused(name+" shows output", c.ShowOutput(c.ctx, look, rota.Output{Data: []byte("x")}), rota.ErrDenied)
		w.refused(name+" keeps output", c.KeepOutput(c.ctx, a.Try, []rota.Chunk{chunk(rota.Stdout, []byte("x"))}), rota.ErrDenied)
		_, _, err = c.Input(c.ctx, id, 0, 1)
		w.refused(name+" reads input", err, rota.ErrDenied)
		w.refused(name+" closes", c.CloseSession(c.ctx, victim.id), rota.ErrDenied)
		_, err = c.OpenSession(c.ctx, rota.Opening{Session: victim.id, Key: "key of victim", Sole: true, Node: rota.Node{Name: "thief", Slots: 1}})
		w.refused(name+" takes it over", err, rota.ErrConflict)
	}
	// In an exchange of its own it cannot end what the other runs.
	got, err := thief.try(rota.Exchange{Seq: thief.seq + 1, Finished: []rota.Finish{finish(a.Try, rota.OutcomeSucceeded)}})
	if err != nil || len(got.Refused) != 1 {
		w.Errorf("another's attempt finished: %+v, %v", got, err)
	}
	victim.ends(rota.OutcomeFailed, a) // nothing has become of it
	equal(w, "the task", w.kim.inState(id, rota.Failed).Failed, 1)
	ended := rota.Look{Try: a.Try, Stream: rota.Stdout, Max: 1, Number: 1}
	if err := victim.c.ShowOutput(victim.c.ctx, ended, rota.Output{Data: []byte("x")}); err != nil {
		w.Errorf("output of what has ended, shown to nobody: %v", err)
	}
	w.refused("output of what has ended", victim.c.KeepOutput(victim.c.ctx, a.Try, nil), rota.ErrLeaseLost)
	_, err = victim.c.Renew(victim.c.ctx, rota.Renewal{Session: "nobody-knows"})
	w.refused("a session that is not there", err, rota.ErrLeaseLost)
}

func tokenOfTheFirst(w *world) {
	t := w.token(rota.Token{Name: "spare", Role: rota.RoleNode})
	if _, err := w.bearer(t).open("one"); err != nil {
		w.Fatal(err)
	}
	_, err := w.bearer(t).open("two")
	w.refused("another node", err, rota.ErrDenied)
	if fix := rota.FixOf(err); !strings.Contains(fix, "rota node token two") {
		w.Errorf("what mends it: %q", fix)
	}
	m, err := w.bearer(t).open("one")
	if err != nil {
		w.Fatalf("the same node again: %v", err)
	}
	m.exchange(1)
	all, err := w.admin.Tokens(w.admin.ctx)
	if err != nil || len(all) != 1 || all[0].Node != "one" {
		w.Errorf("tokens: %+v, %v", all, err)
	}
}

func tokenNamesNode(w *world) {
	t := w.token(rota.Token{Name: "of-one", Role: rota.RoleNode, Node: "one"})
	_, err := w.bearer(t).open("two")
	w.refused("another node", err, rota.ErrDenied)
	if _, err := w.bearer(t).open("one"); err != nil {
		w.Errorf("its node: %v", err)
	}
	for what, t := range map[string]rota.Token{
		"a node's token with another role": {Name: "t", Role: rota.RoleOperator, Node: "one"},
		"a node's name that cannot be":     {Name: "t", Role: rota.RoleNode, Node: "a b"},
	} {
		_, err := w.admin.CreateToken(w.admin.ctx, t)
		w.refused(what, err, rota.ErrInvalid)
	}
}

func noNameByForce(w *world) {
	w.node("main") // in the server's own process
	fresh := w.bearer(w.token(rota.Token{Name: "fresh", Role: rota.RoleNode}))
	o := rota.Opening{Session: "x", Key: "its own key", Sole: true, Force: true, Node: rota.Node{Name: "main", Slots: 1}}
	_, err := fresh.OpenSession(fresh.ctx, o)
	w.refused("by a token of no node yet", err, rota.ErrConflict)
	named := w.bearer(w.token(rota.Token{Name: "main", Role: rota.RoleNode, Node: "main"}))
	if _, err := named.OpenSession(named.ctx, o); err != nil {
		w.Errorf("by that name's token: %v", err)
	}
}

func nodeClaimsElsewhere(w *world) {
	w.kim.submit(run(queued("@one")))
	other := w.joined("two")
	got, err := other.try(rota.Exchange{Seq: 1, Claim: rota.Claim{Max: 5, Queues: []string{"@one"}}})
	if err != nil || len(got.Claimed) != 0 {
		w.Errorf("claimed %+v, %v", got.Claimed, err)
	}
	m := w.joined("one")
	got, err = m.try(rota.Exchange{Seq: 1, Claim: rota.Claim{Max: 5, Queues: []string{"@one", "*"}}})
	if err != nil || len(got.Claimed) != 1 {
		w.Errorf("its own: claimed %+v, %v", got.Claimed, err)
	}
}
