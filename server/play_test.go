package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/storetest"
)

// play is a server, one node, and what an onlooker knows of them.
type play struct {
	s      *Server
	faulty *storetest.Faulty
	clock  *storetest.Clock
	ctx    context.Context

	keys int
	jobs map[rota.JobID]*rota.Spec // acknowledged
	ids  []rota.JobID

	elapsed rota.Elapsed // as the observer reads it
	renewed rota.Elapsed // when the session was renewed last, or opened
	lapsed  []*lapsed

	session rota.SessionID
	life    int
	seq     int64
	doubt   *rota.Exchange // sent, and not answered
	held    map[rota.Try]*rota.Assignment
	strays  []rota.Try
	old     rota.SessionID
	oldSeq  int64
	zombies []rota.Try

	seen   map[rota.TaskID]rota.Task
	sent   map[rota.Try][]rota.Outcome // what the node said of an attempt's end
	hand   map[rota.JobID]int          // retries by hand
	doomed map[rota.TaskID]bool        // was to be cancelled, and that was acknowledged
	newest map[rota.TaskID]int         // the highest attempt that was claimed
	came   map[rota.Dependency]bool    // ends of jobs that came, once
}

func newPlay(rt *rapid.T, store rota.Store, clock *storetest.Clock) *play {
	p := &play{faulty: storetest.NewFaulty(store), clock: clock, jobs: map[rota.JobID]*rota.Spec{}, held: map[rota.Try]*rota.Assignment{},
		seen: map[rota.TaskID]rota.Task{}, sent: map[rota.Try][]rota.Outcome{}, hand: map[rota.JobID]int{},
		doomed: map[rota.TaskID]bool{}, newest: map[rota.TaskID]int{}, came: map[rota.Dependency]bool{}}
	p.s = New(p.faulty, Options{Elapsed: func() rota.Elapsed { return p.elapsed }})
	p.ctx = rota.WithPrincipal(context.Background(), rota.Principal{Name: "ada", Role: rota.RoleAdmin})
	p.open(rt, nil)
	return p
}

// open begins the node's next life.
func (p *play) open(rt *rapid.T, started []rota.Try) {
	p.life++
	p.session, p.seq, p.doubt, p.strays = rota.SessionID(fmt.Sprint("life-", p.life)), 0, nil, nil
	clear(p.held)
	p.openAgain(rt, started)
}

// openAgain opens the session that there is.
func (p *play) openAgain(rt *rapid.T, started []rota.Try) {
	o := rota.Opening{Session: p.session, Key: "k", Sole: true, Started: started, TTL: rota.Duration(ttl), OnStoreLoss: rota.StoreLossKill,
		Node: rota.Node{Name: "node", Slots: 4, State: rota.NodeUp}}
	for _, l := range p.lapsed {
		o.Others = append(o.Others, l.session)
	}
	if _, err := p.s.OpenSession(p.ctx, o); err != nil {
		rt.Fatalf("open session: %v", err)
	}
	p.renewed = p.elapsed
}

// mishap lets the next call of a method fail, or its reply be lost, now and then.
func (p *play) mishap(rt *rapid.T, method string) {
	n := p.faulty.Calls(method) + 1
	switch rapid.IntRange(0, 7).Draw(rt, "mishap") {
	case 0:
		p.faulty.Plan(storetest.FailNth(method, n))
	case 1:
		p.faulty.Plan(storetest.DropNth(method, n))
	default:
		p.faulty.Plan(nil)
	}
}

// unanswered checks that an error is that of a mishap.
func (p *play) unanswered(rt *rapid.T, what string, err error) {
	if !errors.Is(err, rota.ErrUnavailable) {
		rt.Fatalf("%s: %v", what, err)
	}
}

// send makes an exchange and takes note of its answer.
func (p *play) send(rt *rapid.T, x rota.Exchange) {
	got, err := p.s.Exchange(p.ctx, x)
	if err != nil {
		p.unanswered(rt, "exchange", err)
		p.doubt = &x
		return
	}
	p.seq, p.doubt, p.strays = x.Seq, nil, nil
	refused := map[rota.Try]bool{}
	for _, r := range got.Refused {
		refused[r.Try] = true
	}
	for _, f := range x.Finished {
		if p.held[f.Try] != nil && refused[f.Try] {
			rt.Fatalf("the end of %v was refused, and it is the node's: %+v", f.Try, got.Refused)
		}
		delete(p.held, f.Try)
	}
	p.noteEnds(rt)
	for i := range got.Claimed {
		p.claimed(rt, &got.Claimed[i])
	}
}

