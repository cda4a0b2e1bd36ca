package server

import (
	"errors"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/rotaqueue/rota"
)

// lapsed is a session that was lost while its keeper lives, and what goes on there because it tolerates that.
type lapsed struct {
	session rota.SessionID
	seq     int64
	held    map[rota.Try]bool
}

// freeze stops the node with all its daemons, while its keeper ends in time what is leased. Either it thaws before its
// session is lost, and goes on, or it finds it lost and begins anew. The observer is frozen at times as well, and the store
// does not always answer it.
func (p *play) freeze(rt *rapid.T) {
	hard := rapid.IntRange(0, 2).Draw(rt, "for the observer too") == 0
	for n := rapid.IntRange(4, 16).Draw(rt, "frozen"); n > 0; n-- {
		step := ttl / 8
		if hard && rapid.IntRange(0, 9).Draw(rt, "so is the observer") == 0 {
			step = ttl
		}
		p.elapsed += rota.Elapsed(step)
		if hard {
			p.mishap(rt, rapid.SampledFrom([]string{"Sessions", "LoseSession"}).Draw(rt, "call"))
		}
		if _, err := p.s.observe(p.ctx); err != nil {
			p.unanswered(rt, "observe", err)
		}
		p.faulty.Plan(nil)
		if rapid.Bool().Draw(rt, "swept") {
			p.step(rt, p.s.loops.rescuing)
		}
	}
	lost, stood := p.isLost(rt), p.elapsed.Sub(p.renewed)
	if lost && stood < ttl {
		rt.Fatalf("the session was lost %v after it was renewed", stood)
	}
	if !lost && stood < ttl-ttl/5 {
		return // nothing has ended: the next renewal comes in time
	}
	p.lapse(rt, lost)
}

func (p *play) isLost(rt *rapid.T) bool {
	_, err := p.s.Renew(p.ctx, rota.Renewal{Session: p.session, Lost: true, Seq: -1})
	if err != nil {
		rt.Fatalf("look at the session: %v", err)
	}
	all, err := p.s.store.Sessions(p.ctx)
	if err != nil {
		rt.Fatalf("sessions: %v", err)
	}
	return !slices.ContainsFunc(all, func(x rota.Session) bool { return x.ID == p.session && x.State == rota.SessionOpen })
}

// lapse has the keeper end what is leased. The daemon tells of it when it thaws, if it comes to that. If the session is
// lost, it begins another, and what tolerates the loss goes on in the first.
func (p *play) lapse(rt *rapid.T, lost bool) {
	if _, err := p.s.Renew(p.ctx, rota.Renewal{Session: p.session, State: rota.NodeUp, Seq: p.seq, Held: p.sortedHeld()}); lost != errors.Is(err, rota.ErrLeaseLost) || !lost && err != nil {
		rt.Fatalf("the session is lost: %v; its renewal: %v", lost, err)
	}
	p.renewed = p.elapsed
	if p.doubt != nil && !lost {
		return // it is sent again as it was, and tells the rest later
	}
	if p.doubt != nil { // sent once more, and without a claim; what it had claimed is found by comparing
		x := *p.doubt
		x.Claim.Max = 0
		got, err := p.s.Exchange(p.ctx, x)
		if err != nil {
			rt.Fatalf("the farewell: %+v, %v", got, err)
		}
		p.seq, p.doubt, p.strays = x.Seq, nil, nil
		for _, f := range x.Finished {
			delete(p.held, f.Try)
		}
		p.noteEnds(rt)
	}
	l := &lapsed{session: p.session, seq: p.seq, held: map[rota.Try]bool{}}
	var finished []rota.Finish
	for _, try := range p.sortedHeld() {
		switch spec := p.held[try].Spec; {
		case spec.OnStoreLoss == rota.StoreLossRun:
			l.held[try] = true
		case rapid.Bool().Draw(rt, "told"):
			finished = append(finished, rota.Finish{Try: try, Outcome: rota.OutcomeLost, Reason: "its lease was over"})
			p.sent[try] = append(p.sent[try], rota.OutcomeLost)
			delete(p.held, try)
		case lost:
			p.zombies = append(p.zombies, try)
		}
	}
	if len(finished) > 0 {
		got, err := p.s.Exchange(p.ctx, rota.Exchange{Session: p.session, Seq: p.seq + 1, Finished: finished})
		if err != nil || !lost && len(got.Refused) > 0 {
			rt.Fatalf("the ends of what was leased: %+v, %v", got, err)
		}
		p.seq++
		l.seq++
	}
	if !lost {
		return
	}
	p.lapsed = append(p.lapsed, l)
	p.open(rt, nil)
}

