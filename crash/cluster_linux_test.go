package crash_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/crash"
)

// bound is what a time may be at most that is promised: in a soak just that; else far more, for a machine that is busy with
// other tests.
func bound(promised time.Duration) time.Duration {
	return promised + time.Duration(length(0, 60, 60))*time.Second
}

// ttl is how long a lease of the cluster tests lasts.
func ttl() time.Duration { return time.Duration(length(30, 2, 2)) * time.Second }

// cluster is nodes with data folders of their own on one database, and what they share: the witness, the ledger, and a
// client that goes to any of them.
type cluster struct {
	*machine
	members []*member
	client  *anyone
	faults  []fault
}

// member is a node of the cluster, from one life to the next.
type member struct {
	*machine
	life   *life
	mend   func()    // what ends the fault that it has; nil: it has none
	mendAt time.Time // when
}

// fault is something that was done to a node, from when to when.
type fault struct {
	node       string
	what       string
	from, till rota.Elapsed // till is 0 for one that does not end by itself
}

func newCluster(t *testing.T, url string, nodes int, env ...string) *cluster {
	c := &cluster{machine: newGround(t)}
	c.place = url
	for i := range nodes {
		c.members = append(c.members, &member{machine: c.beside(fmt.Sprint("n", i+1), url, env)})
	}
	c.client = newAnyone(c.members, c.random.Uint64())
	return c
}

// beside is a machine of the cluster.
func (c *cluster) beside(name, url string, env []string) *machine {
	c.Helper()
	m := *c.machine
	m.name, m.dir = name, c.file(name)
	m.env = append([]string{"ROTA_STORE=" + url, "ROTA_TTL=" + ttl().String()}, env...)
	if err := os.Mkdir(m.dir, 0o700); err != nil {
		c.Fatal(err)
	}
	m.furnish()
	return &m
}

// withLong are the kinds of jobs, and one whose attempts outlast leases: they have to be ended before others take them.
func withLong() []kind {
	return append(slices.Clone(kinds), kind{"long", 6, func(p *planner, j *job) { j.runs(p, "-leave", "-for", (2 * ttl()).String()) }})
}

// startAll starts all nodes and waits until they serve.
func (c *cluster) startAll() {
	c.Helper()
	for _, n := range c.members {
		n.life = n.start()
	}
	for _, n := range c.members {
		n.untilUp(n.life)
	}
}

// startWork starts all nodes, and gives them about so many tasks in portions.
func (c *cluster) startWork(tasks, portions int) *submission {
	c.Helper()
	c.startAll()
	return c.submitAll(c.client, c.plan(tasks, withLong()), portions)
}

// note writes a fault down.
func (c *cluster) note(node, what string, till rota.Elapsed) int {
	c.faults = append(c.faults, fault{node, what, clock.Elapsed(), till})
	return len(c.faults) - 1
}

// later has the member mended after some time; until then nothing else is done to it.
func (n *member) later(d time.Duration, mend func()) { n.mend, n.mendAt = mend, time.Now().Add(d) }

// healthy are the members to which something may be done.
func (c *cluster) healthy() (ok []*member) {
	for _, n := range c.members {
		if n.mend == nil {
			ok = append(ok, n)
		}
	}
	return ok
}

// mendDue mends whose time has come; all waits for the others too.
func (c *cluster) mendDue(all bool) {
	c.Helper()
	for _, n := range c.members {
		if n.mend == nil || !all && time.Now().Before(n.mendAt) {
			continue
		}
		c.pause(time.Until(n.mendAt))
		mend := n.mend
		n.mend = nil
		mend()
	}
}

// settle mends all, waits until everything was acknowledged and is done, ends the nodes, and judges.
func (c *cluster) settle(s *submission) *verdict {
	c.Helper()
	c.mendDue(true)
	for _, n := range c.members {
		n.untilUp(n.life)
	}
	all := make(chan struct{})
	go func() {
		s.all.Wait()
		close(all)
	}()
	c.until("everything is acknowledged", func() bool { return isClosed(all) })
	c.untilDone()
	c.until("nothing runs any more", func() bool { return len(crash.Marked(c.mark)) == 0 })
	c.client.Close()
	for _, n := range c.members {
		n.stop(n.life)
	}
	v := c.judge(s.jobs)
	v.checkAll()
	return v
}

// releaseAside releases what was set aside because its keepers were killed under it again and again (P7).
func (c *cluster) releaseAside() {
	tasks, err := c.client.Tasks(c.ctx, rota.TaskQuery{Filter: rota.Filter{States: []rota.State{rota.Held}}, Max: 1000})
	if err != nil {
		return // asked again
	}
	for _, task := range tasks {
		c.Logf("task %v was set aside, and is released: %s", task.ID, task.Reason)
		_, _ = c.client.Operate(c.ctx, rota.Operation{Act: rota.ActRelease, Filter: rota.Filter{Tasks: []rota.Span{{First: task.ID, Last: task.ID}}}})
	}
}

