package crash_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// TestP3ANodeThatWasTakenForLostComesBack stops the daemon until its lease is over, and marks its session lost in the
// store, as another node would. When the daemon goes on it begins anew by itself: what does not tolerate a loss was ended
// in time and runs again, what tolerates it goes on all the while, is told to end when somebody asks, and has its end
// recorded (P8). A second loss, and a daemon that is killed meanwhile, change nothing of that.
func TestP3ANodeThatWasTakenForLostComesBack(t *testing.T) {
	const ttl = 2 * time.Second
	runtime.LockOSThread() // what this thread starts dies with it
	m := newMachine(t)
	m.env = append(m.env, "ROTA_TTL="+ttl.String())
	l := m.start()
	m.untilUp(l)
	ended := m.startJob("kill", 0)
	asked := m.startJob("asked", -1)
	goesOn, err := m.client.Submit(m.ctx, rota.Submission{Spec: rota.Spec{Dir: m.dir, OnStoreLoss: rota.StoreLossRun, Retry: &rota.Retry{Count: new(int)},
		Shell: "echo begun; touch begun; until test -e go; do sleep 0.02; done; echo attempt $ROTA_ATTEMPT; exit 7"}})
	if err != nil {
		t.Fatal(err)
	}
	m.comes("the third begins", func() bool { _, err := os.Stat(m.file("begun")); return err == nil })

	for range 2 {
		m.loseSessions(l, ended)
		m.comes("there is another session", func() bool {
			nodes, err := m.client.Nodes(m.ctx)
			return err == nil && nodes[0].State == rota.NodeUp && len(m.keepers()) > 1
		})
		if _, runs := crash.Look(asked); !runs {
			t.Fatal("what tolerates the loss was ended")
		}
	}
	m.kill(l)
	l = m.start()
	m.untilUp(l)
	again, err := m.client.Submit(m.ctx, rota.Submission{Spec: rota.Spec{Shell: "exit 0"}})
	if err != nil {
		t.Fatal(err)
	}
	m.untilEnded(again.Job)
	first, err := m.client.Jobs(m.ctx, rota.JobQuery{Max: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range first {
		if len(job.Spec.Argv) == 1 && strings.HasSuffix(job.Spec.Argv[0], "asked") {
			if _, err := m.client.Operate(m.ctx, rota.Operation{Act: rota.ActCancel, Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job.ID)}}}); err != nil {
				t.Fatal(err)
			}
			m.untilDead(asked)
			if m.untilEnded(job.ID); m.task(job.ID).State != rota.Cancelled {
				t.Errorf("what was asked to end: %+v", m.task(job.ID))
			}
		}
	}
	if err := os.WriteFile(m.file("go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m.untilEnded(goesOn.Job)
	task := m.task(goesOn.Job)
	out, err := m.client.Output(m.ctx, rota.OutputQuery{Task: task.ID, Stream: rota.Stdout}, 0)
	if task.Number != 1 || task.Exit == nil || *task.Exit != 7 || task.Lost != 0 || err != nil || string(out.Data) != "begun\nattempt 1\n" {
		t.Errorf("what went on: %+v, output %q, %v", task, out.Data, err)
	}
	m.comes("the keepers of lost sessions end", func() bool { return len(m.keepers()) == 1 })
	m.stop(l)
	m.killKeepers()
}

// loseSessions stops the daemon until what runs in its lease has ended, and marks all its sessions lost meanwhile.
func (m *machine) loseSessions(l *life, leased int) {
	m.Helper()
	signal := func(s syscall.Signal) {
		if err := l.cmd.Process.Signal(s); err != nil {
			m.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	m.untilDead(leased)
	for tries := 0; ; tries++ {
		err := m.loseIn(filepath.Join(m.file("rota"), "rota.db"))
		if err == nil {
			break
		}
		if tries == 10 {
			m.Fatal(err)
		}
		signal(syscall.SIGCONT) // perhaps it was stopped within a transaction
		m.pause(50 * time.Millisecond)
		signal(syscall.SIGSTOP)
		m.pause(2 * time.Second)
	}
	signal(syscall.SIGCONT)
}

func (m *machine) loseIn(path string) error {
	store, err := sqlstore.Open(m.ctx, path, sqlstore.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	all, err := store.Sessions(m.ctx)
	for _, s := range all {
		if _, err := store.LoseSession(m.ctx, s.ID, s.Beat, 0); err != nil {
			return err
		}
	}
	return err
}

func (m *machine) task(id rota.JobID) rota.Task {
	m.Helper()
	task, _, err := m.client.Task(m.ctx, rota.PlainTask(id))
	if err != nil {
		m.Fatal(err)
	}
	return task
}

func (m *machine) untilEnded(id rota.JobID) {
	m.Helper()
	var p rota.Progress
	for !p.Ended() {
		var err error
		if p, err = m.client.Watch(m.ctx, id, p, time.Minute); err != nil {
			m.Fatal(err)
		}
	}
}

func (m *machine) comes(what string, is func() bool) {
	m.Helper()
	for !is() {
		if m.ctx.Err() != nil {
			m.Fatalf("never came: %s", what)
		}
		m.pause(10 * time.Millisecond)
	}
}
