package crash_test

import (
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/pgtest"
)

// TestClusterVersions upgrades the nodes of a cluster one after the other under load, to a version with another schema,
// and back: both versions work on one database at once (P13, P24). ROTA_SOAK=1 makes it 20 rounds and 5,000 tasks.
func TestClusterVersions(t *testing.T) {
	rounds, tasks := length(20, 2, 1), length(5_000, 300, 100)
	runtime.LockOSThread()
	c := newCluster(t, pgtest.Shared(t).Database(t), 3)
	c.upgraded = true
	s := c.startWork(tasks, rounds*len(c.members)+1)
	for k := range rounds * len(c.members) {
		s.allow(k)
		await(s.acks, 5)
		c.pause(c.between(0.05, 0.3))
		n, target := c.members[k%len(c.members)], nextPath
		if k/len(c.members)%2 == 1 {
			target = rotaPath
		}
		was := n.life.ups.Load()
		if out, err := exec.Command(rotaPath, "upgrade", target, "--data", n.file("rota")).CombinedOutput(); err != nil {
			t.Fatalf("upgrade %s: %v: %s", n.name, err, out)
		}
		n.untilUps(n.life, was+1)
		c.note(n.name, "upgraded", 0)
	}
	s.allow(len(s.portions) - 1)
	v := c.settle(s)
	for _, f := range v.sorted() {
		if lost := f.count(rota.OutcomeLost); lost > 0 {
			t.Logf("P24: %s lost %d attempts to an upgrade: %+v", f, lost, f.tries)
		}
	}
	c.tellFigures(v)
}

// TestClusterMigrationKilled kills a node at replies of the database while it makes the schema, and starts it again: it
// goes on where it was (P24). ROTA_SOAK=1 does it at every reply.
func TestClusterMigrationKilled(t *testing.T) {
	most := length(1_000, 4, 2)
	runtime.LockOSThread()
	server := pgtest.Shared(t)
	ground := newCluster(t, "", 0)
	begin := func(name, url string) *member { return &member{machine: ground.beside(name, url, nil)} }
	replies := 0
	rehearsal := pgtest.NewProxy(t, server.Address())
	rehearsal.Lose(func(r pgtest.Reply) bool { replies = r.N; return false })
	n := begin("rehearsal", pgtest.At(server.Database(t), rehearsal.Address()))
	n.restart()
	n.untilUp(n.life)
	rehearsal.Lose(nil)
	n.kill(n.life)
	points := ground.random.Perm(replies)
	points = points[:min(most, len(points))]
	slices.Sort(points)
	for _, at := range points {
		proxy := pgtest.NewProxy(t, server.Address())
		n := begin(fmt.Sprint("k", at+1), pgtest.At(server.Database(t), proxy.Address()))
		n.rota = []string{rotaPath, nextPath}[at%2]
		dead, started := make(chan struct{}), make(chan struct{})
		proxy.Lose(func(r pgtest.Reply) bool {
			if r.N != at+1 {
				return false
			}
			<-started
			_ = n.life.cmd.Process.Kill()
			close(dead)
			return true
		})
		n.restart()
		close(started)
		select {
		case <-dead:
			<-n.life.ended
		case <-n.life.up: // it needed fewer this time
			n.kill(n.life)
		case <-n.ctx.Done():
			t.Fatalf("reply %d of %d never came", at+1, replies)
		}
		proxy.Lose(nil)
		n.restart()
		n.untilUp(n.life)
		got, err := n.client.Submit(n.ctx, rota.Submission{Spec: rota.Spec{Shell: "exit 0"}})
		if err != nil {
			t.Fatalf("killed at reply %d of %d: %v", at+1, replies, err)
		}
		n.untilEnded(got.Job)
		n.client.Close()
		n.stop(n.life)
	}
	t.Logf("killed at replies %v of %d, and started again", points, replies)
}
