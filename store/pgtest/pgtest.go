// Package pgtest gives tests what they need of PostgreSQL, the real thing: servers with databases, which can be
// killed and started again, synchronous standbys that can be promoted, pgbouncer in transaction mode, and a proxy that
// breaks what passes through it. They run on ports of the loopback address and in folders of their own, and none of
// them outlives its test, not even when that is killed.
//
// It touches processes, sockets and folders that it made. A test that needs a program which is not installed is
// skipped, and says which. Root starts them as the user postgres, since PostgreSQL does not run as root.
package pgtest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// shared is the server of a test binary. Its durability is off.
var shared struct {
	sync.Mutex
	owned  bool // by Run, which stops it
	server *Server
}

// Main is a TestMain: it runs the tests and ends the server that they shared.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run does that for a TestMain that has more to do, and returns the status to exit with.
func Run(m *testing.M) int {
	shared.Lock()
	shared.owned = true
	shared.Unlock()
	status := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.remove()
		shared.server = nil
	}
	return status
}

// Shared is the server of all tests of a binary, started for the first that asks. Its commits do not wait for the
// disk, and no test may stop it: that is for servers of New.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.owned {
		t.Fatal("a test package that shares a server needs: func TestMain(m *testing.M) { pgtest.Main(m) }")
	}
	if shared.server == nil {
		shared.server = create(t)
		shared.server.keep = true
		shared.server.begin(t)
	}
	return shared.server
}

// New is a server of the test's own. Settings are lines of postgresql.conf: "max_connections=20".
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := create(t, settings...)
	t.Cleanup(func() { s.end(t) })
	s.begin(t)
	return s
}

// folderName begins the name of a folder; then follows the number of the process whose it is.
const folderName = "rota-pgtest-"

// newFolder makes a folder for a server, and removes those of processes that were killed before they could.
func newFolder(t testing.TB, program string) string {
	t.Helper()
	sweepOnce()
	dir, err := os.MkdirTemp("", folderName+strconv.Itoa(os.Getpid())+"-"+program+"-")
	if err == nil {
		err = giveAway(dir)
	}
	if err != nil {
		t.Fatalf("make a folder for %s: %v", program, err)
	}
	return dir
}

var sweepOnce = sync.OnceFunc(sweep)

func sweep() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), folderName+"*"))
	for _, dir := range left {
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), folderName), "-")
		if pid, err := strconv.Atoi(text); err == nil && gone(pid) {
			_ = os.RemoveAll(dir) // what cannot be removed is not ours
		}
	}
}
