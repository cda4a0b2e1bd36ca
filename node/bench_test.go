package node

import (
	"log/slog"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/executor/exec"
	"github.com/rotaqueue/rota/keeper"
)

// BenchmarkTrue runs /bin/true through node and keeper in four slots, against a service that answers an exchange
// after 2 ms.
func BenchmarkTrue(b *testing.B) {
	dir := b.TempDir()
	k, err := keeper.New(keeper.Options{Dir: dir, Slots: 4})
	if err != nil {
		b.Fatal(err)
	}
	defer k.Close()
	benchmark(b, dir, k, 4)
}

// BenchmarkNothing has a keeper whose tasks end at once: what the node itself costs.
func BenchmarkNothing(b *testing.B) {
	dir := b.TempDir()
	k := newScripted(dir, 4)
	k.script = func(executor.Process) play { return play{instant: true} }
	defer k.Close()
	benchmark(b, dir, k, 4)
}

func benchmark(b *testing.B, dir string, k executor.Keeper, slots int) {
	m := newMemory()
	m.trip = 2 * time.Millisecond
	done := make(chan struct{})
	m.onEmpty = func() { close(done) }
	n := New(m, k, []executor.Executor{exec.Executor{}}, Options{Name: "n1", Slots: slots, Dir: dir, Log: slog.New(slog.DiscardHandler)})
	m.submit(1, b.N, rota.Spec{Argv: []string{"/bin/true"}})
	b.ResetTimer()
	end := make(chan error)
	go func() { end <- n.Run(b.Context()) }()
	<-done
	n.Drain()
	if err := <-end; err != nil {
		b.Error(err)
	}
	s := n.Stats()
	b.ReportMetric(float64(s.Finished)/float64(s.Exchanges), "ends/exchange")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}
