package crash_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash"
)

// TestRestarts restarts the daemon again and again under a load of short and long jobs: by kill -9, by rota upgrade to
// another version with another schema and back, and cleanly (TERM, or HUP in the same process). What runs does not take
// part (Z3, D4, P10, P13, P24): no job is killed, none runs twice, every one ends with its own exit code at its first
// attempt, and not a byte of output is missing. ROTA_SOAK=1 makes it 500 restarts.
func TestRestarts(t *testing.T) {
	restarts := length(500, 30, 9)
	runtime.LockOSThread() // what this thread starts dies with it; it is not unlocked, so it ends with the test
	m := newMachine(t)
	l := m.start()
	m.untilUps(l, 1)
	load := m.startLoad()
	next := false
	for n := range restarts {
		m.pause(time.Duration(100+m.random.IntN(500)) * time.Millisecond)
		switch kind := n % 6; {
		case kind == 0 || kind == 3:
			m.kill(l)
			l, next = m.start(), false
			m.untilUps(l, 1)
		case kind == 1 || kind == 4:
			target := nextPath
			if next {
				target = rotaPath
			}
			if out, err := exec.Command(rotaPath, "upgrade", target, "--data", m.file("rota")).CombinedOutput(); err != nil {
				t.Fatalf("restart %d: upgrade: %v: %s", n, err, out)
			}
			next = !next
		case kind == 2:
			m.stop(l)
			l, next = m.start(), false
			m.untilUps(l, 1)
		default:
			was := l.ups.Load()
			if err := l.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			m.untilUps(l, was+1)
		}
	}
	load.finish()
	for m.ctx.Err() == nil && len(m.keepers()) > 1 {
		m.pause(10 * time.Millisecond) // an older one has just let its last job go
	}
	if n := len(m.keepers()); n != 1 {
		t.Errorf("%d keepers live, want one", n)
	}
	m.checkI6Nothing("at the end")
	m.client.Close()
	m.stop(l)
	dirs, err := os.ReadDir(m.file("rota/work/keepers"))
	if err != nil || len(dirs) != 0 {
		t.Errorf("left of the keepers: %v, %v", dirs, err)
	}
	t.Logf("%d restarts; %d jobs ended as they should, %d lines of output", restarts, len(load.jobs), load.lines)
}

// untilUps waits until a node has said so often that it serves.
func (m *machine) untilUps(l *life, times int64) {
	m.Helper()
	for l.ups.Load() < times {
		if isClosed(l.ended) {
			m.Fatalf("the node ended: %v", l.err)
		}
		if m.ctx.Err() != nil {
			m.Fatal("the node does not serve in time")
		}
		m.pause(time.Millisecond)
	}
}

// load submits jobs for as long as it is let, and knows how each must end.
type load struct {
	*machine
	stop  atomic.Bool
	work  sync.WaitGroup
	lines int

	mu   sync.Mutex
	jobs []*ticking
}

// ticking is a job that writes numbered lines.
type ticking struct {
	id          rota.JobID
	lines, code int
}

// script writes lines with pauses between them and ends with a code; each start of it is noted in a file.
const script = `echo "$ROTA_JOB $ROTA_ATTEMPT" >> "$1"; i=1; while [ $i -le $2 ]; do echo "line $i of $ROTA_JOB"; echo "note $i" >&2; sleep $3; i=$((i+1)); done; exit $4`

func (m *machine) startLoad() *load {
	ld := &load{machine: m}
	for worker := range 6 {
		random := m.random.Uint64()
		ld.work.Go(func() {
			for n := 0; !ld.stop.Load() && m.ctx.Err() == nil; n++ {
				ld.submit(fmt.Sprint(m.mark, " ", worker, ".", n), random>>(n%40))
			}
		})
	}
	return ld
}

