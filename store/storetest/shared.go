package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rotaqueue/rota"
)

// RunShared holds an engine to what only several stores at once can break: open is called for one folder again and again,
// and each store that it opens writes beside the others. It is for engines that allow that.
func RunShared(t *testing.T, open Opener) {
	t.Run("P3_P5_P15_P16_P19_I2_I4_stores_write_at_once", func(t *testing.T) { writeAtOnce(t, open) })
	t.Run("D8_D14_P16_P22_limits_and_shares_of_eight_nodes", func(t *testing.T) { limitsAtOnce(t, open) })
	t.Run("P20_keys_used_at_several_stores_at_once", func(t *testing.T) { keysAtOnce(t, open) })
	t.Run("P21_one_of_several_stores_fires", func(t *testing.T) { firesAtOnce(t, open) })
	t.Run("P21_eight_stores_race_for_what_is_due", func(t *testing.T) { raceForDue(t, open) })
	t.Run("C7_a_node_that_comes_back_fires_nothing_that_has_moved", func(t *testing.T) { comeBack(t, open) })
}

// cluster is a number of stores that share what they keep, and what a witness outside of them has seen.
type cluster struct {
	stores []rota.Store
	clock  *Clock
	ctx    context.Context

	mu        sync.Mutex
	jobs      []rota.JobID // plain jobs and arrays, in the order of their submission
	limits    map[rota.JobID]int
	running   map[rota.JobID]int
	held      map[rota.TaskID]int // attempts that a node has
	successes map[rota.TaskID]int
	wrong     []string
}

func newCluster(t *testing.T, open Opener, n int) *cluster {
	dir := t.TempDir()
	c := &cluster{clock: NewClock(), ctx: context.Background(), limits: map[rota.JobID]int{}, running: map[rota.JobID]int{},
		held: map[rota.TaskID]int{}, successes: map[rota.TaskID]int{}}
	for range n {
		s := open(t, dir, c.clock)
		t.Cleanup(func() { s.Close() })
		c.stores = append(c.stores, s)
	}
	return c
}

func (c *cluster) blame(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) < 20 {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

// expected are errors that a call may meet when others write: what it asked for is gone, or has changed.
func expected(err error) bool {
	return err == nil || errors.Is(err, rota.ErrNotFound) || errors.Is(err, rota.ErrConflict)
}

func writeAtOnce(t *testing.T, open Opener) {
	c := newCluster(t, open, 4)
	var work, upkeep sync.WaitGroup
	var over atomic.Bool
	rounds := times(60)
	for i, s := range c.stores {
		upkeep.Go(func() { c.keepUp(s, &over) })
		work.Go(func() { c.submitters(s, rand.New(rand.NewPCG(uint64(i), 7)), rounds) })
		work.Go(func() { c.operators(s, rand.New(rand.NewPCG(uint64(i), 8)), rounds/2) })
		work.Go(func() { c.node(s, fmt.Sprint("node", i), rand.New(rand.NewPCG(uint64(i), 9)), rounds) })
	}
	work.Wait()
	// All that is left ends: what is held is released, what failed stays failed.
	if op, err := c.stores[0].Operate(c.ctx, rota.Operation{Act: rota.ActRelease, By: "ann"}); err != nil {
		t.Fatalf("release all: %v, %v", op, err)
	}
	c.drain(t)
	over.Store(true)
	upkeep.Wait()
	w := &world{Store: c.stores[0], clock: c.clock, ctx: c.ctx}
	w.settle(t)
	w.verify(t)
	for _, text := range c.wrong {
		t.Error(text)
	}
	for id, n := range c.successes {
		if n > 1 {
			t.Errorf("I2: task %v succeeded %d times", id, n)
		}
	}
	for _, task := range w.all(t, rota.Filter{}) {
		if !task.State.Ended() {
			t.Errorf("I1: task %v is %v at the end: %s", task.ID, task.State, task.Reason)
		}
		if (task.State == rota.Succeeded) != (c.successes[task.ID] == 1) {
			t.Errorf("I3: task %v is %v, and %d successes of it were recorded", task.ID, task.State, c.successes[task.ID])
		}
	}
	if len(c.jobs) == 0 || len(c.successes) == 0 {
		t.Error("nothing was done")
	}
}

// submitters submit jobs of all kinds, some of which wait for others.
func (c *cluster) submitters(s rota.Store, r *rand.Rand, rounds int) {
	for range rounds {
		var jobs []rota.NewJob
		for range 1 + r.IntN(3) {
			j := job(queue([]string{"default", "a", "b"}[r.IntN(3)]), retries(r.IntN(3)), rank(int64(r.IntN(3))))
			if r.IntN(4) == 0 {
				array(fmt.Sprintf("1-%d%%%d", 2+r.IntN(12), 1+r.IntN(3)))(&j)
				j.Spec.Limit = 1 + r.IntN(3)
			}
			if earlier := c.someJob(r); earlier != 0 && r.IntN(3) == 0 {
				when := rota.Whens[r.IntN(len(rota.Whens))]
				if when == rota.AfterEach && j.Spec.Array == nil {
					array("1-3")(&j)
				}
				after(when, earlier)(&j)
			}
			jobs = append(jobs, j)
		}
		results, err := s.Submit(c.ctx, jobs)
		if err != nil {
			c.blame("submit: %v", err)
			continue
		}
		c.mu.Lock()
		for i, got := range results {
			if got.Err == nil {
				c.jobs = append(c.jobs, got.Job)
				c.limits[got.Job] = jobs[i].Spec.Limit
			}
		}
		c.mu.Unlock()
	}
}

func (c *cluster) someJob(r *rand.Rand) rota.JobID {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.jobs) == 0 {
		return 0
	}
	return c.jobs[max(0, len(c.jobs)-1-r.IntN(20))]
}

