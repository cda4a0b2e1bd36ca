package crash_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/crash"
	"github.com/rotaqueue/rota/crash/network"
)

const slots = 4

// machine is a data folder with the nodes that live on it one after the other, and their client.
type machine struct {
	*testing.T
	ctx    context.Context
	giveUp context.CancelFunc
	dir    string // of the test: rota/ is the data folder, witness and log are files
	mark   string
	pulse  *pulse
	env    []string // of nodes, besides what all have
	rota   string   // the program; default: rotaPath
	name   string   // of nodes; default: crash
	place  string   // of the store; default: in the data folder
	host   *network.Host
	jumps  bool // the store's clock does: what it dates is not compared with what is dated here

	upgraded    bool       // under jobs that go on
	random      *rand.Rand // the test goroutine's
	socket      string
	client      *api.Client
	lives       []*life
	keeperKills int // how often all keepers were killed
	log         *os.File
}

// life is one node, from its start to its end.
type life struct {
	cmd    *exec.Cmd
	began  rota.Elapsed
	up     chan struct{} // closed when it says that it serves
	took   time.Duration // until then
	ended  chan struct{}
	err    error
	killed rota.Elapsed // when somebody was about to kill it
	once   sync.Once
	ups    atomic.Int64 // how often it said that it serves
}

func newMachine(t *testing.T) *machine {
	m := newGround(t)
	m.furnish()
	return m
}

// newGround is what machines of a test have in common.
func newGround(t *testing.T) *machine {
	n := seed(t)
	end := time.Now().Add(time.Duration(length(12*60, 15, 15)) * time.Minute)
	if of, limited := t.Deadline(); limited && of.Before(end) {
		end = of
	}
	ctx, cancel := context.WithDeadline(t.Context(), end.Add(-20*time.Second)) // time to tell what is wrong
	t.Cleanup(cancel)
	dir := folder(t)
	return &machine{T: t, ctx: ctx, giveUp: cancel, dir: dir, pulse: newPulse(t, dir), mark: fmt.Sprint(n, ".", os.Getpid()), random: rand.New(rand.NewPCG(n, 0))}
}

// furnish makes the data folder and the log.
func (m *machine) furnish() {
	m.Helper()
	var err error
	if m.log, err = os.OpenFile(m.file("log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		m.Fatal(err)
	}
	m.Cleanup(m.tellLog)
	m.Cleanup(m.clean)
	if err := os.Mkdir(m.file("rota"), 0o700); err != nil {
		m.Fatal(err)
	}
	if m.socket, err = api.SocketPath(m.file("rota")); err != nil {
		m.Fatal(err)
	}
	m.client = api.Dial(m.socket)
}

// folder is where the test works; ROTA_CRASH_DIR keeps it for looking at.
func folder(t *testing.T) string {
	kept := os.Getenv("ROTA_CRASH_DIR")
	if kept == "" {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(kept, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("everything stays in %s", dir)
	return dir
}

func (m *machine) file(name string) string { return filepath.Join(m.dir, name) }

// start starts a node, which dies with the test: the caller has locked its thread.
func (m *machine) start() *life {
	m.Helper()
	l := &life{up: make(chan struct{}), ended: make(chan struct{}), began: clock.Elapsed()}
	l.cmd = exec.Command(cmp.Or(m.rota, rotaPath), "up", "--data", m.file("rota"), "--slots", fmt.Sprint(slots), "--listen", "none", "--name", cmp.Or(m.name, "crash"))
	l.cmd.Env = append([]string{"PATH=/usr/bin:/bin", "HOME=" + m.dir, "XDG_CONFIG_HOME=" + m.dir, "GOTRACEBACK=all"}, m.env...)
	l.cmd.Stdout, l.cmd.Stderr = greeting{l}, m.log
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	l.cmd.WaitDelay = 10 * time.Second
	launch := l.cmd.Start
	if m.host != nil {
		launch = func() error { return m.host.Start(l.cmd) }
	}
	if err := launch(); err != nil {
		m.Fatal(err)
	}
	m.lives = append(m.lives, l)
	go func() {
		l.err = l.cmd.Wait()
		close(l.ended)
	}()
	return l
}

// greeting waits for what a node says when it serves.
type greeting struct{ l *life }

func (g greeting) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("is up")) {
		g.l.ups.Add(1)
		g.l.once.Do(func() {
			g.l.took = clock.Elapsed().Sub(g.l.began)
			close(g.l.up)
		})
	}
	return len(b), nil
}

// untilUp waits until the node serves.
func (m *machine) untilUp(l *life) {
	m.Helper()
	select {
	case <-l.up:
	case <-l.ended:
		m.Fatalf("the node does not start: %v", l.err)
	case <-m.ctx.Done():
		m.tellStacks(l)
		m.Fatal("the node does not start in time")
	}
}

// tellStacks shows what a node does that should do something else, and ends it.
func (m *machine) tellStacks(l *life) {
	m.Helper()
	log := m.file("log")
	before, _ := os.Stat(log)
	if before == nil || l.cmd.Process.Signal(syscall.SIGABRT) != nil {
		return
	}
	select {
	case <-l.ended:
	case <-time.After(10 * time.Second):
	}
	if text, err := os.ReadFile(log); err == nil {
		m.Logf("what %s did:\n%s", cmp.Or(m.name, "the node"), text[min(before.Size(), int64(len(text))):])
		_ = os.Truncate(log, before.Size())
	}
}

// kill ends a node as nothing can prevent.
func (m *machine) kill(l *life) {
	m.Helper()
	l.killed = clock.Elapsed()
	_ = l.cmd.Process.Kill()
	<-l.ended
	if status, ok := l.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		m.Fatalf("the node ended by itself: %v", l.err)
	}
}

