package measure

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// keeperMemory is what a keeper has in memory while all its slots are in use.
func keeperMemory(ctx context.Context, b *bench) ([]Figure, error) {
	if b.Keeper == nil || memoryOf(os.Getpid()) == 0 {
		return nil, nil // no process of its own, or nothing can be read of it
	}
	var out []Figure
	for _, at := range []struct {
		slots int
		goal  string
	}{{4, "≤ 12 MiB"}, {b.scaled(1000), "≤ 40 MiB"}} {
		used, err := b.fullKeeper(ctx, at.slots)
		if err != nil {
			return nil, err
		}
		out = append(out, Figure{Name: fmt.Sprintf("keeper's own memory, %d slots in use", at.slots), Value: used, Unit: "MiB", Goal: at.goal})
	}
	return out, nil
}

func (b *bench) fullKeeper(ctx context.Context, slots int) (used float64, err error) {
	few := *b
	few.Slots = slots
	m, err := few.newMachine(ctx, few.realKeeper(ctx, slots, false))
	if err != nil {
		return 0, err
	}
	defer m.close()
	if _, err := m.runArray(4*slots, trueProgram); err != nil { // every slot has been in use
		return 0, err
	}
	if _, err := m.server.Submit(m.ctx, array(slots, "/bin/sleep", "1000")); err != nil {
		return 0, err
	}
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		st, err := m.server.Status(m.ctx)
		if err != nil {
			return 0, err
		}
		if st.Running == slots {
			return memoryOf(m.keeper.(ended).Hello().PID), nil
		}
		select {
		case <-ctx.Done():
			return 0, rota.Errorf(rota.ErrUnavailable, "%d of %d run: %v", st.Running, slots, ctx.Err())
		case <-look.C:
		}
	}
}

// memoryOf is the memory of a process that is its own, in MiB; 0 where that cannot be read.
func memoryOf(pid int) float64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}
