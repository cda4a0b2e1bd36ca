package pgtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rotaqueue/rota/store/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestDatabasesAreApartAndTheTestsOwn(t *testing.T) {
	s := pgtest.Shared(t)
	one, other := connect(t, s.Database(t)), connect(t, s.Database(t))
	do(t, one, "CREATE TABLE mine (n int)")
	if n := count(t, other, "SELECT count(*) FROM pg_tables WHERE tablename = 'mine'"); n != 0 {
		t.Error("a table of one database is seen in another")
	}
	if _, err := one.Exec(t.Context(), "CREATE ROLE another"); err == nil {
		t.Error("the account of a test may make roles: an engine that needs a superuser would not be noticed")
	}
}

func TestSharedDatabaseIsDroppedWithConnectionsOpen(t *testing.T) {
	s := pgtest.Shared(t)
	var url string
	t.Run("", func(t *testing.T) {
		url = s.Database(t)
		c, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		do(t, c, "CREATE TABLE left_open (n int)")
	})
	if c, err := pgx.Connect(t.Context(), url); err == nil {
		c.Close(t.Context())
		t.Error("the database of a test that has ended is still there")
	}
}

func TestKilledServerKeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t, pgtest.Durable)
	url := s.Database(t)
	do(t, connect(t, url), "CREATE TABLE kept (n int)")
	for i, end := range []func(testing.TB){s.Kill, s.Immediate, s.Stop, s.Kill} {
		c := connect(t, url)
		do(t, c, "INSERT INTO kept VALUES (1)")
		end(t)
		if _, err := c.Exec(t.Context(), "SELECT 1"); err == nil {
			t.Error("a connection to a server that was ended still answers")
		}
		if c, err := pgx.Connect(t.Context(), url); err == nil {
			c.Close(t.Context())
			t.Error("a server that was ended lets somebody in")
		}
		s.Start(t)
		if n := count(t, connect(t, url), "SELECT count(*) FROM kept"); n != i+1 {
			t.Errorf("%d rows after %d commits", n, i+1)
		}
	}
}

func TestSettingsHold(t *testing.T) {
	t.Parallel()
	for durable, settings := range map[string][]string{"off": nil, "on": {pgtest.Durable, "max_connections=33"}} {
		c := connect(t, pgtest.New(t, settings...).Root())
		for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
			if v := text(t, c, "SHOW "+name); v != durable {
				t.Errorf("%s is %s, not %s", name, v, durable)
			}
		}
		if v := text(t, c, "SHOW max_connections"); settings != nil && v != "33" {
			t.Errorf("max_connections is %s, not what the test said", v)
		}
	}
}

func TestPromotedStandbyHasAllThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	primary := pgtest.New(t, pgtest.Durable)
	url := primary.Database(t)
	do(t, connect(t, url), "CREATE TABLE kept (n int)")
	const times = 2
	for i := range times {
		standby := primary.Standby(t)
		both := pgtest.At(url, primary.Address(), standby.Address())
		c := connect(t, pgtest.At(url, standby.Address(), primary.Address()))
		do(t, c, "INSERT INTO kept VALUES (1)") // goes to the primary, though that is named last
		primary.Kill(t)
		standby.Promote(t)
		after := connect(t, both)
		do(t, after, "INSERT INTO kept VALUES (1)")
		if n := count(t, after, "SELECT count(*) FROM kept"); n != 2*(i+1) {
			t.Errorf("%d rows after %d commits", n, 2*(i+1))
		}
		primary = standby
	}
}

func TestNoCommitWithoutTheStandby(t *testing.T) {
	t.Parallel()
	primary := pgtest.New(t, pgtest.Durable)
	url := primary.Database(t)
	standby := primary.Standby(t)
	c := connect(t, url)
	standby.Kill(t)
	done := make(chan error)
	go func() {
		_, err := c.Exec(context.Background(), "CREATE TABLE late (n int)")
		done <- err
	}()
	waits := connect(t, primary.Root())
	for count(t, waits, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == 0 {
		select {
		case err := <-done:
			t.Fatalf("a commit did not wait for the standby: %v", err)
		default:
		}
	}
	primary.Alone(t)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func do(t *testing.T, c *pgx.Conn, statement string) {
	t.Helper()
	if _, err := c.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func count(t *testing.T, c *pgx.Conn, query string) (n int) {
	t.Helper()
	if err := c.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func text(t *testing.T, c *pgx.Conn, query string) (v string) {
	t.Helper()
	if err := c.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// C8, P1: what tests of clocks go by.
func TestAServersClockIsSetWhileItRuns(t *testing.T) {
	t.Parallel()
	s := pgtest.NewWithClock(t)
	c := connect(t, s.Database(t))
	for _, ahead := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		s.SetClock(t, ahead)
		var now time.Time
		if err := c.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&now); err != nil {
			t.Fatal(err)
		}
		if off := time.Until(now) - ahead; off.Abs() > 5*time.Minute {
			t.Errorf("set %v ahead, the clock is %v off", ahead, off)
		}
	}
}
