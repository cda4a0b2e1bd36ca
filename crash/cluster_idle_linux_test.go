package crash_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rotaqueue/rota/store/pgtest"
)

// TestClusterIdleAsksLittle counts what nodes ask of the database that have nothing to do: of 20 it is under 50 statements a
// second, of fewer as much less. A busy machine can only make it less, too.
func TestClusterIdleAsksLittle(t *testing.T) {
	const perNode = 50.0 / 20
	nodes, span := length(20, 4, 2), time.Duration(length(60, 12, 6))*time.Second
	runtime.LockOSThread()
	server := pgtest.New(t, "shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track=top")
	admin, err := pgx.Connect(t.Context(), server.Root())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { admin.Close(context.Background()) })
	if _, err := admin.Exec(t.Context(), "CREATE EXTENSION pg_stat_statements"); err != nil {
		t.Skipf("PostgreSQL has no pg_stat_statements: %v", err)
	}
	c := newCluster(t, server.Database(t), nodes, "ROTA_TTL=30s")
	c.startAll()
	asked := func() (n int64) {
		if err := admin.QueryRow(t.Context(), `SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements `+ofNodes).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	<-time.After(12 * time.Second) // until their first renewals, which say that they hold nothing
	if _, err := admin.Exec(t.Context(), "SELECT pg_stat_statements_reset()"); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	<-time.After(span)
	rate := float64(asked()) / time.Since(begun).Seconds()
	t.Logf("%d idle nodes asked %.1f times a second, %.2f each; 20 would ask %.0f times", nodes, rate, rate/float64(nodes), 20*rate/float64(nodes))
	if rate > perNode*float64(nodes) {
		t.Errorf("%d idle nodes asked %.1f times a second, at most %.1f are theirs; most often:\n%s", nodes, rate, perNode*float64(nodes), mostAsked(t, admin))
	}
	if rate == 0 {
		t.Error("nothing was counted")
	}
}

// ofNodes are the statements of other databases than the administrator's.
const ofNodes = `WHERE dbid <> (SELECT oid FROM pg_database WHERE datname = current_database())`

// mostAsked is what was asked most often, and how often.
func mostAsked(t *testing.T, admin *pgx.Conn) (text string) {
	t.Helper()
	if err := admin.QueryRow(t.Context(), `SELECT string_agg(calls || ' ' || left(regexp_replace(query, '\s+', ' ', 'g'), 100), chr(10))
		FROM (SELECT calls, query FROM pg_stat_statements `+ofNodes+` ORDER BY calls DESC LIMIT 12) s`).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}
