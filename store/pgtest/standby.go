package pgtest

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Standby is a copy of the server that follows it: from now on no commit is acknowledged before the standby has it
// too, and none at all while that does not run. One standby at a time.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	b := &Server{
		folder: newFolder(t, "standby"), port: freePort(t), settings: s.settings, password: s.password,
		of: s, name: "standby_" + strings.ToLower(rand.Text()),
	}
	t.Cleanup(func() { b.end(t) })
	link := "host=127.0.0.1 port=" + strings.TrimPrefix(s.Address(), "127.0.0.1:") + " user=" + root + " application_name=" + b.name
	if err := finish(b.folder, program(t, "pg_basebackup"), []string{"PGPASSWORD=" + s.password},
		"--pgdata="+b.data(), "--dbname="+link, "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync"); err != nil {
		t.Fatalf("copy the server for a standby: %v", err)
	}
	b.Start(t)
	s.try(t, "ALTER SYSTEM SET synchronous_standby_names = '"+b.name+"'")
	s.try(t, "SELECT pg_reload_conf()")
	until(t, "have the standby follow", func() bool {
		return s.ask(t, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND application_name = '"+b.name+"'") == 1
	})
	return b
}

// Promote makes the standby a server that is written to, with all that its primary has acknowledged. End the primary
// before: it would wait for the standby, and be written to by who has not heard.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	if s.of == nil {
		t.Fatal("promote: this server is no standby")
	}
	if s.ask(t, "SELECT pg_promote(true, 60)::int") != 1 {
		t.Fatal("promote: the standby does not become a primary")
	}
	s.of = nil
}

// Alone has the server no longer wait for its standby, as an operator does when that is gone.
func (s *Server) Alone(t testing.TB) {
	t.Helper()
	s.try(t, "ALTER SYSTEM RESET synchronous_standby_names")
	s.try(t, "SELECT pg_reload_conf()")
}

// ask has the superuser ask for a number.
func (s *Server) ask(t testing.TB, query string) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*patience)
	defer cancel()
	c, err := pgx.Connect(ctx, s.Root())
	if err == nil {
		defer c.Close(ctx)
		err = c.QueryRow(ctx, query).Scan(&n)
	}
	if err != nil {
		t.Fatalf("the PostgreSQL server: %.60s: %v\n%s", query, err, s.process.lastWords())
	}
	return n
}
