package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"pgregory.net/rapid"
)

func testHistory(s suite) {
	s.test("I1_to_I5_P19_random_histories", historyProperty)
}

// player does at random what nodes and people do, and remembers what must stay true.
type player struct {
	*world
	q        string
	jobs     []rota.JobID
	sessions []*session
	running  map[rota.Try]*session
	attempts map[rota.TaskID]int // the greatest seen
	final    map[rota.TaskID]bool
}

func historyProperty(t *testing.T, w *world) {
	rapid.Check(t, func(t *rapid.T) {
		p := &player{world: w, q: w.name("q"), running: map[rota.Try]*session{}, attempts: map[rota.TaskID]int{}, final: map[rota.TaskID]bool{}}
		p.sessions = []*session{w.session(t), w.session(t)}
		t.Repeat(map[string]func(*rapid.T){
			"submit": p.submits,
			"claim":  p.claims,
			"finish": p.finishes,
			"act":    p.acts,
			"lose":   p.loses,
			"sweep":  p.sweeps,
			"":       p.checks,
		})
		p.verify(t)
		p.ends(t)
		p.verify(t)
		w.operate(t, rota.ActRemove, rota.Filter{Queue: p.q}) // the next history has a small store again
	})
	w.verify(t)
}

func (p *player) submits(t *rapid.T) {
	changes := []func(*rota.NewJob){queue(p.q), rank(rapid.Int64Range(-2, 2).Draw(t, "rank")), retries(rapid.IntRange(0, 2).Draw(t, "retries")),
		maxLost(rapid.IntRange(0, 2).Draw(t, "max lost"))}
	whens := []rota.When{rota.AfterOK, rota.AfterAny, rota.AfterFail}
	if rapid.Bool().Draw(t, "array") {
		whens = rota.Whens
		changes = append(changes, array("1-"+text(rapid.IntRange(1, 5).Draw(t, "tasks"))), limit(rapid.IntRange(0, 3).Draw(t, "limit")))
	}
	switch rapid.IntRange(0, 5).Draw(t, "when") {
	case 0:
		changes = append(changes, held)
	case 1:
		changes = append(changes, at(p.clock.Now().Add(time.Minute)))
	}
	for range rapid.IntRange(0, 2).Draw(t, "dependencies") {
		if len(p.jobs) > 0 {
			when := rapid.SampledFrom(whens).Draw(t, "after")
			changes = append(changes, after(when, rapid.SampledFrom(p.jobs).Draw(t, "job")))
		}
	}
	r := p.submitResult(t, job(changes...))
	if r.Err == nil {
		p.jobs = append(p.jobs, r.Job)
	} else if !errors.Is(r.Err, rota.ErrInvalid) { // it was to wait for elements that are not there
		t.Fatalf("submit: %v", r.Err)
	}
}

func (p *player) claims(t *rapid.T) {
	s := p.sessions[p.anySession(t)]
	p.took(t, s, s.claim(t, rapid.IntRange(1, 4).Draw(t, "max"), p.q))
}

func (p *player) anySession(t *rapid.T) int {
	return rapid.IntRange(0, len(p.sessions)-1).Draw(t, "session")
}

func (p *player) took(t tb, s *session, as []rota.Assignment) {
	t.Helper()
	for _, a := range as {
		for try := range p.running {
			if try.Task == a.Task {
				t.Fatalf("I4: %v is claimed while %v runs", a.Try, try)
			}
		}
		if a.Attempt != p.attempts[a.Task]+1 {
			t.Fatalf("I5: %v is claimed after attempt %d", a.Try, p.attempts[a.Task])
		}
		p.attempts[a.Task], p.running[a.Try] = a.Attempt, s
	}
}

func (p *player) finishes(t *rapid.T) {
	if len(p.running) == 0 {
		t.Skip("nothing runs")
	}
	var all []rota.Try
	for try := range p.running {
		all = append(all, try)
	}
	slices.SortFunc(all, func(a, b rota.Try) int { return int(a.Task - b.Task) })
	try := rapid.SampledFrom(all).Draw(t, "attempt")
	s := p.running[try]
	claim := rota.Claim{Max: rapid.IntRange(0, 2).Draw(t, "max"), Queues: []string{p.q}}
	x := s.exchange(t, claim, end(try, rapid.SampledFrom(outcomes).Draw(t, "outcome")))
	if len(x.Refused) > 0 {
		t.Fatalf("the finish of a running attempt is refused: %+v", x.Refused)
	}
	delete(p.running, try)
	p.took(t, s, x.Claimed)
}

func (p *player) acts(t *rapid.T) {
	if len(p.jobs) == 0 {
		t.Skip("no jobs")
	}
	act := rapid.SampledFrom([]rota.Act{rota.ActCancel, rota.ActKill, rota.ActHold, rota.ActRelease, rota.ActRetry}).Draw(t, "act")
	p.operate(t, act, whole(rapid.SampledFrom(p.jobs).Draw(t, "job")))
}

func (p *player) loses(t *rapid.T) {
	i := p.anySession(t)
	old := p.sessions[i]
	var started []rota.Try
	for try, s := range p.running {
		if s != old {
			continue
		}
		if delete(p.running, try); try.Attempt%2 == 0 {
			started = append(started, try)
		}
	}
	p.sessions[i] = p.sessionOf(t, old.node, true, started...)
	p.sweepAll(t, rota.SweepRescue)
}

func (p *player) sweeps(t *rapid.T) {
	p.clock.Advance(30 * time.Second)
	p.sweepAll(t, rapid.SampledFrom([]rota.Upkeep{rota.SweepMake, rota.SweepPromote, rota.SweepOperate, rota.SweepRescue, rota.SweepPrune}).Draw(t, "what"))
}

// checks holds after every step.
func (p *player) checks(t *rapid.T) {
	for _, task := range p.all(t, rota.Filter{Queue: p.q}) {
		if p.final[task.ID] && task.State != rota.Succeeded {
			t.Fatalf("I2: %v was a success and is %v", task.ID, task.State)
		}
		p.final[task.ID] = task.State == rota.Succeeded
		if task.Number != p.attempts[task.ID] {
			t.Fatalf("I5: %v stands at attempt %d, and %d were claimed", task.ID, task.Number, p.attempts[task.ID])
		}
		if _, runs := p.running[rota.Try{Task: task.ID, Attempt: task.Number}]; runs != (task.State == rota.Running) {
			t.Fatalf("I4: %v is %v, and that it runs is %v", task.ID, task.State, runs)
		}
		if task.Number > task.Limit {
			t.Fatalf("I9: %v made attempt %d of %d", task.ID, task.Number, task.Limit)
		}
	}
}

// ends lets everything come to its end.
func (p *player) ends(t *rapid.T) {
	for try, s := range p.running {
		s.finish(t, end(try, rota.OutcomeSucceeded))
	}
	clear(p.running)
	for range 3 { // a job that waits for one that was held
		for _, id := range p.jobs {
			p.operate(t, rota.ActRelease, whole(id))
		}
		for range len(p.jobs) + 3 {
			p.clock.Advance(time.Hour)
			p.settle(t)
			p.sessions[0].play(t, rota.OutcomeSucceeded, p.q)
		}
	}
	for _, id := range p.jobs {
		if j := p.job(t, id); !j.Progress.Ended() || j.Ended.IsZero() {
			t.Fatalf("I1: job %v never ends: %+v", id, j.Progress)
		}
	}
}
