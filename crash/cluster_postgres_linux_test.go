package crash_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/store/pgtest"
)

// TestClusterPostgresKilled kills the database under load and starts it again: what was acknowledged is there, once, and
// the nodes go on by themselves. ROTA_SOAK=1 makes it 30 times and 10,000 tasks.
func TestClusterPostgresKilled(t *testing.T) {
	kills, tasks := length(30, 4, 2), length(10_000, 500, 150)
	runtime.LockOSThread()
	server := pgtest.New(t, pgtest.Durable)
	c := newCluster(t, server.Database(t), 3)
	s := c.startWork(tasks, kills+1)
	for k := range kills {
		s.allow(k)
		await(s.acks, 5)
		c.pause(c.between(0, 0.4))
		away := c.outage(k, func(immediately bool) {
			if immediately {
				server.Immediate(t)
			} else {
				server.Kill(t)
			}
			if c.random.IntN(3) == 0 { // longer than leases tolerate
				c.pause(c.between(1, 1.6))
			}
			server.Start(t)
		})
		t.Logf("the database was away for %v", away.Round(time.Millisecond))
	}
	s.allow(kills)
	c.tellFigures(c.settle(s))
}

// TestClusterStandbyPromoted kills the database and promotes its synchronous standby, again and again: nodes find it by
// their URL, and nothing acknowledged is lost. ROTA_SOAK=1 makes it 10 times and 5,000 tasks.
func TestClusterStandbyPromoted(t *testing.T) {
	times, tasks := length(10, 2, 1), length(5_000, 300, 120)
	runtime.LockOSThread()
	server := pgtest.New(t, pgtest.Durable)
	standby := server.Standby(t)
	url := server.Database(t)
	hosts := []*pgtest.Proxy{pgtest.NewProxy(t, server.Address()), pgtest.NewProxy(t, standby.Address())} // with addresses that stay
	c := newCluster(t, pgtest.At(url, hosts[0].Address(), hosts[1].Address()), 3)
	s := c.startWork(tasks, times+1)
	for k := range times {
		s.allow(k)
		await(s.acks, 5)
		c.pause(c.between(0, 0.4))
		away := c.outage(k, func(immediately bool) {
			if immediately {
				server.Immediate(t)
			} else {
				server.Kill(t)
			}
			standby.Promote(t)
		})
		t.Logf("no database was written to for %v", away.Round(time.Millisecond))
		c.untilAnswers()
		server = standby
		standby = server.Standby(t)
		hosts[k%2].Lead(standby.Address())
	}
	s.allow(times)
	c.tellFigures(c.settle(s))
}

// outage makes one, and notes it as a fault of every node.
func (c *cluster) outage(k int, make func(immediately bool)) time.Duration {
	c.Helper()
	began := clock.Elapsed()
	make(k%2 == 1)
	for _, n := range c.members {
		c.note(n.name, "database away", clock.Elapsed())
		c.faults[len(c.faults)-1].from = began
	}
	return clock.Elapsed().Sub(began)
}

// untilAnswers waits until each node has the database again.
func (c *cluster) untilAnswers() {
	c.Helper()
	for _, n := range c.members {
		c.until(n.name+" finds the database", func() bool {
			ctx, cancel := context.WithTimeout(c.ctx, answerIn)
			defer cancel()
			_, err := n.machine.client.Status(ctx)
			return err == nil
		})
	}
}