// killKeepers kills the keepers of the data folder, and waits until they are dead. A node that lives may have started others by
// then.
func (m *machine) killKeepers() {
	m.keeperKills++
	killed := m.keepers()
	for _, pid := range killed {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	wasKilled := func(pid int) bool { return slices.Contains(killed, pid) }
	for slices.ContainsFunc(m.keepers(), wasKilled) && m.ctx.Err() == nil {
		m.pause(time.Millisecond)
	}
}

// keepers are the processes of keepers, known by their arguments.
func (m *machine) keepers() (pids []int) {
	folders, err := os.ReadDir("/proc")
	if err != nil {
		m.Error(err)
	}
	for _, d := range folders {
		args, _ := os.ReadFile("/proc/" + d.Name() + "/cmdline")
		if pid, err := strconv.Atoi(d.Name()); err == nil && strings.HasPrefix(string(args), "rota\x00keeper\x00"+m.file("rota")+"/") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// stop ends a node as its owner would, and waits until it has.
func (m *machine) stop(l *life) {
	m.Helper()
	l.killed = clock.Elapsed()
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		m.Error(err)
	}
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	select {
	case <-l.ended:
		if l.err != nil {
			m.Errorf("the node was asked to stop and said: %v", l.err)
		}
	case <-late.C:
		m.Error("the node was asked to stop and does not")
	}
}

// insist repeats a call until the node says yes, as a client does that wants to be sure. What the node refuses is the
// test's fault.
func (m *machine) insist(what string, call func() error) bool {
	for m.ctx.Err() == nil {
		err := call()
		if err == nil {
			return true
		}
		if !errors.Is(err, rota.ErrUnavailable) && m.ctx.Err() == nil {
			m.Errorf("%s: refused: %v", what, err)
			m.giveUp()
			return false
		}
		m.pause(5 * time.Millisecond)
	}
	return false
}

// pause is a moment that chance has chosen, or that lies between two tries.
func (m *machine) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.ctx.Done():
	}
}

// clean ends whatever is still there.
func (m *machine) clean() {
	for _, l := range m.lives {
		select {
		case <-l.ended:
		default:
			_ = l.cmd.Process.Kill()
			<-l.ended
		}
	}
	for _, pid := range m.keepers() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, p := range crash.Marked(m.mark) {
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
	}
	m.log.Close()
}

// tellLog shows what the nodes complained of.
func (m *machine) tellLog() {
	text, err := os.ReadFile(m.file("log"))
	if err != nil {
		m.Error(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if m.Failed() || !strings.Contains(line, "level=INFO") {
			lines = append(lines, line)
		}
	}
	const most = 40
	if skipped := len(lines) - most; skipped > 0 {
		lines = append([]string{fmt.Sprintf("(%d lines before)\n", skipped)}, lines[skipped:]...)
	}
	if len(lines) > 0 {
		m.Logf("the log of %s:\n%s", cmp.Or(m.name, "the nodes"), strings.Join(lines, ""))
	}
}
