package worker_test

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/jar"
	"github.com/rotaqueue/rota/jar/worker"
	"github.com/rotaqueue/rota/keeper"
)

// BenchmarkTrue is /bin/true, one after the other: bare is what Go does with nothing around it.
func BenchmarkTrue(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		before := cpu()
		for b.Loop() {
			if err := exec.Command("/bin/true").Run(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/job")
	})
	b.Run("jar", func(b *testing.B) {
		j := jar.At(b.TempDir())
		if err := j.Make(); err != nil {
			b.Fatal(err)
		}
		fill(b, j, b.N)
		w, err := j.Register(jar.Here("here"), "")
		if err != nil {
			b.Fatal(err)
		}
		k, err := keeper.New(keeper.Options{Dir: w.Life().Keeper, Slots: 1})
		if err != nil {
			b.Fatal(err)
		}
		defer k.Close()
		b.ResetTimer()
		before := cpu()
		if err := worker.Run(b.Context(), worker.Options{Worker: w, Keeper: k, Pause: time.Second, Scratch: w.Life().Scratch,
			Env: j.Inherited(os.Getenv), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/job")
	})
}

// fill puts n jobs into a jar that all are /bin/true, but for the last, which ends the worker.
func fill(b *testing.B, j jar.Jar, n int) {
	b.Helper()
	text, err := os.ReadFile("/bin/true")
	if err != nil {
		b.Fatal(err)
	}
	last := ""
	for i := range n - 1 {
		path := filepath.Join(j.Unclaimed(), fmt.Sprintf("job%09d", i))
		if i%1000 == 0 { // a file has only so many names
			if err := os.WriteFile(path, text, 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
				b.Fatal(err)
			}
			last = path
		} else if err := os.Link(last, path); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := j.Submit(jar.Submission{Text: "#!/bin/sh\n: > $JJ_WORKER_HOME/STOP_ALL\n", Priority: -1}); err != nil {
		b.Fatal(err)
	}
}

func cpu() (d time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if unix.Getrusage(who, &u) == nil {
			d += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return d
}
