package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/rotaqueue/rota/executor"
)

// waiting is how fast nodes that come to a full queue empty it, when running costs nothing: one node, and eight
// where they can share the store.
func waiting(ctx context.Context, b *bench) ([]Figure, error) {
	n := b.scaled(50_000)
	one, err := b.emptyQueue(ctx, n, 1)
	if err != nil {
		return nil, err
	}
	figures := []Figure{{Name: fmt.Sprintf("no-op, %d waiting", n), Value: one, Unit: "/s"}}
	if b.Store == "" {
		return figures, nil
	}
	eight, err := b.emptyQueue(ctx, n, 8)
	f := Figure{Name: fmt.Sprintf("no-op, %d waiting, 8 nodes", n), Value: eight, Unit: "/s"}
	return append(figures, f.beside(one, "one node")), err
}

// emptyQueue is how many of n single jobs a second so many nodes do together, from when they begin.
func (b *bench) emptyQueue(ctx context.Context, n, nodes int) (float64, error) {
	m, err := b.newMachine(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer m.close()
	if _, err := m.submitSingles(n, callers); err != nil {
		return 0, err
	}
	all := []*machine{m}
	for range nodes - 1 {
		other, err := b.machineAt(m.ctx, m.place, m.dir)
		if err != nil {
			return 0, err
		}
		defer other.close()
		all = append(all, other)
	}
	begun := time.Now()
	for i, one := range all {
		k := func(string) (executor.Keeper, error) { return newInstant(nil), nil }
		if err := one.employ(k, fmt.Sprint("node", i+1), b.Slots); err != nil {
			return 0, err
		}
	}
	if err := m.untilEmpty(ctx); err != nil {
		return 0, err
	}
	return perSecond(n/callers*callers, time.Since(begun)), nil
}

// untilEmpty waits until nothing waits or runs.
func (m *machine) untilEmpty(ctx context.Context) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		s, err := m.server.Status(m.ctx)
		if err != nil || s.Waiting+s.Running == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}
