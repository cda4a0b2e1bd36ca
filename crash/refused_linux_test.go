package crash_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash"
)

// TestP7RefusedForks has the system refuse each process for a while, for each of its reasons, and one that it has for no
// job in particular: no attempt is used up, what runs goes on, and the node says that it can start nothing.
func TestP7RefusedForks(t *testing.T) {
	runtime.LockOSThread() // what this thread starts dies with it; it is not unlocked, so it ends with the test
	path := buildWithPoints(t)
	all := []syscall.Errno{syscall.ENOMEM, syscall.EAGAIN, syscall.EMFILE, syscall.ENFILE}
	for _, errno := range all[:length(len(all), len(all), 1)] {
		t.Run(errno.Error(), func(t *testing.T) { refuseForks(t, path, errno) })
	}
}

func refuseForks(t *testing.T, path string, errno syscall.Errno) {
	runtime.LockOSThread()
	m := newMachine(t)
	m.rota = path
	refused := m.file("refused")
	m.env = []string{"ROTA_FAIL_AT=keeper: fork", "ROTA_FAIL_WITH=" + strconv.Itoa(int(errno)), "ROTA_FAIL_WHILE=" + refused}
	l := m.start()
	m.untilUp(l)
	pid := m.startJob("long", -1)
	if err := os.WriteFile(refused, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	jobs := m.submitOnce(20)
	m.untilState(rota.NodeUnable)
	m.kill(l) // whoever comes next meets the same, with the same keeper
	l = m.start()
	m.untilUp(l)
	if _, runs := crash.Look(pid); !runs {
		t.Error("what ran has ended")
	}
	if err := os.Remove(refused); err != nil {
		t.Fatal(err)
	}
	given := 0
	for _, id := range jobs {
		m.untilEnded(id)
		task, earlier, err := m.client.Task(m.ctx, rota.PlainTask(id))
		if err != nil || task.State != rota.Succeeded {
			t.Errorf("job %v: %v, %q, %v", id, task.State, task.Reason, err)
		}
		for _, a := range earlier {
			if given++; a.Outcome != rota.OutcomeReturned {
				t.Errorf("job %v, attempt %d: %s, %q", id, a.Number, a.Outcome, a.Reason)
			}
		}
	}
	m.untilState(rota.NodeUp)
	t.Logf("%d jobs were given back %d times, and none failed", len(jobs), given)
	if given == 0 {
		t.Error("nothing was given back: this test shows nothing")
	}
}

// TestP11AKeeperThatCannotBeFollowedYet kills the keeper where no other can be started: the daemon lives, and has one as
// soon as it can; what ran is tried again. Told to end before that, it ends.
func TestP11AKeeperThatCannotBeFollowedYet(t *testing.T) {
	runtime.LockOSThread() // what this thread starts dies with it; it is not unlocked, so it ends with the test
	m := newMachine(t)
	m.rota = buildWithPoints(t)
	refused := m.file("refused")
	m.env = []string{"ROTA_FAIL_AT=daemon: fork", "ROTA_FAIL_WITH=" + strconv.Itoa(int(syscall.EAGAIN)), "ROTA_FAIL_WHILE=" + refused}
	l := m.start()
	m.untilUp(l)
	got, err := m.client.Submit(m.ctx, rota.Submission{Spec: rota.Spec{Shell: `test $ROTA_ATTEMPT = 2 || { echo begun; exec sleep 1000; }`,
		Env: []string{"PATH=/usr/bin:/bin", crash.MarkName + "=" + m.mark}}})
	if err != nil {
		t.Fatal(err)
	}
	m.comes("it has begun", func() bool {
		o, err := m.client.Output(m.ctx, rota.OutputQuery{Task: rota.PlainTask(got.Job), Stream: rota.Stdout}, 0)
		return err == nil && o.Size > 0
	})
	for _, ends := range []bool{false, true} {
		if err := os.WriteFile(refused, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		m.killKeepers()
		m.comes("the node says that it can start none", func() bool { return m.logged("no keeper can be started") })
		if ends {
			m.stop(l)
			break
		}
		if _, err := m.client.Job(m.ctx, got.Job); err != nil {
			t.Errorf("it does not answer meanwhile: %v", err)
		}
		if err := os.Remove(refused); err != nil {
			t.Fatal(err)
		}
		m.untilEnded(got.Job)
		if task := m.task(got.Job); task.State != rota.Succeeded || task.Number != 2 {
			t.Errorf("%v at attempt %d, %q", task.State, task.Number, task.Reason)
		}
		if err := os.Truncate(m.file("log"), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// logged reports whether the nodes have said a text.
func (m *machine) logged(text string) bool {
	all, err := os.ReadFile(m.file("log"))
	return err == nil && strings.Contains(string(all), text)
}

// submitOnce submits jobs that may be tried once.
func (m *machine) submitOnce(n int) (ids []rota.JobID) {
	m.Helper()
	none := 0
	for range n {
		got, err := m.client.Submit(m.ctx, rota.Submission{Spec: rota.Spec{Argv: []string{"/bin/true"},
			Env: []string{crash.MarkName + "=" + m.mark}, Retry: &rota.Retry{Count: &none, MaxLost: &none}}})
		if err != nil {
			m.Fatal(err)
		}
		ids = append(ids, got.Job)
	}
	return ids
}

func (m *machine) untilState(want rota.NodeState) {
	m.Helper()
	m.comes("the node is "+string(want), func() bool {
		nodes, err := m.client.Nodes(m.ctx)
		return err == nil && len(nodes) == 1 && nodes[0].State == want
	})
}
