package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	root    = "postgres" // the superuser
	account = "rota"     // owns the databases that tests get, and may nothing else
)

// Durable are the settings of a server that keeps what it acknowledged, whatever is done to it. Without them its
// commits do not wait for the disk.
const Durable = "fsync=on\nsynchronous_commit=on\nfull_page_writes=on"

// Server is a PostgreSQL server with a port and a folder of its own, which stay the same while it is ended and
// started.
type Server struct {
	folder   string
	port     int
	settings []string
	password string
	env      []string // of its processes
	keep     bool     // it is shared: databases are dropped, and nobody ends it

	of   *Server // a standby's primary
	name string  // a standby's

	mu      sync.Mutex
	process *process
}

// create makes a server that does not run yet.
func create(t testing.TB, settings ...string) *Server {
	t.Helper()
	initdb := program(t, "initdb")
	s := &Server{folder: newFolder(t, "postgres"), port: freePort(t), settings: settings, password: rand.Text()}
	if err := s.initialize(initdb); err != nil {
		s.remove()
		t.Fatalf("make a PostgreSQL server: %v", err)
	}
	return s
}

func (s *Server) initialize(initdb string) error {
	secret := filepath.Join(s.folder, "password")
	if err := os.WriteFile(secret, []byte(s.password), 0o600); err != nil {
		return err
	}
	if err := giveAway(secret); err != nil {
		return err
	}
	defer os.Remove(secret)
	if err := finish(s.folder, initdb, nil, "--pgdata="+s.data(), "--username="+root, "--pwfile="+secret,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.data(), "pg_hba.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString("host all all samenet scram-sha-256\n") // for whom a test has it listen on other addresses
	return err
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// begin starts a new server.
func (s *Server) begin(t testing.TB) {
	t.Helper()
	s.Start(t)
	s.try(t, "CREATE ROLE "+account+" LOGIN PASSWORD '"+s.password+"'")
}

// Start starts the server, and waits until it answers. It may be called again after Kill and its like.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil && !s.process.has() {
		t.Fatal("the PostgreSQL server was asked to start, and runs")
	}
	path := program(t, "postgres")
	var p *process
	until(t, "start the PostgreSQL server", func() bool {
		if p == nil || p.has() { // what was killed may hold its memory a little longer
			var err error
			if p, err = start(s.folder, s.env, path, s.arguments()...); err != nil {
				t.Fatalf("start the PostgreSQL server: %v", err)
			}
			s.process = p
		}
		return s.answers(t) == nil
	})
}

// arguments has the settings: they hold for a standby's copy of the folder with values of its own.
func (s *Server) arguments() []string {
	lines := append([]string{
		"listen_addresses=127.0.0.1", fmt.Sprint("port=", s.port), "unix_socket_directories=",
		"max_connections=300", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"dynamic_shared_memory_type=mmap", // else what is killed leaves some of it to the system
		"logging_collector=off", "log_line_prefix=%m [%p] %q%a ", "restart_after_crash=on",
	}, strings.Split(strings.Join(s.settings, "\n"), "\n")...)
	args := []string{"-D", s.data()}
	for _, line := range lines {
		if line != "" {
			args = append(args, "-c", line)
		}
	}
	return args
}

// Kill kills the server as kill -9 of its first process does: those that serve connections end by themselves at their
// next look, and what holds on longer is killed too. None of it runs when Kill returns.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGKILL)
}

// Immediate ends the server at once; it recovers when it starts again.
func (s *Server) Immediate(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGQUIT)
}

// Stop ends the server as its owner would: what is under way is rolled back, all else is written.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGINT)
}

func (s *Server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if s.keep {
		t.Fatal("the server is shared by other tests: end one of pgtest.New")
	}
	if err := s.quit(sig); err != nil {
		t.Fatalf("end the PostgreSQL server: %v", err)
	}
}

// quit sends the signal and waits until nothing of the server runs.
func (s *Server) quit(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.process
	if p == nil || p.has() {
		return errors.New("it does not run")
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("it had to be killed, %s after %s", patience, sig)
	}
	s.reap()
	return nil
}

// reap ends what the first process of a killed server has left.
func (s *Server) reap() {
	soon := time.After(5 * time.Second)
	for {
		left := within(s.data())
		if len(left) == 0 {
			return
		}
		select {
		case <-soon:
			for _, pid := range left {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			soon = time.After(5 * time.Second)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// end ends a test's server, and shows what it said if the test has failed.
func (s *Server) end(t testing.TB) {
	if t.Failed() && s.process != nil {
		t.Logf("the end of the PostgreSQL server's log:\n%s", s.process.lastWords())
	}
	s.remove()
}

func (s *Server) remove() {
	_ = s.quit(syscall.SIGQUIT) // it may have been ended
	_ = os.RemoveAll(s.folder)
}

// Address is where it listens.
func (s *Server) Address() string { return address(s.port) }

// AddressOn is where it listens on another address of this machine, if the setting listen_addresses has it.
func (s *Server) AddressOn(host string) string { return net.JoinHostPort(host, strconv.Itoa(s.port)) }

// Root is the URL of the superuser in a database of his own.
func (s *Server) Root() string { return s.url(root, "postgres") }

func (s *Server) url(user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(user, s.password), Host: s.Address(), Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

// At is a database's URL with other addresses in it: those of a bouncer or proxy, or of several servers, of which
// a client takes the one that it can write to.
func At(database string, addresses ...string) string {
	u, err := url.Parse(database)
	if err != nil {
		panic(err) // a URL of Database
	}
	u.Host = strings.Join(addresses, ",")
	if len(addresses) > 1 {
		u.RawQuery += "&target_session_attrs=read-write"
	}
	return u.String()
}

// Database makes an empty database, and is its URL. It is dropped after the test.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	s.try(t, "CREATE DATABASE "+name+" OWNER "+account)
	if s.keep {
		t.Cleanup(func() { s.try(t, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	}
	return s.url(account, name)
}

// Schema makes an empty schema in a database of the server, and is the URL by which one works in it. It is a tenth of the
// work of a database, and dropped after the test.
func (s *Server) Schema(t testing.TB) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	s.try(t, "CREATE SCHEMA "+name+" AUTHORIZATION "+account)
	if s.keep {
		t.Cleanup(func() { s.try(t, "DROP SCHEMA IF EXISTS "+name+" CASCADE") })
	}
	return s.url(account, "postgres") + "&search_path=" + name
}

// try has the superuser do it.
func (s *Server) try(t testing.TB, statement string) {
	t.Helper()
	if err := s.do(context.WithoutCancel(t.Context()), statement); err != nil {
		t.Fatalf("the PostgreSQL server: %.60s: %v\n%s", statement, err, s.process.lastWords())
	}
}

func (s *Server) do(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := pgx.Connect(ctx, s.Root())
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, statement)
	return err
}

// answers reports why the server cannot be asked yet. One that ended for another reason than who was there before
// never will.
func (s *Server) answers(t testing.TB) error {
	t.Helper()
	if s.process.has() {
		if said := s.process.lastWords(); !passing(said) {
			t.Fatalf("the PostgreSQL server does not start:\n%s", said)
		}
		return errors.New("it ended")
	}
	if c, err := net.Dial("tcp", s.Address()); err != nil {
		return err
	} else {
		c.Close()
	}
	return s.do(context.WithoutCancel(t.Context()), "SELECT 1")
}

// passing reports whether what it said tells that the one before it has not gone whole.
func passing(said string) bool {
	last := said[max(0, len(said)-2000):]
	return strings.Contains(last, "is still in use") || strings.Contains(last, "Address already in use") ||
		strings.Contains(last, "lock file")
}
