package pgtest_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rotaqueue/rota/store/pgtest"
)

// proxied is a database seen through a proxy, and past it.
func proxied(t *testing.T) (p *pgtest.Proxy, through string, direct *pgx.Conn) {
	t.Helper()
	s := pgtest.Shared(t)
	url := s.Database(t)
	p = pgtest.NewProxy(t, s.Address())
	direct = connect(t, url)
	do(t, direct, "CREATE TABLE rows (n int)")
	return p, pgtest.At(url, p.Address()), direct
}

func TestProxyPassesEverything(t *testing.T) {
	p, through, _ := proxied(t)
	p.Lose(func(pgtest.Reply) bool { return false })
	c := connect(t, through+"&sslmode=prefer")
	if n, err := c.CopyFrom(t.Context(), pgx.Identifier{"rows"}, []string{"n"}, pgx.CopyFromSlice(50_000, func(i int) ([]any, error) { return []any{i}, nil })); n != 50_000 {
		t.Fatal(n, err)
	}
	rows, _ := c.Query(t.Context(), "SELECT n FROM rows ORDER BY n")
	all, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(all) != 50_000 || all[49_999] != 49_999 {
		t.Fatal(len(all), err)
	}
	if _, err := c.Exec(t.Context(), "an error"); err == nil {
		t.Error("an error did not pass")
	}
	do(t, c, "LISTEN news; NOTIFY news")
	if n, err := c.WaitForNotification(t.Context()); err != nil || n.Channel != "news" {
		t.Error(n, err)
	}
}

func TestLostReplyOfACommit(t *testing.T) {
	p, through, direct := proxied(t)
	p.Lose(pgtest.Reply.Committed)
	insert := func() error {
		c := connect(t, through)
		return pgx.BeginFunc(t.Context(), c, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO rows VALUES (1)")
			return err
		})
	}
	if err := insert(); err == nil {
		t.Error("the reply of a commit was lost, and the client knows of it")
	}
	if _, err := connect(t, through).Exec(t.Context(), "INSERT INTO rows VALUES (1)"); err == nil {
		t.Error("the reply of a commit without a transaction was lost, and the client knows of it")
	}
	do(t, connect(t, through), "BEGIN; INSERT INTO rows VALUES (1); ROLLBACK")
	p.Lose(nil)
	if err := insert(); err != nil {
		t.Error(err)
	}
	if n := count(t, direct, "SELECT count(*) FROM rows"); n != 3 || p.Lost() != 2 {
		t.Errorf("%d rows of 3 commits, of which 2 were not heard of, and not %d", n, p.Lost())
	}
}

func TestLostReplyOfTheNthQuery(t *testing.T) {
	p, through, _ := proxied(t)
	p.Lose(func(r pgtest.Reply) bool { return r.N == 3 })
	c := connect(t, through+"&default_query_exec_mode=simple_protocol")
	for n := 1; n <= 3; n++ {
		if _, err := c.Exec(t.Context(), "SELECT 1"); (err != nil) != (n == 3) {
			t.Errorf("query %d: %v", n, err)
		}
	}
	do(t, connect(t, through), "SELECT 1")
}

func TestDelayOfBothWays(t *testing.T) {
	p, through, _ := proxied(t)
	c := connect(t, through)
	const d = 30 * time.Millisecond
	p.Delay(d)
	began := time.Now()
	do(t, c, "SELECT 1")
	if took := time.Since(began); took < 2*d {
		t.Errorf("a query took %s though each way takes %s", took, d)
	}
}

func TestHeldReplyArrivesLater(t *testing.T) {
	p, through, direct := proxied(t)
	c := connect(t, through)
	p.Hold(pgtest.Replies)
	done := make(chan error, 1)
	go func() {
		_, err := c.Exec(context.Background(), "INSERT INTO rows VALUES (1)")
		done <- err
	}()
	for count(t, direct, "SELECT count(*) FROM rows") == 0 { // it has been done
	}
	select {
	case err := <-done:
		t.Fatalf("a reply was not held: %v", err)
	default:
	}
	p.Pass()
	if err := <-done; err != nil {
		t.Error(err)
	}
	do(t, c, "SELECT 1")
}

func TestSwallowedReplyNeverArrives(t *testing.T) {
	p, through, direct := proxied(t)
	c := connect(t, through)
	p.Swallow(pgtest.Replies)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Exec(ctx, "INSERT INTO rows VALUES (1)")
		done <- err
	}()
	for p.Swallowed() == 0 {
		runtime.Gosched()
	}
	if n := count(t, direct, "SELECT count(*) FROM rows"); n != 1 {
		t.Errorf("the server was told to add a row, and has %d", n)
	}
	p.Pass()
	do(t, connect(t, through), "SELECT 1")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("a swallowed reply was heard after all: %v", err)
	}
}

// A server does not hear of a client that has gone while nothing arrives: its transaction stays.
func TestSwallowedGoodbye(t *testing.T) {
	p, through, direct := proxied(t)
	c := connect(t, through)
	do(t, c, "BEGIN; LOCK TABLE rows")
	const open = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
	p.Swallow(pgtest.Both)
	if _, err := c.PgConn().Conn().Write([]byte{'X', 0, 0, 0, 4}); err != nil {
		t.Fatal(err)
	}
	c.PgConn().Conn().Close()
	for p.Swallowed() == 0 {
		runtime.Gosched()
	}
	if n := count(t, direct, open); n != 1 {
		t.Errorf("%d transactions are open after their client has gone unheard", n)
	}
	p.Reset()
	for count(t, direct, open) != 0 {
	}
}

func TestRefuse(t *testing.T) {
	p, through, _ := proxied(t)
	c := connect(t, through)
	p.Refuse()
	if _, err := c.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("a connection that was reset answers")
	}
	if _, err := pgx.Connect(t.Context(), through); err == nil {
		t.Error("a connection was not refused")
	}
	p.Pass()
	do(t, connect(t, through), "SELECT 1")
}
