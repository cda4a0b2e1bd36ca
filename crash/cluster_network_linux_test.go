package crash_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/crash/network"
	"github.com/rotaqueue/rota/store/pgtest"
)

// cuts are what is done to a host's network until it is mended.
var cuts = []struct {
	name string
	do   func(h *network.Host)
}{
	{"cut", func(h *network.Host) { h.Drop(network.Both) }},
	{"says nothing", func(h *network.Host) { h.Drop(network.Out) }},
	{"hears nothing", func(h *network.Host) { h.Drop(network.In) }},
	{"cable pulled", (*network.Host).Pull},
	{"slow", func(h *network.Host) { h.Slow(network.Both, 4000) }},
	{"loses much", func(h *network.Host) { h.Lose(network.Both, 40) }},
	{"flaps", nil},
}

// TestClusterCut has nodes on hosts of their own, and the database on another, and cuts one host after the other off:
// wholly, in one direction, half open, slow, again and again. What it ran is ended before others take it, and that is
// within a lease and five seconds (I1 to I6, P1, P2, P8). ROTA_SOAK=1 makes it 60 cuts and 10,000 tasks.
func TestClusterCut(t *testing.T) {
	times, tasks := length(60, 7, 3), length(10_000, 500, 200)
	runtime.LockOSThread()
	net := network.New(t, 4)
	server := pgtest.New(t, "listen_addresses=127.0.0.1,"+net.Address)
	c := newCluster(t, server.Database(t), len(net.Hosts))
	for i, n := range c.members {
		n.host = net.Hosts[i]
		n.env[0] = "ROTA_STORE=" + pgtest.At(c.place, server.AddressOn(net.Address))
	}
	s := c.startWork(tasks, times+1)
	for k := range times {
		s.allow(k)
		c.pause(c.between(0.1, 0.5))
		c.mendDue(false)
		for len(c.healthy()) < 2 && c.ctx.Err() == nil {
			c.pause(10 * time.Millisecond)
			c.mendDue(false)
		}
		ok := c.healthy()
		c.cut(ok[c.random.IntN(len(ok))], k%len(cuts))
	}
	s.allow(times)
	v := c.settle(s)
	if p99, most := c.tellFigures(v), bound(ttl()+5*time.Second); p99 > most {
		t.Errorf("I11: what a host ran that was cut off went on elsewhere after %v (p99); want %v at most", p99, most)
	}
}

// cut does one of the cuts to a host for a while.
func (c *cluster) cut(n *member, kind int) {
	c.Helper()
	d, how := c.between(0.5, 2.5), cuts[kind]
	i := c.note(n.name, how.name, clock.Elapsed()+rota.Elapsed(d))
	if how.do != nil {
		how.do(n.host)
	} else {
		for range 6 {
			n.host.Pull()
			c.pause(c.between(0.02, 0.2))
			n.host.Mend()
			c.pause(c.between(0.01, 0.05))
		}
		n.host.Drop(network.Both)
	}
	n.later(d, func() {
		n.host.Mend()
		c.faults[i].till = clock.Elapsed()
	})
}
