package jar

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/clock"
)

// BenchmarkClaim is a claim with so many jobs waiting: one is claimed and given back, so that as many
// wait all the time. The first reading of the folder is in it.
func BenchmarkClaim(b *testing.B) {
	for _, waiting := range []int{100, 100_000} {
		b.Run(fmt.Sprint(waiting), func(b *testing.B) {
			w := newWorld(b)
			for i := range waiting {
				name := fmt.Sprintf("20261123-141516-%06d_somebody_rain-4711-%d.0", i, i)
				w.must(os.WriteFile(filepath.Join(w.Limbo(), name), []byte("#!/bin/sh\n"), 0o755))
				w.must(os.Chtimes(filepath.Join(w.Limbo(), name), time.Time{}, time.Unix(int64(i), 0)))
				w.must(os.Rename(filepath.Join(w.Limbo(), name), filepath.Join(w.Unclaimed(), name)))
			}
			worker := w.worker("rain")
			worker.elapsed = clock.Elapsed
			b.ResetTimer()
			before := cpuTime()
			for b.Loop() {
				c, err := worker.Claim()
				if err != nil || c == nil {
					b.Fatal(c, err)
				}
				w.must(c.GiveBack())
				worker.Done(c)
			}
			b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime is what this process has taken; unlike the wall's time it does not depend on who else is busy.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
