package crash_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/crash"
	"github.com/rotaqueue/rota/store/pgtest"
)

// TestClusterClocks sets the database's clock an hour ahead of the nodes' and an hour behind, again and again under load:
// no attempt is taken for lost (P1, C8), and the invariants of TestCrash hold but I10, which goes by that clock. A node that
// dies then, as the clock goes back, is found lost all the same. ROTA_SOAK=1 makes it 60 jumps and 5,000 tasks.
func TestClusterClocks(t *testing.T) {
	const lease = 10 * time.Second // so long that no node of a busy machine misses it
	jumps, tasks := length(60, 6, 4), length(5_000, 300, 120)
	runtime.LockOSThread() // what this thread starts dies with it; it is not unlocked, so it ends with the test
	server := pgtest.NewWithClock(t, pgtest.Durable)
	offs := []time.Duration{-time.Hour, time.Hour, 0}
	c := newCluster(t, server.Database(t), 3, "ROTA_TTL="+lease.String())
	c.jumps = true
	s := c.startWork(tasks, jumps+1)
	for k := range jumps {
		s.allow(k)
		await(s.acks, 5)
		c.pause(c.between(0.1, 0.5))
		server.SetClock(t, offs[k%len(offs)])
	}
	s.allow(jumps)
	await(s.acks, 5)
	dies := c.members[c.random.IntN(len(c.members))]
	c.note(dies.name, "all killed", 0)
	dies.crash()
	died := clock.Elapsed()
	server.SetClock(t, -time.Hour)
	dies.later(lease+lease/2, dies.restart)
	c.pause(lease / 2)
	server.SetClock(t, time.Hour) // where all is due that was put off at any of its times
	v := c.settle(s)
	for _, f := range v.sorted() {
		for _, a := range f.tries {
			if begin, _ := f.of(a.Number, crash.Begin); a.Outcome == rota.OutcomeLost && (a.Node != dies.name || begin.At > died) {
				v.fail("P1", "attempt %d of task %v was taken for lost on %s, which lived", a.Number, f.ID, a.Node)
			}
		}
	}
	c.tellFigures(v)
}
