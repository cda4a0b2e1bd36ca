package crash_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash"
)

// TestCrash submits jobs of all kinds while the node is killed again and again, leaves the last node alone until all
// is done, and holds what it then says against the ledger of the submitters and the records of the witness: invariants
// I1 to I6, I8 to I10 and I12. ROTA_SOAK=1 makes it 100 kills and 5,000 tasks.
func TestCrash(t *testing.T) {
	kills, tasks := 25, 1500
	switch {
	case isSoak():
		kills, tasks = 100, 5000
	case testing.Short():
		kills, tasks = 8, 400
	}
	runtime.LockOSThread() // what this thread starts dies with it; it is not unlocked, so it ends with the test
	m := newMachine(t)
	s := m.submitAll(m.client, m.plan(tasks, kinds), kills+1)
	m.torment(s, kills)
	s.done()
	last := m.lives[len(m.lives)-1]
	atRest := m.untilDone(last)
	m.checkI6Nothing("at the end")
	m.stop(last)
	v := m.judge(s.jobs)
	v.checkAll()
	v.checkI12(last, atRest)
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
		m.kill(l)
		left = append(left, crash.Marked(m.mark)...)
	}
	l := m.start()
	s.allow(kills)
	m.untilUp(l)
	m.checkI6Dead(left)
}

// untilMoment waits for the moment at which a node is to be killed: while it starts, at any time after that, or right
// after some job was acknowledged.
func (m *machine) untilMoment(s *submission, l *life) {
	m.Helper()
	millis := func(most int) time.Duration {
		return time.Duration(m.random.Float64() * float64(most) * float64(time.Millisecond))
	}
	if m.random.IntN(4) == 0 {
		m.pause(millis(150))
		return
	}
	m.untilUp(l)
	if m.random.IntN(3) > 0 {
		m.pause(millis(600))
		return
	}
	late := time.NewTimer(500 * time.Millisecond)
	defer late.Stop()
	for range m.random.IntN(10) {
		select {
		case <-s.acks:
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

// untilDone waits until nothing waits or runs any more, and says how many files the node has open then.
func (m *machine) untilDone(l *life) (open int) {
	m.Helper()
	const patience = time.Minute
	tick, late := time.NewTicker(50*time.Millisecond), time.NewTimer(patience)
	defer tick.Stop()
	defer late.Stop()
	var was [3]int64
	for {
		st, err := m.client.Status(m.ctx)
		if err != nil {
			m.Fatalf("the node does not answer: %v", err)
		}
		if st.Waiting == 0 && st.Running == 0 {
			return openFiles(l.cmd.Process.Pid)
		}
		is := [3]int64{int64(st.Waiting), int64(st.Running)}
		if info, err := os.Stat(m.file("witness")); err == nil {
			is[2] = info.Size()
		}
		if is != was {
			was = is
			late.Reset(patience)
		}
		select {
		case <-tick.C:
		case <-l.ended:
			m.Fatalf("the node ended by itself: %v", l.err)
		case <-late.C:
			m.tellUnended()
			m.FailNow()
		}
	}
}

// tellUnended says what waits for ever.
func (m *machine) tellUnended() {
	states := []rota.State{rota.Blocked, rota.Scheduled, rota.Held, rota.Ready, rota.Running}
	tasks, err := m.client.Tasks(m.ctx, rota.TaskQuery{Filter: rota.Filter{States: states}, Max: 20})
	if err != nil {
		m.Fatal(err)
	}
	for _, task := range tasks {
		m.Errorf("I1: task %v (%s) does not end: %+v", task.ID, task.Name, task)
	}
}

func openFiles(pid int) int {
	dir, err := os.ReadDir("/proc/" + itoa(pid) + "/fd")
	if err != nil {
		return -1
	}
	return len(dir)
}
