package crash_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/store/pgtest"
)

// TestClusterLostAnswers loses the database's answers to commits by chance, of all calls that nodes make: no job is
// there twice, none is lost, and soon after the last loss all have ended (I11, P5, P6). ROTA_SOAK=1 makes it 10,000 tasks.
func TestClusterLostAnswers(t *testing.T) {
	const oneOf, soon = 8, 10 * time.Second
	tasks := length(10_000, 400, 150)
	runtime.LockOSThread()
	server := pgtest.Shared(t)
	proxy := pgtest.NewProxy(t, server.Address())
	c := newCluster(t, pgtest.At(server.Database(t), proxy.Address()), 3)
	c.startAll()
	random := rand.New(rand.NewPCG(c.random.Uint64(), 0))
	proxy.Lose(func(r pgtest.Reply) bool { return r.Committed() && random.IntN(oneOf) == 0 })
	s := c.submitAll(c.client, c.plan(tasks, kinds), 1)
	s.allow(0)
	all := make(chan struct{})
	go func() {
		s.all.Wait()
		close(all)
	}()
	c.until("everything is acknowledged", func() bool { return isClosed(all) })
	c.until("little is left to do", func() bool {
		st, err := c.client.Status(c.ctx)
		return err == nil && st.Waiting+st.Running <= 2*slots
	})
	proxy.Lose(nil)
	mended := clock.Elapsed()
	c.until("everything is done", func() bool {
		c.releaseAside()
		st, err := c.client.Status(c.ctx)
		return err == nil && st.Waiting+st.Running == 0
	})
	took := clock.Elapsed().Sub(mended)
	if took > bound(soon) {
		t.Errorf("I11: the last task ended %v after the last loss; want %v at most", took, soon)
	}
	v := c.settle(s)
	c.tellFigures(v)
	if proxy.Lost() == 0 {
		t.Error("no answer was lost: this shows nothing")
	}
	t.Logf("%d answers were lost; the last task ended %v after the last of them", proxy.Lost(), took.Round(time.Millisecond))
}
