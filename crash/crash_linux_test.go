package crash_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/rotaqueue/rota/crash"
)

// TestCrash submits jobs of all kinds while the node, its keeper or both are killed again and again, leaves the last node
// alone until all is done, and holds what it then says against the ledger of the submitters and the records of the witness: invariants
// I1 to I6, I8 to I10 and I12. ROTA_SOAK=1 makes it 100 kills and 5,000 tasks.
func TestCrash(t *testing.T) {
	kills, tasks := length(100, 25, 8), length(5000, 1500, 400)
	runtime.LockOSThread() // what this thread starts dies with it; it is not unlocked, so it ends with the test
	m := newMachine(t)
	s := m.submitAll(m.client, m.plan(tasks, kinds), kills+1)
	m.torment(s, kills)
	v := s.settle()
	v.tellFigures(kills)
}

// torment kills node after node at random moments, and lets the last one live.
func (m *machine) torment(s *submission, kills int) {
	var left []crash.Process
	for k := range kills {
		l := m.start()
		s.allow(k)
		m.untilMoment(s, l)
		if isClosed(l.up) {
			m.checkI6Dead(left)
			left = nil
		}
		switch m.random.IntN(3) {
		case 0: // what runs goes on
			m.kill(l)
		case 1: // the node is to begin again by itself; perhaps it has no time for that
			m.killKeepers()
			m.pause(time.Duration(m.random.IntN(300)) * time.Millisecond)
			m.kill(l)
		default:
			m.kill(l)
			m.killKeepers()
			left = append(left, crash.Marked(m.mark)...)
		}
	}
	l := m.start()
	s.allow(kills)
	m.untilUp(l)
	m.checkI6Dead(left)
}

// untilMoment waits for the moment at which a node is to be killed: while it starts, at any time after that, or right
// after some jobs, or some cancels, were acknowledged.
func (m *machine) untilMoment(s *submission, l *life) {
	m.Helper()
	millis := func(most int) time.Duration {
		return time.Duration(m.random.Float64() * float64(most) * float64(time.Millisecond))
	}
	how := m.random.IntN(10)
	if how < 2 {
		m.pause(millis(150))
		return
	}
	m.untilUp(l)
	switch {
	case how < 7:
		m.pause(millis(600))
	case how < 8:
		await(s.acks, m.random.IntN(10))
	default:
		await(s.cancels, 1+m.random.IntN(2))
		m.pause(millis(m.random.IntN(60)))
	}
}

// await waits until something has happened so often, or not for too long.
func await(c <-chan struct{}, times int) {
	late := time.NewTimer(600 * time.Millisecond)
	defer late.Stop()
	for range times {
		select {
		case <-c:
		case <-late.C:
			return
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// checkI6Dead looks for processes that outlived the node that ran them and the start of the next one.
func (m *machine) checkI6Dead(left []crash.Process) {
	m.Helper()
	for _, p := range left {
		if p.Runs() {
			m.Errorf("I6: process %d of %v lives on although the next node is up", p.PID, p.Try())
		}
	}
}

func (m *machine) checkI6Nothing(when string) {
	m.Helper()
	for _, p := range crash.Marked(m.mark) {
		m.Errorf("I6: process %d of %v lives %s", p.PID, p.Try(), when)
	}
}
