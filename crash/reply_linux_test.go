package crash_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/rotaqueue/rota/api"
)

// TestP20LostReplies submits jobs with keys over connections that break before, within and after a request, until
// each was acknowledged. Each key must have made one job, and each task must have run once.
func TestP20LostReplies(t *testing.T) {
	tasks := length(5000, 600, 200)
	runtime.LockOSThread()
	m := newMachine(t)
	m.untilUp(m.start())
	p := newProxy(t, m.socket, rand.New(rand.NewPCG(m.random.Uint64(), 0)))
	once := slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool {
		return !slices.Contains([]string{"plain", "array", "limited", "lines", "reader", "dependent", "cancelled", "cancelled early"}, k.name)
	})
	s := m.submitAll(api.Dial(p.path), m.plan(tasks, once), 1)
	s.allow(0)
	v := s.settle()
	for _, f := range v.sorted() {
		if f.Number > 1 {
			v.fail("P20", "%s ran %d times: %+v", f, f.Number, f.tries)
		}
	}
	refused, swallowed, err := p.figures()
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d requests and %d answers did not arrive; %d jobs, %d acknowledged when they were already there, %d tasks",
		refused, swallowed, len(v.jobs), v.acknowledgedAgain(), len(v.facts))
}
