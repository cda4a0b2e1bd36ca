package pgtest_test

import (
	"testing"

	"github.com/rotaqueue/rota/store/pgtest"
)

// What a client listens for goes to whoever has the connection to the server when it comes: there is one here.
func TestBouncerLosesNotifications(t *testing.T) {
	s := pgtest.Shared(t)
	url := s.Database(t)
	// A statement that has a name on one connection is unknown, or known to somebody else, on the next.
	through := pgtest.At(url, pgtest.NewBouncer(t, s, 1).Address()) + "&default_query_exec_mode=exec"
	listener, other, notifier := connect(t, through), connect(t, through), connect(t, url)
	do(t, listener, "LISTEN news")
	if a, b := count(t, listener, "SELECT pg_backend_pid()"), count(t, other, "SELECT pg_backend_pid()"); a != b {
		t.Fatalf("two clients have connections %d and %d: they should share one", a, b)
	}
	do(t, other, "BEGIN")
	do(t, notifier, "NOTIFY news")
	do(t, other, "COMMIT")
	if n, err := other.WaitForNotification(t.Context()); err != nil || n.Channel != "news" {
		t.Fatalf("who had the connection got %v, %v", n, err)
	}
}
