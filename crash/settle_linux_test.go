package crash_test

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// settle leaves the last node alone until everything was acknowledged and is done, stops it, and judges.
func (s *submission) settle() *verdict {
	s.Helper()
	last := s.lives[len(s.lives)-1]
	all := s.acknowledged()
	s.until(last, "everything is acknowledged", func() bool { return isClosed(all) })
	s.until(last, "everything is done", func() bool {
		s.releaseAside()
		st, err := s.machine.client.Status(s.ctx)
		if err != nil {
			s.Fatalf("the node does not answer: %v", err)
		}
		return st.Waiting == 0 && st.Running == 0
	})
	s.client.Close()
	s.machine.client.Close()
	s.until(last, "I12: the node at rest has few files open", func() bool { return openFiles(last.cmd.Process.Pid) <= mostOpen })
	s.checkI6Nothing("at the end")
	s.stop(last)
	v := s.judge(s.jobs)
	v.checkAll()
	v.checkI12()
	return v
}

// acknowledged is closed when everything is.
func (s *submission) acknowledged() <-chan struct{} {
	s.once.Do(func() {
		s.acked = make(chan struct{})
		go func() {
			s.all.Wait()
			close(s.acked)
		}()
	})
	return s.acked
}

// releaseAside releases what was set aside because its keeper was killed under it again and again (P7).
func (s *submission) releaseAside() {
	s.Helper()
	tasks, err := s.machine.client.Tasks(s.ctx, rota.TaskQuery{Filter: rota.Filter{States: []rota.State{rota.Held}}, Max: 1000})
	if err != nil {
		s.Fatal(err)
	}
	for _, task := range tasks {
		if !strings.HasPrefix(task.Reason, "set aside: ") {
			continue
		}
		s.Logf("task %v was set aside, and is released", task.ID)
		if _, err := s.machine.client.Operate(s.ctx, rota.Operation{Act: rota.ActRelease, Filter: rota.Filter{Tasks: []rota.Span{{First: task.ID, Last: task.ID}}}}); err != nil {
			s.Fatal(err)
		}
	}
}

// mostOpen is how many files a node with nothing to do may have open, after all that it has gone through.
const mostOpen = 60

// until waits for something that comes, as long as the jobs go on meanwhile.
func (m *machine) until(l *life, what string, is func() bool) {
	m.Helper()
	const patience = 60
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	beats := m.pulse.since()
	for was := int64(0); !is(); {
		if info, err := os.Stat(m.file("witness")); err == nil && info.Size() != was {
			was, beats = info.Size(), m.pulse.since()
		}
		if beats() > patience {
			m.tellUnended()
			m.tellStacks(l)
			m.giveUp()
			m.Fatalf("nothing moves any more, and not yet true: %s (%v)", what, m.pulse)
		}
		select {
		case <-tick.C:
		case <-l.ended:
			m.Fatalf("the node ended by itself: %v", l.err)
		case <-m.ctx.Done():
			m.tellUnended()
			m.tellStacks(l)
			m.Fatalf("the time is over, and not yet true: %s (%v)", what, m.pulse)
		}
	}
}

// tellUnended says what waits for ever.
func (m *machine) tellUnended() {
	m.Helper()
	states := []rota.State{rota.Blocked, rota.Scheduled, rota.Held, rota.Ready, rota.Running}
	tasks, err := m.client.Tasks(m.Context(), rota.TaskQuery{Filter: rota.Filter{States: states}, Max: 10})
	if err != nil {
		m.Error(err)
	}
	for _, task := range tasks {
		m.Errorf("I1: task %v (%s) does not end: %+v", task.ID, task.Name, task)
	}
}

func openFiles(pid int) int {
	dir, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		return -1
	}
	return len(dir)
}
