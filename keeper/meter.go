package keeper

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/executor"
)

// meterEvery is how often what runs is measured, and how long an attempt has run before it is.
const meterEvery = time.Second

// meter measures what runs, each second while anything does: one look at the machine for all attempts together. It ends
// those above a limit that nothing else holds. It belongs to the keeper's lock.
type meter struct {
	every time.Duration // 0: meterEvery
	timer *time.Timer   // nil: nothing runs
}

func (m *meter) stop() {
	if m.timer != nil {
		m.timer.Stop()
	}
}

// meterSoon sees to it that what has begun to run will be measured.
func (k *Local) meterSoon() {
	if k.meter.timer == nil {
		k.meter.timer = time.AfterFunc(cmp.Or(k.meter.every, meterEvery), k.measure)
	}
}

func (k *Local) measure() {
	k.mu.Lock()
	var running []*attempt
	for _, a := range k.attempts {
		if a.state == Running {
			running = append(running, a)
		}
	}
	if k.meter.timer = nil; len(running) > 0 && !k.closed {
		defer k.meterAgain()
	}
	every := cmp.Or(k.meter.every, meterEvery)
	k.mu.Unlock()
	var m machineLook
	for _, a := range running {
		if a.gauge.isDue(every) {
			a.measure(&m)
		}
	}
}

func (k *Local) meterAgain() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.meterSoon()
	}
}

// measure measures an attempt, and ends it if it is above a limit.
func (a *attempt) measure(m *machineLook) {
	g := &a.gauge
	sample, ok := g.look(m)
	if !ok || !g.record(sample.Sample) || g.confined == nil {
		return
	}
	limits := g.confined.watched
	switch {
	case g.starved():
		a.watch.end(overMemory, true)
	case limits.Memory > 0 && sample.Memory > limits.Memory:
		if is := sample.exactMemory(); is > limits.Memory {
			g.say(overMemorySays(is, limits))
			a.watch.end(overMemory, true)
		}
	case limits.PIDs > 0 && sample.threads > limits.PIDs:
		g.say(overPIDsSays(sample.threads, limits))
		a.watch.end(overPIDs, true)
	}
}

// gauge is what is measured of an attempt. Its lock guards all but what is set before it begins.
type gauge struct {
	confined *confined // nil: it has no limits
	folder   string    // of its control group of version 2; empty: it has none
	leader   int

	mu     sync.Mutex
	begun  rota.Elapsed // 0: not yet
	over   bool
	known  members       // as the latest look found them
	base   rota.Duration // of the group's CPU time, what earlier attempts took
	taken  bool
	latest rota.Sample
	peak   int64 // of memory
	said   string
}

// begin says that the attempt runs.
func (g *gauge) begin(b birth, slots *group, c *confined) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.folder = c.folder()
	if g.folder == "" {
		g.folder = slots.folder()
	}
	g.leader, g.confined, g.begun = b.pid, c, b.before
}

// isDue reports whether it is to be measured: it has run for long enough, or something may have to be done.
func (g *gauge) isDue(after time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.begun != 0 && !g.over && (g.confined != nil || clock.Elapsed().Sub(g.begun) >= after)
}

// record keeps a sample, unless the attempt ended while it was taken: then it may be of those that came after. CPU time
// is never less than it was, though processes take their own along that nobody waits for.
func (g *gauge) record(s rota.Sample) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return false
	}
	s.CPU = max(s.CPU, g.latest.CPU)
	g.latest, g.taken = s, true
	g.peak = max(g.peak, s.Memory)
	return true
}

// say keeps the sentence for the end that is about to be made.
func (g *gauge) say(text string) {
	g.mu.Lock()
	g.said = text
	g.mu.Unlock()
}

// end is for when the attempt has ended.
func (g *gauge) end() (peak int64, said string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over, g.known = true, nil
	return g.peak, g.said
}

// Samples are the latest of all attempts that run and were measured, by task and attempt.
func (k *Local) Samples() []executor.Sample {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []executor.Sample
	for try, a := range k.attempts {
		if a.state != Running {
			continue
		}
		a.gauge.mu.Lock()
		if a.gauge.taken && !a.gauge.over {
			all = append(all, executor.Sample{Try: try, Sample: a.gauge.latest})
		}
		a.gauge.mu.Unlock()
	}
	slices.SortFunc(all, func(a, b executor.Sample) int { return compareTries(a.Try, b.Try) })
	return all
}
