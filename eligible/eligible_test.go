package eligible_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/eligible"
)

// setting is a lane, a queue and a node, of which the node may start tasks.
type setting struct {
	lane  eligible.Lane
	queue eligible.Queue
	node  eligible.Node
}

func willing() *setting {
	return &setting{
		lane:  eligible.Lane{Queue: "q", On: "zone=eu", Needs: rota.Resources{"gpu": 1}},
		queue: eligible.Queue{Name: "q", Slots: 2, Running: 5, Starts: 1, Pin: []string{"n"}, Now: 1_000_000},
		node: eligible.Node{Name: "n", Patterns: rota.ServedQueues("n", []string{"q"}), Labels: map[string]string{"zone": "eu"},
			Free: rota.Resources{"gpu": 1}, Offers: rota.Resources{"gpu": 1}, Held: map[string]int{"q": 1}},
	}
}

func (s *setting) room(most int) (int, eligible.Kind) {
	return eligible.Room(&s.lane, &s.queue, &s.node, most)
}

// P16 J3 B3 Z7: each rule of the claim says no when it should, and in a sentence that names what is in the way.
func TestEachNoHasItsSentence(t *testing.T) {
	tests := []struct {
		kind   eligible.Kind
		change func(s *setting)
		says   string
	}{
		{eligible.Unserved, func(s *setting) { s.node.Patterns = []string{"other", "!q", "*"} }, "does not serve the queue q"},
		{eligible.Reserved, func(s *setting) { s.lane.Home = "s" }, "through a node that a command has started"},
		{eligible.Reserved, func(s *setting) { s.node.Home = "s" }, "only what is submitted through it"},
		{eligible.Paused, func(s *setting) { s.queue.Paused = true }, "q is paused"},
		{eligible.Pinned, func(s *setting) { s.queue.Pin = []string{"m"} }, "pinned to m"},
		{eligible.Ignored, func(s *setting) { s.queue.Pin, s.queue.Ignore = nil, []string{"n"} }, "not for node n"},
		{eligible.Elsewhere, func(s *setting) { s.lane.On = "m" }, "for node m"},
		{eligible.Elsewhere, func(s *setting) { s.lane.On = "zone=us" }, "label zone=us"},
		{eligible.Elsewhere, func(s *setting) { s.node.Labels = nil }, "label zone=eu"},
		{eligible.Shell, func(s *setting) { s.lane.Shell, s.node.NoShell = true, true }, "a shell may run, and node n claims none"},
		{eligible.Lacking, func(s *setting) { s.node.Free = rota.Resources{"gpu": 0} }, "0 free of 1"},
		{eligible.Lacking, func(s *setting) { s.lane.Needs["gpu"] = 2 }, "1 in all"},
		{eligible.Lacking, func(s *setting) { s.lane.Needs["fpga"] = 1 }, "needs fpga=1"},
		{eligible.Slots, func(s *setting) { s.node.Held["q"] = 2 }, "2 is the limit on one node"},
		{eligible.Running, func(s *setting) { s.queue.InAll = 5 }, "5 is its limit"},
		{eligible.Starts, func(s *setting) { s.queue.Pace = s.queue.Pace.Take(1, s.queue.Now, 1) }, "1 starts a second"},
	}
	seen := map[eligible.Kind]bool{}
	for _, tt := range tests {
		s := willing()
		if n, kind := s.room(1); n != 1 {
			t.Fatalf("nothing is in the way, and %q is said", kind)
		}
		tt.change(s)
		n, kind := s.room(1)
		noes := eligible.Noes(&s.lane, &s.queue, &s.node)
		if n != 0 || kind != tt.kind || len(noes) != 1 || noes[0].Kind != tt.kind || !strings.Contains(noes[0].Text, tt.says) {
			t.Errorf("%s: room %d by %q, says %+v, want %q", tt.kind, n, kind, noes, tt.says)
		}
		seen[tt.kind] = true
	}
	if len(seen) != 11 {
		t.Errorf("%d rules were seen", len(seen))
	}
}

