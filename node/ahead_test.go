package node

import (
	"log/slog"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

func TestHowMuchIsClaimedAhead(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		what       string
		slots      int
		backlog    bool
		mean, trip time.Duration
		want       int
	}{
		{"nothing measured yet", 4, true, 0, 0, 0},
		{"no backlog", 4, false, ms, ms, 0},
		{"no slots", 0, true, ms, ms, 0},
		{"long tasks", 4, true, 10 * time.Second, ms, 0},
		{"just not short", 4, true, 50 * ms, ms, 0},
		{"just short", 4, true, 49 * ms, ms, 8},
		{"20 ms", 4, true, 20 * ms, ms, 13},
		{"1 ms", 4, true, ms, ms, 88},
		{"1 ms, an immediate answer", 4, true, ms, 0, 80},
		{"1 ms, a slow answer", 4, true, ms, 200 * ms, 480},
		{"20 ms, a slow answer", 4, true, 20 * ms, 200 * ms, 24},
		{"next to nothing", 4, true, leastRun, ms, 880},
		{"one slot", 1, true, ms, 5 * ms, 31},
		{"many slots", 64, true, leastRun, ms, 1024},
	} {
		p := pace{mean: c.mean, trip: c.trip}
		if got := p.ahead(c.slots, c.backlog); got != c.want {
			t.Errorf("%s: %d ahead, want %d", c.what, got, c.want)
		}
	}
}

func TestTheMeanWeighsTheYoungerMore(t *testing.T) {
	var p pace
	p.ran(800 * time.Microsecond)
	p.ran(0) // counts as leastRun
	if want := 800*time.Microsecond - 700*time.Microsecond/8; p.mean != want {
		t.Errorf("mean %v, want %v", p.mean, want)
	}
	for range 10 {
		p.ran(time.Minute)
	}
	if p.mean < shortTask {
		t.Errorf("ten long tasks leave a mean of %v", p.mean)
	}
}

// busy is a reactor with tasks in the keeper and a pace.
func busy(slots, inKeep, ready int, mean time.Duration) *reactor {
	r := newReactor(Options{Slots: slots, TTL: 30 * time.Second}.withDefaults(), slog.New(slog.DiscardHandler), 0)
	r.at[inKeeper], r.backlog, r.pace = inKeep, true, pace{mean: mean, trip: time.Millisecond}
	r.ready, r.oldest = make([]*finish, ready), 1000
	return r
}

func TestWhenAnExchangeIsPutOff(t *testing.T) {
	ms, at := time.Millisecond, rota.Elapsed(1000)
	for _, c := range []struct {
		what  string
		r     *reactor
		after time.Duration // since the first end was gathered
		want  bool
	}{
		{"short tasks, enough waiting", busy(4, 60, 1, ms), 0, true},
		{"the same when nearly 10 ms are over", busy(4, 60, 9, ms), leastLinger - 1, true},
		{"and when they are", busy(4, 60, 10, ms), leastLinger, false},
		{"nothing ended, enough waiting", busy(4, 60, 0, ms), time.Hour, true},
		{"as many waiting as could go meanwhile", busy(4, 4+4+8, 1, ms), 0, false},
		{"one more", busy(4, 4+4+8+1, 1, ms), 0, true},
		{"a free slot", busy(4, 3, 1, ms), 0, false},
		{"long tasks", busy(4, 60, 1, time.Second), 0, false},
	} {
		if got := c.r.lingers(at + rota.Elapsed(c.after)); got != c.want {
			t.Errorf("%s: put off %v, want %v", c.what, got, c.want)
		}
	}
	r := busy(4, 60, 1, ms)
	r.mode = draining
	if r.lingers(at) {
		t.Error("a draining node puts off an exchange")
	}
}

// TestLingerNeverStarvesASlot runs a backlog of short tasks: after the first answers have come no slot is ever
// without a task, although one exchange carries many.
func TestLingerNeverStarvesASlot(t *testing.T) {
	for _, c := range []struct {
		what        string
		slots       int
		takes, trip time.Duration
		batch       int // ends in one exchange, at least, on average
	}{
		{"1 ms tasks", 4, time.Millisecond, time.Millisecond, 20},
		{"1.5 ms tasks, 5 ms exchanges", 4, 1500 * time.Microsecond, 5 * time.Millisecond, 10},
		{"5 ms tasks", 4, 5 * time.Millisecond, 2 * time.Millisecond, 4},
		{"16 slots", 16, 3 * time.Millisecond, 2 * time.Millisecond, 20},
		{"one slot", 1, time.Millisecond, time.Millisecond, 5},
	} {
		t.Run(c.what, func(t *testing.T) {
			in(t, c.slots, func(w *world) {
				const tasks = 2000
				w.k.script = func(executor.Process) play { return play{takes: c.takes} }
				w.m.trip = c.trip
				var warm, idle time.Duration
				w.m.onEmpty = func() { w.k.look(func() { w.k.count(); idle = w.k.idle }) }
				w.m.submit(1, tasks, rota.Spec{})
				w.after(40*c.takes + 20*c.trip)
				w.k.look(func() { w.k.count(); warm = w.k.idle })
				w.after(time.Minute)
				w.want(rota.Succeeded, tasks)
				if idle > warm {
					t.Errorf("slots were idle for %v while tasks were ready", idle-warm)
				}
				if s := w.n.Stats(); int(s.Finished/s.Exchanges) < c.batch {
					t.Errorf("%d ends in %d exchanges, want at least %d in one", s.Finished, s.Exchanges, c.batch)
				}
			})
		})
	}
}

func TestLongTasksAreNotClaimedAhead(t *testing.T) {
	in(t, 2, func(w *world) {
		w.m.submit(1, 50, rota.Spec{})
		for range 20 {
			w.after(500 * time.Millisecond)
			if n := w.n.Busy(); n > 2 {
				t.Fatalf("holds %d attempts in 2 slots", n)
			}
		}
		for _, x := range w.m.exchanges {
			if len(x.Finished) > 0 && x.Finished[0].EndedAgo != 0 {
				t.Errorf("an end waited for %v", x.Finished[0].EndedAgo)
			}
		}
	})
}

func TestP18_AnExchangeIsBounded(t *testing.T) {
	r := busy(4, 0, 0, 0)
	for i := range maxFinishes + 1 {
		r.gather(&finish{Finish: rota.Finish{Try: rota.Try{Task: rota.TaskID(i)}}}, 0)
	}
	if n := len(r.portion()); n != maxFinishes || len(r.ready) != 1 {
		t.Errorf("%d finishes in one exchange, %d left", n, len(r.ready))
	}
	r.ready = nil
	for range 100 {
		r.gather(&finish{Finish: rota.Finish{Output: []rota.Chunk{{Data: make([]byte, rota.InlineOutput)}}}}, 0)
	}
	if n := len(r.portion()); n != maxInlineBytes/rota.InlineOutput {
		t.Errorf("%d finishes with 16 KiB each in one exchange", n)
	}
	r = busy(1000, 0, 0, time.Millisecond)
	if n := r.room(0); n != maxClaim {
		t.Errorf("claims %d at once", n)
	}
}
