package pgtest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// Bouncer is pgbouncer in front of a server, in transaction mode: each transaction may run on another connection, so
// nothing of a session lasts, and a notification goes to whoever has the connection then, or to nobody.
type Bouncer struct {
	port    int
	process *process
}

// NewBouncer starts one with at most that many connections to the server for each database.
func NewBouncer(t testing.TB, s *Server, connections int) *Bouncer {
	t.Helper()
	path := installed(t, "pgbouncer", "pgbouncer")
	b := &Bouncer{port: freePort(t)}
	dir := newFolder(t, "pgbouncer")
	t.Cleanup(func() { os.RemoveAll(dir) })
	accounts := filepath.Join(dir, "accounts")
	settings := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
pool_mode = transaction
default_pool_size = %d
max_client_conn = 1000
server_login_retry = 0
`, s.port, b.port, accounts, connections)
	b.write(t, accounts, fmt.Sprintf("%q %q\n", account, s.password))
	b.write(t, filepath.Join(dir, "settings"), settings)
	var err error
	if b.process, err = start(dir, nil, path, filepath.Join(dir, "settings")); err != nil {
		t.Fatalf("start pgbouncer: %v", err)
	}
	t.Cleanup(func() { b.end(t) })
	until(t, "start pgbouncer", func() bool {
		if b.process.has() {
			t.Fatalf("pgbouncer does not start:\n%s", b.process.lastWords())
		}
		c, err := net.Dial("tcp", b.Address())
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return b
}

func (b *Bouncer) write(t testing.TB, file, text string) {
	t.Helper()
	err := os.WriteFile(file, []byte(text), 0o600)
	if err == nil {
		err = giveAway(file)
	}
	if err != nil {
		t.Fatalf("settings of pgbouncer: %v", err)
	}
}

func (b *Bouncer) end(t testing.TB) {
	if t.Failed() {
		t.Logf("the end of pgbouncer's log:\n%s", b.process.lastWords())
	}
	_ = b.process.cmd.Process.Kill() // it keeps nothing
	<-b.process.ended
}

// Address is where it listens: At puts it into a database's URL.
func (b *Bouncer) Address() string { return address(b.port) }