// claimed checks that an attempt is the only one of its task (I4), newer than all before (I5), within its limits, and
// that what its job waits for has come (P15).
func (p *play) claimed(rt *rapid.T, a *rota.Assignment) {
	running, spec := 1, p.jobs[a.Task.Job()]
	for _, try := range p.running() {
		if try.Task == a.Task {
			rt.Fatalf("%v was claimed while %v runs", a.Try, try)
		}
		if try.Task.Job() == a.Task.Job() {
			running++
		}
	}
	if spec.Limit > 0 && running > spec.Limit {
		rt.Fatalf("%v was claimed as the %dth of its array at once, and %d is the limit", a.Try, running, spec.Limit)
	}
	for _, d := range spec.After {
		if d.When == rota.AfterEach {
			if on := rota.Element(d.Job, a.Task.Index()); !p.succeeded(on) && p.hand[a.Task.Job()] == 0 {
				rt.Fatalf("%v was claimed before %v, for which it waits, has succeeded", a.Try, on)
			}
			continue
		}
		if !p.came[d] && p.hand[a.Task.Job()] == 0 { // who retries by hand what starved means it
			rt.Fatalf("%v was claimed before what it waits for: %s of job %v", a.Try, d.When, d.Job)
		}
	}
	if a.Attempt <= p.newest[a.Task] {
		rt.Fatalf("%v was claimed after attempt %d", a.Try, p.newest[a.Task])
	}
	if a.Attempt > a.Limit {
		rt.Fatalf("%v was claimed over its limit %d", a.Try, a.Limit)
	}
	p.newest[a.Task] = a.Attempt
	p.held[a.Try] = a
}

// succeeded reports whether a task has.
func (p *play) succeeded(id rota.TaskID) bool {
	task, _, err := p.s.Task(p.ctx, id)
	return err == nil && task.State == rota.Succeeded
}

// covers reports whether each element of a job is one of an earlier job, too.
func (p *play) covers(s *rota.Spec, earlier rota.JobID) bool {
	on := p.jobs[earlier]
	if s.Array == nil || on.Array == nil {
		return false
	}
	for i := range s.Array.From(0) {
		if !on.Array.Has(i) {
			return false
		}
	}
	return true
}

// noteEnds takes note of how jobs ended. A retry by hand does not take it back.
func (p *play) noteEnds(rt *rapid.T) {
	jobs, err := p.s.Jobs(p.ctx, rota.JobQuery{Max: maxAnswer})
	if err != nil {
		rt.Fatalf("jobs: %v", err)
	}
	for _, job := range jobs {
		if job.Progress.Ended() {
			p.came[rota.Dependency{Job: job.ID, When: rota.AfterAny}] = true
			if job.Failed+job.Cancelled == 0 {
				p.came[rota.Dependency{Job: job.ID, When: rota.AfterOK}] = true
			}
			if job.Failed > 0 {
				p.came[rota.Dependency{Job: job.ID, When: rota.AfterFail}] = true
			}
		}
	}
}

// finish is some end of an attempt.
func (p *play) finish(rt *rapid.T, try rota.Try) rota.Finish {
	o := rapid.SampledFrom([]rota.Outcome{rota.OutcomeSucceeded, rota.OutcomeSucceeded, rota.OutcomeFailed, rota.OutcomeFailed,
		rota.OutcomeTimedOut, rota.OutcomeRefused, rota.OutcomeReturned}).Draw(rt, "outcome")
	p.sent[try] = append(p.sent[try], o)
	return rota.Finish{Try: try, Outcome: o, RetryIn: rota.Duration(seconds(rt, 30))}
}

func (p *play) sortedHeld() []rota.Try {
	return slices.SortedFunc(maps.Keys(p.held), func(a, b rota.Try) int { return cmp.Compare(a.Task, b.Task) })
}

