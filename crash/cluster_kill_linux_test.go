package crash_test

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/store/pgtest"
)

// TestClusterKilledAndStopped has five nodes on one PostgreSQL, of which one after the other is killed, loses its keepers
// or all that runs on it, or is stopped for between half a lease and three: no acknowledged job is lost, none succeeds
// twice, and nothing of an attempt runs any more when another begins (I1 to I6, I9, I10, P1 to P9). ROTA_SOAK=1 makes it
// 100 kills, 100 stops, 50,000 tasks and a lease of 30 seconds.
func TestClusterKilledAndStopped(t *testing.T) {
	kills, stops, tasks := length(100, 8, 3), length(100, 6, 2), length(50_000, 900, 250)
	runtime.LockOSThread() // what this thread starts dies with it; it is not unlocked, so it ends with the test
	c := newCluster(t, pgtest.Shared(t).Database(t), 5)
	s := c.startWork(tasks, kills+stops+1)
	for k := 0; kills+stops > 0; k++ {
		s.allow(k)
		c.pause(c.between(0.05, 0.4))
		c.mendDue(false)
		ok := c.healthy()
		for len(ok) < 3 && c.ctx.Err() == nil { // somebody is to see that others are lost
			c.pause(10 * time.Millisecond)
			c.mendDue(false)
			ok = c.healthy()
		}
		n := ok[c.random.IntN(len(ok))]
		if isClosed(n.life.ended) {
			t.Fatalf("%s ended by itself: %v", n.name, n.life.err)
		}
		if c.random.IntN(kills+stops) < kills {
			kills--
			c.killOne(n)
		} else {
			stops--
			c.stopOne(n)
		}
	}
	s.allow(len(s.portions) - 1)
	v := c.settle(s)
	c.tellFigures(v)
}

// killOne kills a part of a node, or all of it, which starts again after a while.
func (c *cluster) killOne(n *member) {
	c.Helper()
	switch c.random.IntN(3) {
	case 0: // what runs goes on, if the node is back in time
		c.note(n.name, "daemon killed", 0)
		n.kill(n.life)
	case 1:
		c.note(n.name, "keepers killed", 0)
		n.killKeepers()
		return
	default:
		c.note(n.name, "all killed", 0)
		n.crash()
	}
	n.later(c.between(0, 1.5), n.restart)
}

// stopOne stops a node's daemon for a while.
func (c *cluster) stopOne(n *member) {
	c.Helper()
	d := c.between(0.5, 3)
	i := c.note(n.name, "stopped", clock.Elapsed()+rota.Elapsed(d))
	n.signal(syscall.SIGSTOP)
	n.later(d, func() {
		n.signal(syscall.SIGCONT)
		c.faults[i].till = clock.Elapsed()
	})
}