// operators act on single jobs, and now and then on many.
func (c *cluster) operators(s rota.Store, r *rand.Rand, rounds int) {
	for range rounds {
		op := rota.Operation{Act: []rota.Act{rota.ActCancel, rota.ActHold, rota.ActRelease, rota.ActRetry}[r.IntN(4)], By: "ann"}
		if id := c.someJob(r); id != 0 && r.IntN(20) > 0 {
			op.Filter = whole(id)
		} else {
			op.Filter.Queue = "b"
		}
		// A retried task may succeed once more only if it had failed: that is the store's own rule.
		if _, err := s.Operate(c.ctx, op); !expected(err) {
			c.blame("%s: %v", op.Act, err)
		}
	}
}

// keepUp does all upkeep again and again.
func (c *cluster) keepUp(s rota.Store, over *atomic.Bool) {
	for !over.Load() {
		for _, what := range []rota.Upkeep{rota.SweepMake, rota.SweepPromote, rota.SweepRescue, rota.SweepOperate} {
			if _, err := s.Sweep(c.ctx, rota.Sweep{What: what}); err != nil {
				c.blame("sweep %s: %v", what, err)
			}
		}
		c.clock.Advance(1)
	}
}

// node claims and finishes, repeats exchanges, and goes away now and then with all that it runs.
func (c *cluster) node(s rota.Store, name string, r *rand.Rand, rounds int) {
	n := &nodeLife{c: c, s: s, name: name, r: r}
	n.open()
	for range rounds {
		n.exchange(1 + r.IntN(8))
		if r.IntN(40) == 0 {
			n.open() // what it ran is rescued
		}
	}
	n.exchange(0)
}

// drain lets one node run what is left.
func (c *cluster) drain(t *testing.T) {
	n := &nodeLife{c: c, s: c.stores[0], name: "last", r: rand.New(rand.NewPCG(1, 1))}
	n.open()
	for idle := 0; idle < 50; {
		if n.exchange(20); len(n.has) == 0 {
			idle++
			c.clock.Advance(3600e9)
			for _, what := range []rota.Upkeep{rota.SweepMake, rota.SweepPromote, rota.SweepRescue, rota.SweepOperate} {
				if swept, err := n.s.Sweep(c.ctx, rota.Sweep{What: what}); err != nil {
					t.Fatalf("sweep %s: %v", what, err)
				} else if swept.Moved > 0 {
					idle = 0
				}
			}
			continue
		}
		idle = 0
	}
}

// nodeLife is a node as the test plays it.
type nodeLife struct {
	c       *cluster
	s       rota.Store
	name    string
	r       *rand.Rand
	session rota.SessionID
	lives   int
	seq     int64
	has     []rota.Assignment
}

// open begins another life of the node: the one before it is lost with all that it had.
func (p *nodeLife) open() {
	for _, a := range p.has {
		p.c.letGo(a.Try)
	}
	p.has, p.seq = nil, 0
	p.lives++
	p.session = rota.SessionID(fmt.Sprint(p.name, " ", p.lives))
	_, err := p.s.OpenSession(p.c.ctx, rota.Opening{Session: p.session, Key: "key of " + p.name, Sole: true,
		Node: rota.Node{Name: p.name, Version: "1", Slots: 8, State: rota.NodeUp}})
	if err != nil {
		p.c.blame("open session: %v", err)
	}
}

// exchange finishes all that the node has and claims anew. Every so often it sends the same once more, at another store.
func (p *nodeLife) exchange(most int) {
	x := rota.Exchange{Session: p.session, Seq: p.seq + 1, Claim: rota.Claim{Max: most}}
	for _, a := range p.has {
		x.Finished = append(x.Finished, p.finish(a))
		p.c.letGo(a.Try)
	}
	got, err := p.s.Exchange(p.c.ctx, x)
	if err != nil {
		p.c.blame("exchange %d of %s: %v", x.Seq, p.session, err)
		return
	}
	if p.r.IntN(5) == 0 {
		other := p.c.stores[p.r.IntN(len(p.c.stores))]
		if again, err := other.Exchange(p.c.ctx, x); err != nil || !slices.EqualFunc(triesOf(again.Claimed), triesOf(got.Claimed),
			func(a, b rota.Try) bool { return a == b }) {
			p.c.blame("P5: exchange %d of %s repeated: %v, %v; first %v", x.Seq, p.session, triesOf(again.Claimed), err, triesOf(got.Claimed))
		}
	}
	p.seq++
	p.has = got.Claimed
	for _, a := range got.Claimed {
		p.c.begin(a.Try)
	}
	p.c.note(&x, &got)
}

