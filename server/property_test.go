package server

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/sqlstore"
	"github.com/rotaqueue/rota/store/storetest"
)

// TestPropertyNothingIsLost drives a server on SQLite through whatever users, a node that crashes, is frozen and thaws, a
// stepped clock and lost replies can do to it, and holds it to I1, I2, I4, I5, I9 and I10, to P1, P8, P15 and P16, to
// rota.Moves, and the store to what it keeps twice.
func TestPropertyNothingIsLost(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		clock := storetest.NewClock()
		store, err := sqlstore.Open(context.Background(), filepath.Join(dir, fmt.Sprint(n, ".db")), sqlstore.Options{Now: clock.Now})
		if err != nil {
			rt.Fatal(err)
		}
		defer store.Close()
		p := newPlay(rt, store, clock)
		actions := map[string]func(*rapid.T){"": p.observe, "again": p.again, "renew": p.renew, "crash": p.crash, "late": p.late,
			"operate": p.operate, "upkeep": p.upkeep,
			"frozen": p.freeze, "outlives": p.outlive, "outlives, again": p.outlive, "its keeper dies": p.keeperDies}
		for i := range 3 { // what happens most
			actions[fmt.Sprint("submit ", i)] = p.submit
			actions[fmt.Sprint("exchange ", i)] = p.exchange
			actions[fmt.Sprint("exchange, again ", i)] = p.exchange
			actions[fmt.Sprint("time ", i)] = p.time
		}
		rt.Repeat(actions)
		p.letGo(rt)
		if differences, err := store.Verify(context.Background()); err != nil || len(differences) > 0 {
			rt.Fatalf("the store at the end: %v, error %v", differences, err)
		}
	})
}

// submit submits a job of some shape under a key, and asks again with the same key while there is no answer.
func (p *play) submit(rt *rapid.T) {
	sub := rota.Submission{Spec: p.spec(rt), Key: fmt.Sprint("key-", p.keys)}
	p.keys++
	p.mishap(rt, "Submit")
	got, err := p.s.Submit(p.ctx, sub)
	if err != nil {
		p.unanswered(rt, "submit", err)
		p.faulty.Plan(nil)
		if got, err = p.s.Submit(p.ctx, sub); err != nil {
			rt.Fatalf("submit again: %v", err)
		}
	}
	if p.jobs[got.Job] != nil {
		rt.Fatalf("submit: job %v was another's", got.Job)
	}
	p.jobs[got.Job] = &sub.Spec
	p.ids = append(p.ids, got.Job)
}

func (p *play) spec(rt *rapid.T) rota.Spec {
	retries := rapid.IntRange(0, 2).Draw(rt, "retries")
	s := rota.Spec{Argv: []string{"true"}, Retry: &rota.Retry{Count: &retries},
		OnStoreLoss: rapid.SampledFrom([]rota.OnStoreLoss{"", rota.StoreLossKill, rota.StoreLossRun}).Draw(rt, "on store loss"),
		Priority:    rapid.IntRange(-1, 1).Draw(rt, "priority"), Hold: rapid.IntRange(0, 9).Draw(rt, "hold") == 0}
	if size := rapid.IntRange(-4, 5).Draw(rt, "array"); size > 0 {
		s.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: size}}}
		s.Limit = rapid.IntRange(0, 2).Draw(rt, "limit")
	}
	if rapid.IntRange(0, 4).Draw(rt, "timed") == 0 {
		s.At = p.clock.Now().Add(seconds(rt, 60))
	}
	if len(p.ids) > 0 {
		for range rapid.IntRange(-2, 2).Draw(rt, "after") {
			s.After = append(s.After, rota.Dependency{Job: rapid.SampledFrom(p.ids).Draw(rt, "job"),
				When: rapid.SampledFrom(rota.Whens).Draw(rt, "when")})
		}
	}
	s.After = slices.DeleteFunc(s.After, func(d rota.Dependency) bool { return d.When == rota.AfterEach && !p.covers(&s, d.Job) })
	return s
}

// exchange finishes some of what the node holds and claims more.
func (p *play) exchange(rt *rapid.T) {
	if p.doubt != nil {
		rt.Skip("one exchange at a time")
	}
	x := rota.Exchange{Session: p.session, Seq: p.seq + 1, Claim: rota.Claim{Max: rapid.IntRange(0, 4).Draw(rt, "max")}}
	for _, try := range p.sortedHeld() {
		if rapid.Bool().Draw(rt, "ends") {
			x.Finished = append(x.Finished, p.finish(rt, try))
		}
	}
	for _, try := range p.strays {
		x.Finished = append(x.Finished, rota.Finish{Try: try, Outcome: rota.OutcomeReturned})
	}
	for _, try := range p.sortedHeld() {
		stale := rota.Try{Task: try.Task, Attempt: try.Attempt - 1}
		if len(p.sent[stale]) > 0 && rapid.Bool().Draw(rt, "stale") { // told once more, and otherwise
			x.Finished = append(x.Finished, p.finish(rt, stale))
		}
	}
	p.mishap(rt, "Exchange")
	p.send(rt, x)
}