// until waits for something that comes, as long as the jobs go on meanwhile.
func (c *cluster) until(what string, is func() bool) {
	c.Helper()
	patience := 60 + int64(3*ttl()/time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	beats := c.pulse.since()
	for was := int64(0); !is(); {
		if info, err := os.Stat(c.file("witness")); err == nil && info.Size() != was {
			was, beats = info.Size(), c.pulse.since()
		}
		for _, n := range c.members {
			if n.mend == nil && isClosed(n.life.ended) {
				c.giveUp()
				c.Fatalf("%s ended by itself: %v", n.name, n.life.err)
			}
		}
		select {
		case <-tick.C:
			if beats() <= patience {
				continue
			}
		case <-c.ctx.Done():
		}
		c.tellUnended()
		for _, n := range c.members {
			n.tellStacks(n.life)
		}
		c.giveUp()
		c.Fatalf("nothing moves any more, or the time is over, and not yet true: %s (%v)", what, c.pulse)
	}
}

// tellUnended says what waits for ever.
func (c *cluster) tellUnended() {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), 10*time.Second)
	defer cancel()
	states := []rota.State{rota.Blocked, rota.Scheduled, rota.Held, rota.Ready, rota.Running}
	tasks, err := c.client.Tasks(ctx, rota.TaskQuery{Filter: rota.Filter{States: states}, Max: 10})
	if err != nil {
		c.Error(err)
	}
	for _, task := range tasks {
		c.Errorf("I1: task %v (%s) does not end: %+v", task.ID, task.Name, task)
	}
	nodes, err := c.client.Nodes(ctx)
	c.Logf("nodes: %+v, %v", nodes, err)
}

// signal sends a signal to the daemon.
func (n *member) signal(s syscall.Signal) {
	n.Helper()
	if err := n.life.cmd.Process.Signal(s); err != nil {
		n.Fatal(err)
	}
}

// crash ends all of the machine's, as a loss of power does: the daemon, its keepers, and what they run.
func (n *member) crash() {
	n.kill(n.life)
	n.killKeepers()
	for alive := true; alive && n.ctx.Err() == nil; {
		alive = false
		for _, p := range crash.Marked(n.mark) {
			if p.Node() == n.name {
				alive = true
				_ = syscall.Kill(p.PID, syscall.SIGKILL)
			}
		}
	}
}

// restart starts the node again.
func (n *member) restart() { n.life = n.start() }

// recoveries are how long it took from each fault that cost an attempt its life until the next attempt of its task began.
func (c *cluster) recoveries(v *verdict) (took []time.Duration) {
	for _, f := range v.facts {
		for _, a := range f.tries {
			if a.Outcome != rota.OutcomeLost {
				continue
			}
			begin, began := f.of(a.Number, crash.Begin)
			next, again := f.of(a.Number+1, crash.Begin)
			if !began || !again {
				continue
			}
			if at := c.faultOf(a.Node, begin.At, next.At); at > 0 {
				took = append(took, next.At.Sub(at))
			}
		}
	}
	slices.Sort(took)
	return took
}

// faultOf is when the node's last fault began before the next attempt: the first in which the attempt can have been lost.
func (c *cluster) faultOf(node string, begin, next rota.Elapsed) rota.Elapsed {
	for _, f := range c.faults {
		if f.node == node && f.from < next && (f.till == 0 && f.from >= begin || f.till > begin) {
			return max(f.from, begin)
		}
	}
	return 0
}

// tellFigures says how much was tried, and what it proves that nothing went wrong.
func (c *cluster) tellFigures(v *verdict) (p99 time.Duration) {
	c.Helper()
	kinds := map[string]int{}
	for _, f := range c.faults {
		kinds[f.what]++
	}
	var attempts, after, lost, again int
	for _, f := range v.facts {
		attempts += len(f.tries)
		lost += f.count(rota.OutcomeLost)
		for number := 2; number <= f.Number; number++ {
			if _, began := f.of(number, crash.Begin); began {
				after++
			}
		}
	}
	for _, f := range v.facts {
		for _, a := range f.tries {
			if end, ended := f.of(a.Number, crash.End); ended && end.Exit == 0 && a.Outcome == rota.OutcomeLost {
				again++
			}
		}
	}
	took := c.recoveries(v)
	var p50 time.Duration
	if n := len(took); n > 0 {
		p50, p99 = took[n/2].Round(time.Millisecond), took[min(n-1, n*99/100)].Round(time.Millisecond)
	}
	c.Logf("%d nodes, %d faults %v, %d jobs (%d acknowledged when they were already there), %d tasks, %d attempts, %d lost to faults (%d of them had done their work); "+
		"from a fault to the next attempt: p50 %v, p99 %v of %d", len(c.members), len(c.faults), kinds, len(v.jobs), v.acknowledgedAgain(), len(v.facts), attempts, lost, again, p50, p99, len(took))
	c.Logf("lost %d, doubled %d of %d tasks: none in so many proves less than %.5f at 95 %%; overlaps %d of %d attempts that followed another: less than %.5f",
		v.said["I1"], v.said["I2"]+v.said["I3"], len(v.facts), 3/float64(len(v.facts)), v.said["I4"]+v.said["I6"], after, 3/float64(max(after, 1)))
	return p99
}

// between is a random time between parts of a lease.
func (c *cluster) between(least, most float64) time.Duration {
	return time.Duration((least + c.random.Float64()*(most-least)) * float64(ttl()))
}
