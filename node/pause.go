package node

import (
	"context"
	"time"
)

// pauses are the waits between attempts at something that fails: each is double the last.
type pauses struct {
	first, cap time.Duration
	next       time.Duration
}

// afterFailure are the pauses before a call is made again.
func afterFailure() pauses { return pauses{first: 50 * time.Millisecond, cap: 5 * time.Second} }

// more is the next pause.
func (p *pauses) more() time.Duration {
	d := max(p.next, p.first)
	p.next = min(2*d, p.cap)
	return d
}

// reset starts again with the first.
func (p *pauses) reset() { p.next = 0 }

// begun reports whether there has been a pause since the last reset.
func (p *pauses) begun() bool { return p.next > 0 }

// sleep waits; false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
