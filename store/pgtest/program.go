package pgtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long anything here may take to start or to end, on a machine that is busy with other tests.
const patience = 3 * time.Minute

// program finds one that belongs to PostgreSQL, the newest version of it, or skips the test.
func program(t testing.TB, name string) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // where Debian has them
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	if len(found) > 0 {
		return found[len(found)-1]
	}
	return installed(t, name, "postgresql")
}

func version(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return n
}

// installed finds a program, also where only root looks for it, or skips the test.
func installed(t testing.TB, name, pkg string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(path) {
			return path
		}
	}
	t.Skipf("%s is not installed: apt-get install %s", name, pkg)
	return ""
}

// process is a program that runs until it is told to end, or this process dies.
type process struct {
	cmd   *exec.Cmd
	log   string        // the file with what it says
	ended chan struct{} // closed when it has
}

func start(dir string, env []string, path string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), log: filepath.Join(dir, "log"), ended: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd.Dir, p.cmd.Env = dir, append(environment(dir), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := launch(p.cmd); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// finish runs a program that ends by itself.
func finish(dir, path string, env []string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = dir, append(environment(dir), env...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	err := launch(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(path), err, &said)
	}
	return nil
}

// environment has nothing of the tester's: PGHOST and its like would lead elsewhere.
func environment(home string) []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home, "LC_ALL=C", "TZ=UTC"}
}

// has reports whether the process has ended.
func (p *process) has() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// lastWords are the last lines of its log.
func (p *process) lastWords() string {
	text, _ := os.ReadFile(p.log)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// freePort is one that nobody listens at. It lies below those that the system gives to outgoing connections: a
// client that dials a port of these again and again, while its server is down, is one day connected to itself.
func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 15000 + rand.IntN(15000)
		ln, err := net.Listen("tcp", address(port))
		if err == nil {
			ln.Close()
			return port
		}
	}
	t.Fatal("no port of 127.0.0.1 is free between 15000 and 30000")
	return 0
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// until asks again and again until the answer is yes, for as long as anything may take.
func until(t testing.TB, what string, yes func() bool) {
	t.Helper()
	end := time.After(patience)
	for !yes() {
		select {
		case <-end:
			t.Fatalf("%s: not within %s", what, patience)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
