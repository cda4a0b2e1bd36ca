package measure

import (
	"context"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// trueProgram does nothing, and costs what a process costs.
const trueProgram = "/bin/true"

// rounds is how often the two sides of a ratio take turns.
const rounds = 3

// commands is how many processes a second a node runs, beside a bare loop that starts as many at a time.
func commands(ctx context.Context, b *bench) ([]Figure, error) {
	m, err := b.newMachine(ctx, b.realKeeper)
	if err != nil {
		return nil, err
	}
	defer m.close()
	n := b.scaled(4000)
	if _, err := m.runArray(n/4, trueProgram); err != nil { // warm
		return nil, err
	}
	var bare, ours time.Duration
	for range rounds {
		d, err := bareLoop(ctx, n, b.Slots)
		if err != nil {
			return nil, err
		}
		bare += d
		if d, err = m.runArray(n, trueProgram); err != nil {
			return nil, err
		}
		ours += d
	}
	f := Figure{Name: "commands: " + trueProgram, Value: perSecond(rounds*n, ours), Unit: "/s", Goal: "ratio ≥ 0.85"}
	return []Figure{f.beside(perSecond(rounds*n, bare), "bare spawn loop")}, nil
}

// bareLoop starts n processes, so many at a time, with nothing around them.
func bareLoop(ctx context.Context, n, slots int) (time.Duration, error) {
	begun := time.Now()
	var left atomic.Int64
	left.Store(int64(n))
	failed := make(chan error, slots)
	var work sync.WaitGroup
	for range slots {
		work.Go(func() {
			for left.Add(-1) >= 0 {
				if err := exec.CommandContext(ctx, trueProgram).Run(); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	work.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return time.Since(begun), nil
	}
}
