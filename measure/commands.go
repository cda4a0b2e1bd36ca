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

// commands is how many processes a second a node runs, beside a bare loop that starts as many at a time: each in a
// process group of its own, and in a control group, too, where those can be had.
func commands(ctx context.Context, b *bench) ([]Figure, error) {
	n := b.scaled(4000)
	ways := []struct {
		name, goal string
		noGroups   bool
		machine    *machine
		took       time.Duration
	}{
		{name: "commands: " + trueProgram, goal: "ratio ≥ 0.85", noGroups: true},
		{name: "commands, by control group", goal: "ratio ≥ 0.70"},
	}
	for i := range ways {
		m, err := b.newMachine(ctx, b.realKeeper(ctx, b.Slots, ways[i].noGroups))
		if err != nil {
			return nil, err
		}
		defer m.close()
		ways[i].machine = m
		if _, err := m.runArray(n/4, trueProgram); err != nil { // warm
			return nil, err
		}
	}
	var bare time.Duration
	for range rounds {
		d, err := bareLoop(ctx, n, b.Slots)
		if err != nil {
			return nil, err
		}
		bare += d
		for i := range ways {
			d, err := ways[i].machine.runArray(n, trueProgram)
			if err != nil {
				return nil, err
			}
			ways[i].took += d
		}
	}
	var out []Figure
	for _, w := range ways {
		f := Figure{Name: w.name, Value: perSecond(rounds*n, w.took), Unit: "/s", Goal: w.goal}
		out = append(out, f.beside(perSecond(rounds*n, bare), "bare spawn loop"))
	}
	return out, nil
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