func triesOf(as []rota.Assignment) (out []rota.Try) {
	for _, a := range as {
		out = append(out, a.Try)
	}
	slices.SortFunc(out, func(a, b rota.Try) int { return cmp.Compare(a.Task, b.Task) })
	return out
}

func (p *nodeLife) finish(a rota.Assignment) rota.Finish {
	exit := 0
	f := rota.Finish{Try: a.Try, Outcome: rota.OutcomeSucceeded, Exit: &exit}
	switch p.r.IntN(8) {
	case 0:
		exit, f.Outcome, f.RetryIn = 3, rota.OutcomeFailed, 1
	case 1:
		f.Exit, f.Outcome, f.Reason = nil, rota.OutcomeReturned, "given back"
	}
	return f
}

// note takes note of recorded successes. What somebody had asked to end is none, whatever its exit.
func (c *cluster) note(x *rota.Exchange, got *rota.Exchanged) {
	for _, f := range x.Finished {
		if f.Outcome != rota.OutcomeSucceeded || slices.ContainsFunc(got.Refused, func(r rota.Refusal) bool { return r.Try == f.Try }) {
			continue
		}
		task, earlier, err := c.stores[0].Task(c.ctx, f.Task)
		if err != nil {
			c.blame("task %v: %v", f.Task, err)
			continue
		}
		for _, a := range append(earlier, task.Attempt) {
			if a.Number == f.Attempt && a.Outcome == rota.OutcomeSucceeded {
				c.mu.Lock()
				c.successes[f.Task]++
				c.mu.Unlock()
			}
		}
	}
}

// begin is a claim as the witness sees it, after it is made; letGo comes before its end is told.
func (c *cluster) begin(try rota.Try) {
	c.mu.Lock()
	before := c.held[try.Task]
	c.held[try.Task] = try.Attempt
	c.running[try.Task.Job()]++
	n, limit := c.running[try.Task.Job()], c.limits[try.Task.Job()]
	c.mu.Unlock()
	if before != 0 {
		c.blame("I4: %v begins while attempt %d has not ended", try, before)
	}
	if limit > 0 && n > limit {
		c.blame("P16: %d tasks of job %v run at once, and %d may", n, try.Task.Job(), limit)
	}
}

func (c *cluster) letGo(try rota.Try) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, try.Task)
	c.running[try.Task.Job()]--
}

// keysAtOnce submits the same at several stores at the same moment.
func keysAtOnce(t *testing.T, open Opener) {
	c := newCluster(t, open, 4)
	for i := range times(100) {
		key := fmt.Sprint("key", i)
		got := make([][]rota.SubmitResult, len(c.stores))
		var work sync.WaitGroup
		for k, s := range c.stores {
			work.Go(func() {
				var err error
				if got[k], err = s.Submit(c.ctx, []rota.NewJob{job(keyed(key, "same")), job(keyed(fmt.Sprint(key, "-", k), "own"))}); err != nil {
					c.blame("submit: %v", err)
				}
			})
		}
		work.Wait()
		first := 0
		for k := range got {
			if len(got[k]) != 2 || got[k][0].Err != nil || got[k][1].Err != nil || got[k][0].Job != got[0][0].Job || got[k][1].Existing {
				t.Fatalf("round %d: %+v", i, got)
			}
			if !got[k][0].Existing {
				first++
			}
		}
		if first != 1 {
			t.Fatalf("round %d: %d of the submits made the job: %+v", i, first, got)
		}
	}
	for _, text := range c.wrong {
		t.Error(text)
	}
}

// firesAtOnce has all stores fire the same due time.
func firesAtOnce(t *testing.T, open Opener) {
	c := newCluster(t, open, 4)
	w := &world{Store: c.stores[0], clock: c.clock, ctx: c.ctx}
	sch := w.putSchedule(t, rota.OverlapAllow)
	for i := range times(50) {
		j := job()
		f := rota.Firing{Schedule: sch.Name, Version: sch.Version, Due: sch.Next, Next: sch.Next.Add(1e9), Overlap: sch.Overlap, Jobs: []rota.NewJob{j}}
		var fired, refused atomic.Int64
		var work sync.WaitGroup
		for _, s := range c.stores {
			work.Go(func() {
				switch _, err := fireOne(c.ctx, s, f); {
				case err == nil:
					fired.Add(1)
				case errors.Is(err, rota.ErrConflict):
					refused.Add(1)
				default:
					c.blame("fire: %v", err)
				}
			})
		}
		work.Wait()
		if fired.Load() != 1 || int(refused.Load()) != len(c.stores)-1 {
			t.Fatalf("I7: due time %d: fired %d times, refused %d times: %v", i, fired.Load(), refused.Load(), c.wrong)
		}
		sch.Next = f.Next
	}
}
