package crash_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/crash"
)

// TestP2AStoppedDaemonsJobsEndInTime stops the daemon with SIGSTOP for longer than its lease and what jobs tolerate: the
// keeper ends them before anybody could have taken the lease for lost (P8), which is no earlier than a whole TTL and the
// tolerance after the daemon was stopped, since it renewed before that. One that tolerates all goes on. The smallest
// margin is told. ROTA_SOAK=1 makes it 200 tries.
func TestP2AStoppedDaemonsJobsEndInTime(t *testing.T) {
	const ttl = 2 * time.Second
	tries := length(200, 3, 1) // of four jobs each, of which three are to end
	runtime.LockOSThread()     // what this thread starts dies with it; it is not unlocked, so it ends with the test
	m := newMachine(t)
	m.env = append(m.env, "ROTA_TTL="+ttl.String())
	smallest := time.Hour
	for n := range tries {
		l := m.start()
		m.untilUp(l)
		tolerances := []time.Duration{0, 0, 300 * time.Millisecond, -1}
		pids := make([]int, len(tolerances))
		for i, d := range tolerances {
			pids[i] = m.startJob(fmt.Sprintf("pid.%d.%d", n, i), d)
		}
		m.pause(time.Duration(m.random.IntN(1000)) * time.Millisecond) // anywhere between two renewals
		stopped := clock.Elapsed()
		if err := l.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		for i, d := range tolerances {
			if d < 0 {
				continue
			}
			margin := (ttl + d) - m.untilDead(pids[i]).Sub(stopped)
			if smallest = min(smallest, margin); margin < 0 {
				t.Errorf("try %d: with a tolerance of %v it ended %v too late", n, d, -margin)
			}
		}
		if _, runs := crash.Look(pids[3]); !runs {
			t.Errorf("try %d: the one that tolerates all has ended", n)
		}
		if err := l.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		m.client.Operate(m.ctx, rota.Operation{Act: rota.ActCancel, Filter: rota.Filter{States: []rota.State{rota.Ready, rota.Running, rota.Scheduled}}})
		m.untilDead(pids[3])
		m.stop(l)
		m.killKeepers()
	}
	t.Logf("%d jobs of %d stopped daemons: the smallest margin was %v of a lease of %v", 3*tries, tries, smallest, ttl)
}

// startJob starts a job that runs for ever, and returns its process once it runs.
func (m *machine) startJob(file string, tolerance time.Duration) int {
	m.Helper()
	rule := rota.StoreLossRun
	if tolerance >= 0 {
		rule, _ = rota.ParseOnStoreLoss(tolerance.String())
	}
	path := filepath.Join(m.dir, file)
	zero := 0
	_, err := m.client.Submit(m.ctx, rota.Submission{Spec: rota.Spec{Shell: `echo $$ > "$1.new"; mv "$1.new" "$1"; exec sleep 1000`, Argv: []string{path},
		Env: []string{"PATH=/usr/bin:/bin", crash.MarkName + "=" + m.mark}, Retry: &rota.Retry{Count: &zero, MaxLost: &zero}, OnStoreLoss: rule}})
	if err != nil {
		m.Fatal(err)
	}
	for m.ctx.Err() == nil {
		if text, err := os.ReadFile(path); err == nil {
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				m.Fatal(err)
			}
			return pid
		}
		m.pause(time.Millisecond)
	}
	m.Fatal("the job does not start")
	return 0
}

// untilDead waits until a process runs no more, and tells when that was seen.
func (m *machine) untilDead(pid int) rota.Elapsed {
	m.Helper()
	for m.ctx.Err() == nil {
		if _, runs := crash.Look(pid); !runs {
			return clock.Elapsed()
		}
		m.pause(time.Millisecond)
	}
	m.Fatalf("process %d does not end", pid)
	return 0
}
