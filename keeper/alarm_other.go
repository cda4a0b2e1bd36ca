//go:build !linux

package keeper

import (
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
)

// alarm rings at a reading of clock.Elapsed. Timers stand still while the machine sleeps, so it looks at the clock each
// second: what was over meanwhile is noticed that long after waking at the latest.
type alarm struct{ timer *time.Timer }

const alarmLook = time.Second

func newAlarm(ring func()) (*alarm, error) {
	a := &alarm{timer: time.AfterFunc(time.Hour, ring)}
	a.timer.Stop()
	return a, nil
}

// set says when; never stops it. It may ring before that.
func (a *alarm) set(at rota.Elapsed) {
	if at == never {
		a.timer.Stop()
		return
	}
	a.timer.Reset(min(max(at.Sub(clock.Elapsed()), 0), alarmLook))
}

func (a *alarm) close() { a.timer.Stop() }