// outlive is what becomes of what goes on in lost sessions.
func (p *play) outlive(rt *rapid.T) {
	if len(p.lapsed) == 0 {
		rt.Skip("no session was lost")
	}
	p.compare(rt, rapid.SampledFrom(p.lapsed).Draw(rt, "session"), func(rota.Try) bool { return rapid.Bool().Draw(rt, "ends") })
}

// compare finds what is only the store's of a lost session, and ends some of the rest.
func (p *play) compare(rt *rapid.T, l *lapsed, which func(rota.Try) bool) {
	held := slices.SortedFunc(maps.Keys(l.held), compareTries)
	got, err := p.s.Renew(p.ctx, rota.Renewal{Session: l.session, Lost: true, Seq: l.seq, Held: held})
	if err != nil || len(got.Gone) > 0 || slices.ContainsFunc(got.Strays, func(t rota.Try) bool { return l.held[t] }) {
		rt.Fatalf("compare a lost session: %+v, %v", got, err)
	}
	p.ends(rt, l, which, got.Strays...)
}

// ends finishes some of what goes on in a lost session, all of which is still its, and gives back what it never had.
func (p *play) ends(rt *rapid.T, l *lapsed, which func(rota.Try) bool, strays ...rota.Try) {
	x := rota.Exchange{Session: l.session, Seq: l.seq + 1}
	for _, try := range slices.SortedFunc(maps.Keys(l.held), compareTries) {
		if which(try) {
			p.sent[try] = append(p.sent[try], rota.OutcomeSucceeded)
			x.Finished = append(x.Finished, rota.Finish{Try: try, Outcome: rota.OutcomeSucceeded})
			delete(l.held, try)
		}
	}
	theirs := len(x.Finished)
	for _, try := range strays {
		x.Finished = append(x.Finished, rota.Finish{Try: try, Outcome: rota.OutcomeReturned})
	}
	if len(x.Finished) == 0 {
		return
	}
	got, err := p.s.Exchange(p.ctx, x)
	if err != nil {
		rt.Fatalf("ends in a lost session: %v", err)
	}
	for _, r := range got.Refused {
		if slices.ContainsFunc(x.Finished[:theirs], func(f rota.Finish) bool { return f.Try == r.Try }) {
			rt.Fatalf("the end of %v, which tolerates the loss, was refused: %s", r.Try, r.Why)
		}
	}
	l.seq++
}

// keeperDies ends a keeper whose session was lost, while the node's daemon goes on.
func (p *play) keeperDies(rt *rapid.T) {
	if len(p.lapsed) == 0 {
		rt.Skip("no session was lost")
	}
	p.openAgain(rt, p.dies(rt, rapid.SampledFrom(p.lapsed).Draw(rt, "session")))
}

// dies ends what goes on in a lost session, and returns what its journal knows.
func (p *play) dies(rt *rapid.T, l *lapsed) (started []rota.Try) {
	p.lapsed = slices.DeleteFunc(slices.Clone(p.lapsed), func(x *lapsed) bool { return x == l })
	for _, try := range slices.SortedFunc(maps.Keys(l.held), compareTries) {
		if rapid.Bool().Draw(rt, "started") {
			started = append(started, try)
		}
	}
	return started
}

// running are all attempts that run, wherever that is.
func (p *play) running() []rota.Try {
	all := slices.Collect(maps.Keys(p.held))
	for _, l := range p.lapsed {
		all = slices.AppendSeq(all, maps.Keys(l.held))
	}
	return all
}

func compareTries(a, b rota.Try) int {
	if a.Task != b.Task {
		return int(min(max(a.Task-b.Task, -1), 1))
	}
	return a.Attempt - b.Attempt
}
