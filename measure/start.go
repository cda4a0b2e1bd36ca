package measure

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// start is how long it takes from a submit until its process is started, on a node with nothing else to do.
func start(ctx context.Context, b *bench) ([]Figure, error) {
	m, err := b.newMachine(ctx, b.realKeeper(ctx, b.Slots, false))
	if err != nil {
		return nil, err
	}
	defer m.close()
	var waits, bare []time.Duration
	for range b.scaled(300) {
		begun := time.Now()
		s, err := m.server.Submit(m.ctx, rota.Submission{Spec: rota.Spec{Argv: []string{trueProgram}}})
		if err == nil {
			err = m.wait(s.Job)
		}
		if err != nil {
			return nil, err
		}
		task, _, err := m.server.Task(m.ctx, rota.PlainTask(s.Job))
		if err != nil {
			return nil, err
		}
		waits = append(waits, task.Started.Sub(begun))
		d, err := bareLoop(ctx, 1, 1)
		if err != nil {
			return nil, err
		}
		bare = append(bare, d)
	}
	return []Figure{
		Figure{Name: "submit to start, idle node, p50", Value: ms(quantile(waits, 0.5)), Unit: "ms", Goal: "≤ 3 ms"}.
			beside(ms(quantile(bare, 0.5)), "a bare process, start to end"),
		{Name: "submit to start, idle node, p99", Value: ms(quantile(waits, 0.99)), Unit: "ms"},
	}, nil
}

// idle is what a node costs that has nothing to do.
func idle(ctx context.Context, b *bench) ([]Figure, error) {
	m, err := b.newMachine(ctx, func(string) (executor.Keeper, error) { return newInstant(nil), nil })
	if err != nil {
		return nil, err
	}
	defer m.close()
	runtime.GC()
	span := 10 * time.Second
	if b.Quick {
		span = 3 * time.Second
	}
	before := cpuTime()
	select {
	case <-time.After(span):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	used := cpuTime() - before
	return []Figure{{Name: "idle, CPU", Value: 100 * used.Seconds() / span.Seconds(), Unit: "%", Goal: "< 0.3 %"}}, nil
}

// cpuTime is what this process has used of the processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is this process's memory in MiB; 0 where that cannot be read.
func resident() float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

// descriptors is how many files this process has open; 0 where that cannot be read.
func descriptors() float64 {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return float64(len(names))
}
