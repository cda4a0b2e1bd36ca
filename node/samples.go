package node

import (
	"slices"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

// Samples go along with renewals (D6): no request and no commit is there for them alone.
const (
	ownEvery = time.Minute // how often a node that runs nothing tells of itself
	// measureShare of the lease's time is how long a renewal waits for what is to go with it: whatever hangs, a keeper or
	// a disk, the lease is renewed.
	measureShare = 30
)

// sampler remembers what of the attempts and the machine was told. It is used by one renewal at a time.
type sampler struct {
	attempts, own rota.Elapsed      // when they were last measured; 0: never
	seen          map[rota.Try]bool // attempts that ran then
	from          int               // where the next renewal begins, when there are more than one tells of
	busy          sync.Mutex        // held while something is being measured
}

// sample puts into a renewal what is due.
func (n *Node) sample(rn *rota.Renewal) {
	s, now := &n.sampler, n.elapsed()
	due := func(last rota.Elapsed, every time.Duration) bool {
		return last == 0 || now.Sub(last) >= every-rota.SampleEvery/10 // renewals come a little early or late
	}
	every := ownEvery
	if len(rn.Held) > 0 {
		every = rota.SampleEvery
	}
	attempts, own := len(rn.Held) > 0 && due(s.attempts, rota.SampleEvery), !n.opts.Aside && due(s.own, every)
	if !attempts && !own || !s.busy.TryLock() {
		return
	}
	type measured struct {
		samples []rota.TrySample
		machine *rota.NodeSample
	}
	got := make(chan measured, 1)
	go func() {
		var m measured
		if attempts {
			for _, x := range n.keeper.Samples() {
				m.samples = append(m.samples, rota.TrySample{Try: x.Try, Sample: x.Sample})
			}
		}
		if own {
			x := n.machine()
			m.machine = &x
		}
		s.busy.Unlock()
		got <- m
	}()
	late := time.NewTimer(n.opts.TTL / measureShare)
	defer late.Stop()
	select {
	case m := <-got:
		if attempts {
			s.attempts = now
			rn.Samples = s.portion(m.samples)
		}
		if own {
			s.own, rn.Machine = now, m.machine
		}
	case <-late.C:
		n.log.Warn("usage could not be measured in time and is not told", "waited", n.opts.TTL/measureShare)
	}
}

// portion is what one renewal tells of the samples: attempts that ran when they were last measured, too, for the
// others may be over before there is anything to draw; and those beyond MaxSamples in turn.
func (s *sampler) portion(all []rota.TrySample) []rota.TrySample {
	before := s.seen
	s.seen = make(map[rota.Try]bool, len(all))
	for _, x := range all {
		s.seen[x.Try] = true
	}
	all = slices.DeleteFunc(all, func(x rota.TrySample) bool { return !before[x.Try] })
	if len(all) <= rota.MaxSamples {
		return all
	}
	slices.SortFunc(all, func(a, b rota.TrySample) int { return compareTries(a.Try, b.Try) })
	s.from %= len(all)
	some := append(slices.Clone(all[s.from:]), all[:s.from]...)[:rota.MaxSamples]
	s.from += rota.MaxSamples
	return some
}

// machine is what the node and its machine do now.
func (n *Node) machine() rota.NodeSample {
	x := n.opts.Machine()
	stats := n.Stats()
	x.Slots, x.Running = stats.Slots, stats.Running
	return x
}
