package crash_test

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/crash"
	"github.com/rotaqueue/rota/store/pgtest"
)

// TestClusterPooled has the nodes reach the database through pgbouncer in transaction mode, through which nobody hears
// what others tell: all is right, and what is submitted at rest waits no longer than a node takes to look by itself.
func TestClusterPooled(t *testing.T) {
	const look = 2 * time.Second
	tasks, alone := length(5_000, 300, 100), length(100, 8, 3)
	runtime.LockOSThread()
	server := pgtest.Shared(t)
	c := newCluster(t, server.Database(t), 3)
	for _, n := range c.members {
		n.env[0] = "ROTA_STORE=" + pgtest.At(c.place, pgtest.NewBouncer(t, server, 6).Address())
	}
	c.startAll()
	jobs := c.plan(tasks, kinds)
	s := c.submitAll(c.client, jobs, 1)
	s.allow(0)
	s.all.Wait()
	c.untilDone()
	acked := map[rota.JobID]rota.Elapsed{}
	first := c.members[0]
	first.signal(syscall.SIGUSR2) // what is submitted at this node others have to find
	c.comes("the node pauses", func() bool {
		nodes, err := c.client.Nodes(c.ctx)
		return err == nil && slices.ContainsFunc(nodes, func(n rota.Node) bool { return n.Name == first.name && n.State == rota.NodePaused })
	})
	for range alone {
		one := c.plan(1, []kind{{"alone", 1, func(p *planner, j *job) {
			j.runs(p)
			j.sub.Key = fmt.Sprint("alone ", len(jobs))
			j.sub.Spec.Name = j.sub.Key
		}}})
		next := c.submitAll(first.machine.client, one, 1)
		next.allow(0)
		next.all.Wait()
		acked[one[0].id] = clock.Elapsed()
		jobs = append(jobs, one...)
		c.untilDone()
	}
	s.jobs = jobs
	v := c.settle(s)
	longest := time.Duration(0)
	for _, f := range v.facts {
		if begin, ok := f.of(1, crash.Begin); ok && acked[f.ID.Job()] > 0 {
			longest = max(longest, begin.At.Sub(acked[f.ID.Job()]))
		}
	}
	if longest > bound(look+2*time.Second) { // and the machine's own time to start a process
		t.Errorf("a job that was submitted at rest began after %v", longest)
	}
	c.tellFigures(v)
	t.Logf("of %d jobs that were submitted at rest the last began after %v", alone, longest.Round(time.Millisecond))
}

// untilDone waits until nothing is left to do.
func (c *cluster) untilDone() {
	c.Helper()
	c.until("everything is done", func() bool {
		c.releaseAside()
		st, err := c.client.Status(c.ctx)
		return err == nil && st.Waiting == 0 && st.Running == 0
	})
}
