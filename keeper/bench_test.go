package keeper

import (
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// BenchmarkTrue is /bin/true four at a time: bare is what Go does with nothing around it.
func BenchmarkTrue(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		before := cpu()
		var all sync.WaitGroup
		work := make(chan struct{}, b.N)
		for range b.N {
			work <- struct{}{}
		}
		close(work)
		for range 4 {
			all.Go(func() {
				for range work {
					if err := exec.Command("/bin/true").Run(); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
		report(b, before)
	})
	b.Run("keeper", func(b *testing.B) {
		k, err := New(Options{Dir: b.TempDir(), Slots: 4})
		if err != nil {
			b.Fatal(err)
		}
		defer k.Close()
		runTrue(b, k, rota.Limits{})
	})
	b.Run("remote", func(b *testing.B) { // at both ends of the socket is this process
		k, err := New(Options{Dir: b.TempDir(), Slots: 4})
		if err != nil {
			b.Fatal(err)
		}
		path := filepath.Join(b.TempDir(), "private", "keeper.sock")
		l, err := Listen(path)
		if err != nil {
			b.Fatal(err)
		}
		go Serve(l, k)
		r, err := Dial(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		runTrue(b, r, rota.Limits{})
		if err := r.End(); err != nil {
			b.Fatal(err)
		}
	})
	for _, way := range []struct {
		name      string
		subreaper bool
	}{{"no groups", false}, {"no groups, subreaper", true}} { // the last: this process is one from then on
		b.Run(way.name, func(b *testing.B) {
			k, err := New(Options{Dir: b.TempDir(), Slots: 4, NoGroups: true, Subreaper: way.subreaper})
			if err != nil {
				b.Fatal(err)
			}
			defer k.Close()
			runTrue(b, k, rota.Limits{})
		})
	}
}

// runTrue gives the keeper what it can take, as a node does.
func runTrue(b *testing.B, k executor.Keeper, l rota.Limits) {
	env := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "ROTA_JOB=1", "ROTA_ATTEMPT=1"}
	b.ResetTimer()
	before := cpu()
	for sent, done := 0, 0; done < b.N; {
		var ps []executor.Process
		for sent < b.N && sent-done < 300 {
			sent++
			p := executor.Process{Try: rota.Try{Task: rota.TaskID(sent), Attempt: 1}, Env: env, Token: "0123456789abcdef", Limits: l}
			p.Argv = []string{"/bin/true"}
			ps = append(ps, p)
		}
		if err := k.Start(ps); err != nil {
			b.Fatal(err)
		}
		var ended []rota.Try
		for _, e := range <-k.Exits() {
			if e.Outcome != rota.OutcomeSucceeded {
				b.Fatal(e)
			}
			ended = append(ended, e.Try)
		}
		k.Forget(ended)
		done += len(ended)
	}
	b.StopTimer()
	report(b, before)
}

func report(b *testing.B, before time.Duration) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/task")
}

// cpu is the time that this process and its children have taken; unlike the wall's it does not depend on who else is
// busy.
func cpu() (d time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if unix.Getrusage(who, &u) == nil {
			d += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return d
}
