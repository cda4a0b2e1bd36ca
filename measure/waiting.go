package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// waiting is how fast nodes empty a full queue, when running costs nothing: one node, and eight where they can share the
// store.
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

// emptyQueue is how many of n single jobs a second so many nodes do together. The nodes are there already: the queue was
// paused, and time runs from when it is not.
func (b *bench) emptyQueue(ctx context.Context, n, nodes int) (float64, error) {
	m, err := b.newMachine(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer m.close()
	if _, err := m.submitSingles(n, callers); err != nil {
		return 0, err
	}
	if err := m.pauseQueue(true); err != nil {
		return 0, err
	}
	for i := range nodes {
		one := m
		if i > 0 {
			if one, err = b.machineAt(m.ctx, m.place, m.dir); err != nil {
				return 0, err
			}
			defer one.close()
		}
		k := func(string) (executor.Keeper, error) { return newInstant(nil), nil }
		if err := one.employ(k, fmt.Sprint("node", i+1), b.Slots); err != nil {
			return 0, err
		}
	}
	if err := m.until(ctx, func() (bool, error) {
		up, err := m.server.Nodes(m.ctx)
		return len(up) == nodes, err
	}); err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := m.pauseQueue(false); err != nil {
		return 0, err
	}
	err = m.until(ctx, func() (bool, error) {
		s, err := m.server.Status(m.ctx)
		return s.Waiting+s.Running == 0, err
	})
	return perSecond(n/callers*callers, time.Since(begun)), err
}

func (m *machine) pauseQueue(paused bool) error {
	_, err := m.server.ChangeQueue(m.ctx, rota.DefaultQueue, rota.QueueChange{Paused: &paused})
	return err
}

// until waits until something is so. Looking costs something, too: it is done fifty times a second.
func (m *machine) until(ctx context.Context, is func() (bool, error)) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		if is, err := is(); is || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}
