package join

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/executor/exec"
	"github.com/rotaqueue/rota/executor/shell"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/node"
)

// TestP29LostRepliesLoseNothing: a node without a store runs real tasks for two servers over one store, by lines that lose
// every tenth request and every third reply, while one server after the other is away for a while. Each task must have run
// once, and be recorded with what it wrote.
func TestP29LostRepliesLoseNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := newCluster(t, 2)
	stop := c.startNode(t.TempDir())
	for i, f := range c.servers {
		f.comesAndGoes(i, rand.New(rand.NewPCG(seed, uint64(i))))
	}
	dir := t.TempDir()
	const tasks, large = 120, 12
	array := c.submit(rota.Spec{Shell: "echo $ROTA_TASK_INDEX $ROTA_ATTEMPT >> " + filepath.Join(dir, "small"), Dir: dir,
		Array: &rota.Array{Ranges: []rota.Range{{First: 1, Last: tasks}}}})
	lines := c.submit(rota.Spec{Shell: "echo $ROTA_TASK_INDEX $ROTA_ATTEMPT >> " + filepath.Join(dir, "large") + "; yes $ROTA_TASK_INDEX | head -c 40000", Dir: dir,
		Array: &rota.Array{Ranges: []rota.Range{{First: 1, Last: large}}}})
	reads, err := c.servers[1].Submit(c.ctx, rota.Submission{Spec: rota.Spec{Argv: []string{"cat"}}, Input: bytes.Repeat([]byte("0123456789"), 5000)})
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range []rota.JobID{array, lines, reads.Job} {
		if p := c.wait(job); p.Succeeded != p.Tasks {
			t.Errorf("job %v: %+v", job, p)
		}
	}
	for _, f := range c.servers {
		f.breaks(nil)
	}
	stop()
	once(t, filepath.Join(dir, "small"), tasks)
	once(t, filepath.Join(dir, "large"), large)
	for i := 1; i <= large; i++ {
		want := strings.Repeat(fmt.Sprintf("%d\n", i), 40000)[:40000]
		if got := c.output(rota.Element(lines, i)); got != want {
			t.Errorf("task %d wrote %d bytes, %d are kept", i, len(want), len(got))
		}
	}
	if got := c.output(rota.PlainTask(reads.Job)); len(got) != 50000 {
		t.Errorf("of its input the job wrote %d bytes", len(got))
	}
	for _, f := range c.servers {
		t.Logf("%s: %d requests and %d replies were lost, %d went through", f.address[:24], f.faults(refused), f.faults(replyOut), f.faults(none))
		if f.faults(refused) == 0 || f.faults(replyOut) == 0 || f.faults(none) == 0 {
			t.Error("the line lost nothing, or all, so the test shows little")
		}
	}
}

// comesAndGoes loses requests and replies, and of each hundred requests ten in a row: those of the other server at another
// time.
func (f *far) comesAndGoes(turn int, random *rand.Rand) {
	n := 50 * turn
	f.breaks(func(*http.Request) fault {
		n++
		switch x := random.Float64(); {
		case n%100 < 10 || x < 0.1:
			return refused
		case x < 0.4:
			return replyOut
		}
		return none
	})
}

// startNode starts a node with a keeper of its own. stop ends it, and its session must be closed by that.
func (c *cluster) startNode(dir string) (stop func()) {
	k, err := keeper.New(keeper.Options{Dir: dir, Slots: 4})
	if err != nil {
		c.Fatal(err)
	}
	s := c.join(6*time.Second, c.servers[0].address, c.servers[1].address)
	n := node.New(s, k, []executor.Executor{exec.Executor{}, shell.Executor{}},
		node.Options{Name: "n", Key: "k", Slots: 4, Dir: dir, TTL: 6 * time.Second, Log: slog.New(slog.DiscardHandler)})
	ended := make(chan error, 1)
	go func() { ended <- n.Run(c.ctx) }()
	c.Cleanup(func() { k.Close() })
	return func() {
		n.Drain()
		if err := <-ended; err != nil {
			c.Errorf("the node ended: %v", err)
		}
		if nodes, err := c.store.Nodes(c.ctx); err != nil || len(nodes) != 1 || nodes[0].State != rota.NodeDown {
			c.Errorf("the node is %+v, %v", nodes, err)
		}
	}
}

func (c *cluster) wait(job rota.JobID) rota.Progress {
	c.Helper()
	for seen := (rota.Progress{}); ; {
		p, err := c.servers[0].Watch(c.ctx, job, seen, time.Minute)
		if err != nil {
			c.Fatal(err)
		}
		if p.Ended() {
			return p
		}
		if p == seen {
			c.Fatalf("nothing moved for a minute: %+v", p)
		}
		seen = p
	}
}

func (c *cluster) output(task rota.TaskID) string {
	c.Helper()
	out, err := c.servers[0].Output(c.ctx, rota.OutputQuery{Task: task, Stream: rota.Stdout, Max: 1 << 20}, 0)
	if err != nil {
		c.Fatal(err)
	}
	return string(out.Data)
}

// once makes sure that each of so many tasks has run, and only once, by what they wrote down themselves.
func once(t *testing.T, path string, tasks int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]int{}
	for line := range strings.Lines(string(text)) {
		runs[strings.Fields(line)[0]]++
	}
	for i := 1; i <= tasks; i++ {
		if n := runs[fmt.Sprint(i)]; n != 1 {
			t.Errorf("task %d of %s ran %d times", i, filepath.Base(path), n)
		}
	}
}