// B3: a queue that is pinned and ignored is pinned.
func TestPinWins(t *testing.T) {
	s := willing()
	s.queue.Ignore = []string{"n"}
	if n, kind := s.room(1); n != 1 {
		t.Errorf("pinned and ignored: %q", kind)
	}
}

func TestRoomIsTheLeastOfAll(t *testing.T) {
	s := willing()
	s.lane.Needs, s.node.Free = rota.Resources{"cpus": 0.1}, rota.Resources{"cpus": 1}
	s.queue.Starts, s.queue.Slots, s.queue.Running = 0, 0, 0
	for _, tt := range []struct {
		slots, running, want int
	}{{0, 0, 10}, {8, 0, 7}, {8, 4, 4}, {0, 20, 10}} {
		s.queue.Slots, s.queue.Running = tt.slots, tt.running
		if n, _ := s.room(50); n != tt.want {
			t.Errorf("%+v: room %d", tt, n)
		}
	}
}

// The claim and who asks why say the same.
func TestRoomAndNoesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := willing()
		s.lane.On = rapid.SampledFrom([]string{"", "n", "m", "zone=eu", "zone=us"}).Draw(t, "on")
		s.lane.Needs = rota.Resources{"gpu": float64(rapid.IntRange(0, 2).Draw(t, "gpus"))}
		s.lane.Shell = rapid.Bool().Draw(t, "shell")
		s.node.NoShell = rapid.Bool().Draw(t, "no shell")
		s.queue.Paused = rapid.Bool().Draw(t, "paused")
		s.queue.Pin = rapid.SampledFrom([][]string{nil, {"n"}, {"m"}}).Draw(t, "pin")
		s.queue.Ignore = rapid.SampledFrom([][]string{nil, {"n"}, {"m"}}).Draw(t, "ignore")
		s.queue.InAll = rapid.IntRange(3, 6).Draw(t, "running")
		s.node.Held["q"] = rapid.IntRange(0, 3).Draw(t, "held")
		n, kind := s.room(1)
		noes := eligible.Noes(&s.lane, &s.queue, &s.node)
		if (n == 0) != (len(noes) > 0) || n == 0 && noes[0].Kind != kind {
			t.Fatalf("room %d by %q, and %+v", n, kind, noes)
		}
	})
}

// D14: no second has more starts than it may, wherever it begins, and a queue that is asked all the time has nearly as many.
func TestPaceHoldsEverySecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perSecond := rapid.SampledFrom([]float64{0.5, 1, 2, 10, 33, 100, 1000}).Draw(t, "starts a second")
		most := rapid.SampledFrom([]int{1, 7, 100}).Draw(t, "a claim")
		var p eligible.Pace
		now := int64(1_700_000_000_000_000)
		begun := now
		var at []int64
		for now-begun < 5_000_000 {
			n := p.Room(perSecond, now, most)
			if n == 0 && p.Wait(perSecond, now) <= 0 || n > 0 && p.Wait(perSecond, now) > 0 {
				t.Fatalf("room for %d, and a wait of %v", n, p.Wait(perSecond, now))
			}
			p = p.Take(perSecond, now, n)
			for range n {
				at = append(at, now)
			}
			now += min(rapid.Int64Range(1, 100_000).Draw(t, "later"), max(1, int64(p.Wait(perSecond, now)/time.Microsecond)))
		}
		from := 0
		for i := range at {
			for at[i]-at[from] >= 1_000_000 {
				from++
			}
			if n := i - from + 1; float64(n) > max(1, perSecond) {
				t.Fatalf("%d starts in a second", n)
			}
		}
		if least := perSecond * 5 * 0.85; most > 1 && float64(len(at)) < least {
			t.Fatalf("%d starts in 5 s", len(at))
		}
	})
}
