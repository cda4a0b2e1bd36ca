package examples_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rotaqueue/rota/store/pgtest"
)

// TestNodesAsTheExamplesStartThem: two nodes of one database, started by the line that stands in the example.
func TestNodesAsTheExamplesStartThem(t *testing.T) {
	needBinary(t)
	for kind, example := range proxies {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			runtime.LockOSThread() // until the test ends: the nodes die with their thread
			store := pgtest.Shared(t).Database(t)
			line := startingLine(t, example.file)
			one, two := newRealNode(t, line, store), newRealNode(t, line, store)
			p := startProxy(t, kind, one.address, two.address)
			token := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(token, one.local("token", "create", "test", "--role", "operator"), 0o600); err != nil {
				t.Fatal(err)
			}
			c := &client{T: t, url: p.url, token: token, authority: p.authority}
			acts := func() {
				t.Helper()
				for range 4 {
					job := c.rota("submit", "-c", "echo hello")
					c.rota("wait", job)
					if out := c.rota("logs", job); out != "hello" {
						t.Errorf("job %s wrote %q", job, out)
					}
				}
				held := c.rota("submit", "--hold", "--", "true")
				c.rota("cancel", "--wait", held)
			}
			acts()
			one.kill()
			acts()
			one.start()
			two.kill()
			acts()
			two.start()
		})
	}
}

// startingLine is how the example says that a node is started, from "up" on.
func startingLine(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^# The nodes: rota (up .*)$`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("%s does not say how nodes are started", file)
	}
	return strings.Fields(string(m[1]))
}

// realNode is a node that is a process, with a data folder of its own.
type realNode struct {
	t       *testing.T
	dir     string
	address string
	args    []string
	store   string
	cmd     *exec.Cmd
	said    *greeting
}

func newRealNode(t *testing.T, line []string, store string) *realNode {
	t.Helper()
	n := &realNode{t: t, dir: t.TempDir(), address: "127.0.0.1:" + freePort(t), store: store}
	for _, arg := range line {
		n.args = append(n.args, strings.Replace(arg, "10.0.0.11:2691", n.address, 1))
	}
	n.args = append(n.args, "--name", "node"+n.address[len("127.0.0.1:"):], "--slots", "2")
	n.start()
	t.Cleanup(func() {
		_ = n.cmd.Process.Signal(syscall.SIGTERM)
		_ = n.cmd.Wait()
		if t.Failed() {
			t.Logf("node %s said:\n%s", n.address, n.said)
		}
	})
	return n
}

func (n *realNode) command(args ...string) *exec.Cmd {
	n.t.Helper()
	rota, err := rotaPath()
	if err != nil {
		n.t.Fatal(err)
	}
	cmd := exec.Command(rota, args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + n.dir, "ROTA_DATA=" + filepath.Join(n.dir, "data"), "ROTA_STORE=" + n.store}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// start starts the node and waits until it is up.
func (n *realNode) start() {
	n.t.Helper()
	n.cmd, n.said = n.command(n.args...), &greeting{}
	n.cmd.Stdout, n.cmd.Stderr = n.said, n.said
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; {
		if c, err := net.Dial("tcp", n.address); err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			n.t.Fatalf("the node does not answer at %s:\n%s", n.address, n.said)
		}
	}
}

// kill ends the node as nothing can prevent.
func (n *realNode) kill() {
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
}

// local runs a command of its owner, beside it.
func (n *realNode) local(args ...string) []byte {
	n.t.Helper()
	out, err := n.command(args...).Output()
	if err != nil {
		n.t.Fatalf("rota %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// greeting is what a node says.
type greeting struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (g *greeting) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.Write(b)
}

func (g *greeting) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.String()
}