// operated takes note of an act on a job.
func (p *play) operated(rt *rapid.T, act rota.Act, job rota.JobID, acknowledged bool) {
	switch act {
	case rota.ActRetry:
		p.hand[job]++
		maps.DeleteFunc(p.doomed, func(id rota.TaskID, _ bool) bool { return id.Job() == job })
	case rota.ActCancel, rota.ActKill:
		if !acknowledged {
			return
		}
		for _, task := range p.tasks(rt) {
			if task.ID.Job() == job && task.State != rota.Succeeded {
				p.doomed[task.ID] = true
			}
		}
	}
}

// step does background work until there is none left to do at once.
func (p *play) step(rt *rapid.T, l *loop) {
	for range 100 {
		next, err := l.step(p.ctx)
		if err != nil {
			rt.Fatalf("%s: %v", l.name, err)
		}
		if next > longBreath {
			return
		}
	}
	rt.Fatalf("%s: never comes to an end", l.name)
}

// tasks are all tasks there are.
func (p *play) tasks(rt *rapid.T) []rota.Task {
	var all []rota.Task
	q := rota.TaskQuery{Max: maxAnswer}
	for {
		page, err := p.s.Tasks(p.ctx, q)
		if err != nil {
			rt.Fatalf("tasks: %v", err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		q.After = page[len(page)-1].ID
	}
}

// observe compares all tasks with what they were. That a success is never left again (I2) is among the moves.
func (p *play) observe(rt *rapid.T) {
	p.noteEnds(rt)
	for _, task := range p.tasks(rt) {
		before, known := p.seen[task.ID]
		p.seen[task.ID] = task
		if p.jobs[task.ID.Job()] == nil {
			rt.Fatalf("task %v is of a job that nobody submitted", task.ID)
		}
		if known && !reachable(before.State, task.State) {
			rt.Fatalf("task %v went from %v to %v, and there is no such move", task.ID, before.State, task.State)
		}
		if known && (task.Attempt.Number < before.Attempt.Number || task.Limit < before.Limit) {
			rt.Fatalf("task %v: attempt %d of %d after %d of %d", task.ID, task.Attempt.Number, task.Limit, before.Attempt.Number, before.Limit)
		}
		p.judge(rt, &task)
	}
}

// judge holds one task to the promises.
func (p *play) judge(rt *rapid.T, task *rota.Task) {
	n := task.Attempt.Number
	if task.State == rota.Succeeded {
		if !slices.Contains(p.sent[rota.Try{Task: task.ID, Attempt: n}], rota.OutcomeSucceeded) {
			rt.Fatalf("task %v succeeded by attempt %d, of which nobody said so", task.ID, n)
		}
		if p.doomed[task.ID] {
			rt.Fatalf("task %v succeeded after its cancel was acknowledged", task.ID)
		}
	}
	job := task.ID.Job()
	budget := (1+*p.jobs[job].Retry.Count)*(1+p.hand[job]) + task.Lost + task.Returns
	if n > task.Limit || n > budget {
		rt.Fatalf("task %v: attempt %d; its limit is %d, and %d could be explained", task.ID, n, task.Limit, budget)
	}
	if task.Lost > rota.DefaultMaxLost+1+p.hand[job] {
		rt.Fatalf("task %v was lost %d times", task.ID, task.Lost)
	}
}

// reachable reports whether one act can have moved a task so: one move, or two where the exchange that made it
// ready claimed it too.
func reachable(from, to rota.State) bool {
	if from == to {
		return true
	}
	for _, m := range rota.Moves {
		if m.From == from && (m.To == to || m.To == rota.Ready && to == rota.Running) {
			return true
		}
	}
	return false
}

// unended are the acknowledged jobs that have not ended.
func (p *play) unended(rt *rapid.T) (left []rota.Progress) {
	for _, id := range p.ids {
		job, err := p.s.Job(p.ctx, id)
		if err != nil {
			rt.Fatalf("job %v: %v", id, err)
		}
		if !job.Progress.Ended() {
			left = append(left, job.Progress)
		}
	}
	return left
}

func seconds(rt *rapid.T, most int) time.Duration {
	return time.Duration(rapid.IntRange(0, most).Draw(rt, "seconds")) * time.Second
}