// submit hands one job in and waits until it has ended, so that the load stays the same. Its wait is one that outlives
// the node.
func (ld *load) submit(key string, random uint64) {
	zero := 0
	j := &ticking{lines: 1 + int(random%12), code: int(random>>3) % 4}
	pause := []string{"0", "0.02", "0.1", "0.25"}[random>>5&3]
	spec := rota.Spec{Shell: script, Argv: []string{ld.file("begun"), fmt.Sprint(j.lines), pause, fmt.Sprint(j.code)},
		Env: []string{"PATH=/usr/bin:/bin", crash.MarkName + "=" + ld.mark}, Retry: &rota.Retry{Count: &zero, MaxLost: &zero}}
	ld.insist("submit", func() error {
		got, err := ld.client.Submit(ld.ctx, rota.Submission{Spec: spec, Key: key})
		j.id = got.Job
		return err
	})
	ld.mu.Lock()
	ld.jobs = append(ld.jobs, j)
	ld.mu.Unlock()
	var seen rota.Progress
	for ld.ctx.Err() == nil && !seen.Ended() {
		p, err := ld.client.Watch(ld.ctx, j.id, seen, 5*time.Second)
		switch {
		case err == nil:
			seen = p
		case errors.Is(err, rota.ErrUnavailable):
			ld.pause(5 * time.Millisecond)
		default:
			ld.Errorf("watch job %v: %v", j.id, err)
			return
		}
	}
}

// finish lets the last jobs end, and judges all.
func (ld *load) finish() {
	ld.Helper()
	ld.stop.Store(true)
	ld.work.Wait()
	text, err := os.ReadFile(ld.file("begun"))
	if err != nil {
		ld.Fatal(err)
	}
	begun := map[string]int{}
	for line := range strings.Lines(string(text)) {
		job, attempt, _ := strings.Cut(strings.TrimSpace(line), " ")
		if begun[job]++; attempt != "1" && begun[job] == 1 {
			ld.given(job, attempt)
		}
	}
	for _, j := range ld.jobs {
		if n := begun[j.id.String()]; n != 1 {
			ld.Errorf("job %v began %d times", j.id, n)
		}
		ld.judge(j)
	}
}

// given: an attempt that is not the first comes after such as were given back without having started, and no others.
func (ld *load) given(job, attempt string) {
	ld.Helper()
	id, err := rota.ParseJobID(job)
	if err != nil {
		ld.Fatal(err)
	}
	_, earlier, err := ld.client.Task(ld.ctx, rota.PlainTask(id))
	if err != nil {
		ld.Fatal(err)
	}
	for _, a := range earlier {
		if a.Outcome != rota.OutcomeReturned {
			ld.Errorf("job %s began as attempt %s, after %+v", job, attempt, a)
		}
	}
}

func (ld *load) judge(j *ticking) {
	ld.Helper()
	task, _, err := ld.client.Task(ld.ctx, rota.PlainTask(j.id))
	if err != nil {
		ld.Fatal(err)
	}
	want := rota.Failed
	if j.code == 0 {
		want = rota.Succeeded
	}
	if task.State != want || task.Exit == nil || *task.Exit != j.code {
		ld.Errorf("job %v: %v, exit %v, %q; want exit %d", j.id, task.State, task.Exit, task.Reason, j.code)
	}
	var out, notes strings.Builder
	for i := 1; i <= j.lines; i++ {
		fmt.Fprintf(&out, "line %d of %v\n", i, j.id)
		fmt.Fprintf(&notes, "note %d\n", i)
	}
	for stream, want := range map[rota.Stream]string{rota.Stdout: out.String(), rota.Stderr: notes.String()} {
		got, err := ld.client.Output(ld.ctx, rota.OutputQuery{Task: task.ID, Stream: stream}, 0)
		if err != nil || string(got.Data) != want {
			ld.Errorf("job %v, %s: %q, %v; want %q", j.id, stream, got.Data, err, want)
		}
	}
	ld.lines += 2 * j.lines
}

// buildNext builds a version that may come next, with a schema of its own.
func buildNext(to string) error {
	migrations, err := filepath.Abs("../store/sqlstore/migrations")
	if err != nil {
		return err
	}
	migration, err := filepath.Abs("../cmd/rota/testdata/next.sql")
	if err != nil {
		return err
	}
	overlay := to + ".overlay"
	text := fmt.Sprintf("{%q: {%q: %q}}", "Replace", filepath.Join(migrations, "09999_next.sql"), migration)
	if err := os.WriteFile(overlay, []byte(text), 0o600); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-overlay", overlay, "-ldflags", "-X github.com/rotaqueue/rota.Version=99.0.0-next",
		"-o", to, "../cmd/rota")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