// again repeats an exchange that got no answer.
func (p *play) again(rt *rapid.T) {
	if p.doubt == nil {
		rt.Skip("every exchange was answered")
	}
	p.faulty.Plan(nil)
	p.send(rt, *p.doubt)
}

// renew compares what the node holds with what the store has as its.
func (p *play) renew(rt *rapid.T) {
	got, err := p.s.Renew(p.ctx, rota.Renewal{Session: p.session, State: rota.NodeUp, Seq: p.seq, Held: p.sortedHeld()})
	if err != nil {
		rt.Fatalf("renew: %v", err)
	}
	p.strays, p.renewed = got.Strays, p.elapsed
	for _, try := range got.Gone {
		rt.Fatalf("%v runs, and the store does not know it", try)
	}
	for _, e := range got.Ending {
		if p.held[e.Try] == nil && p.doubt == nil {
			rt.Fatalf("%v is to end, and does not run", e.Try)
		}
	}
}

// crash ends the node with all that it runs, and starts it again. Its journal knows what was started.
func (p *play) crash(rt *rapid.T) {
	if rapid.IntRange(0, 2).Draw(rt, "crashes") > 0 {
		rt.Skip("it does not")
	}
	var started []rota.Try
	for _, try := range p.sortedHeld() {
		if rapid.IntRange(0, 3).Draw(rt, "started") > 0 {
			started = append(started, try)
			p.zombies = append(p.zombies, try)
		}
	}
	p.old, p.oldSeq = p.session, p.seq
	if rapid.IntRange(0, 3).Draw(rt, "cleanly") == 0 {
		if err := p.s.CloseSession(p.ctx, p.session); err != nil {
			rt.Fatalf("close session: %v", err)
		}
	}
	for _, l := range p.lapsed {
		if rapid.Bool().Draw(rt, "with all keepers") {
			started = append(started, p.dies(rt, l)...)
		}
	}
	p.open(rt, started)
}

// late is a finish by a session that is gone: it counts only while nobody else has the task.
func (p *play) late(rt *rapid.T) {
	if len(p.zombies) == 0 || p.old == "" {
		rt.Skip("no session is gone that ran something")
	}
	f := p.finish(rt, rapid.SampledFrom(p.zombies).Draw(rt, "attempt"))
	// The old daemon may not know what its last exchange did, so it may be told that its number is not the next.
	_, _ = p.s.Exchange(p.ctx, rota.Exchange{Session: p.old, Seq: p.oldSeq + 1, Finished: []rota.Finish{f}})
	p.oldSeq++
}

// operate does something to some jobs.
func (p *play) operate(rt *rapid.T) {
	if len(p.ids) == 0 {
		rt.Skip("there is no job")
	}
	act := rapid.SampledFrom([]rota.Act{rota.ActCancel, rota.ActKill, rota.ActHold, rota.ActRelease, rota.ActRetry}).Draw(rt, "act")
	job := rapid.SampledFrom(p.ids).Draw(rt, "job")
	p.mishap(rt, "Operate")
	_, err := p.s.Operate(p.ctx, rota.Operation{Act: act, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}}})
	p.faulty.Plan(nil)
	if err != nil {
		p.unanswered(rt, "operate", err)
	}
	p.operated(rt, act, job, err == nil)
}

// time lets the store's clock go on, and what is due become ready.
func (p *play) time(rt *rapid.T) {
	p.clock.Advance(seconds(rt, 90))
	p.step(rt, p.s.loops.promoting)
}

// upkeep does a step of some background work.
func (p *play) upkeep(rt *rapid.T) {
	p.step(rt, rapid.SampledFrom(p.s.loops.all(false)).Draw(rt, "loop"))
}

// letGo lets go of everything, drives it to the end, and checks that all that was acknowledged has ended (I1).
func (p *play) letGo(rt *rapid.T) {
	p.faulty.Plan(nil)
	if p.doubt != nil {
		p.send(rt, *p.doubt)
		p.observe(rt)
	}
	for range 100 {
		p.clock.Advance(rota.DefaultRetryCap.D())
		for _, l := range p.s.loops.all(false) {
			p.step(rt, l)
			p.observe(rt)
		}
		for _, job := range p.ids {
			p.operated(rt, rota.ActRelease, job, true)
			if _, err := p.s.Operate(p.ctx, rota.Operation{Act: rota.ActRelease, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}}}); err != nil {
				rt.Fatalf("release: %v", err)
			}
		}
		p.observe(rt)
		x := rota.Exchange{Session: p.session, Seq: p.seq + 1, Claim: rota.Claim{Max: 50}}
		for _, try := range p.sortedHeld() {
			p.sent[try] = append(p.sent[try], rota.OutcomeSucceeded)
			x.Finished = append(x.Finished, rota.Finish{Try: try, Outcome: rota.OutcomeSucceeded})
		}
		for _, try := range p.strays {
			x.Finished = append(x.Finished, rota.Finish{Try: try, Outcome: rota.OutcomeReturned})
		}
		p.send(rt, x)
		for _, l := range p.lapsed {
			p.compare(rt, l, func(rota.Try) bool { return true })
		}
		p.observe(rt)
		if len(p.unended(rt)) == 0 {
			return
		}
	}
	rt.Fatalf("after all was let go, these have not ended: %+v", p.unended(rt))
}
