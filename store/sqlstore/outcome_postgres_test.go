package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/pgtest"
)

// P6: the server is killed before a commit reaches it, and when it is back the number of the transaction that was lost
// with it is given to another one, which commits. The first is not to be told as stored.
func TestP6ANumberGivenTwiceProvesNothing(t *testing.T) {
	ctx := context.Background()
	server := pgtest.New(t, pgtest.Durable)
	url := server.Database(t)
	proxy := pgtest.NewProxy(t, server.Address())
	s, err := Open(ctx, pgtest.At(url, proxy.Address()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	xid := ""
	defer proxy.Pass()
	answered := make(chan error)
	name := ""
	for held, try := false, 1; !held; try++ {
		name = fmt.Sprint("in doubt ", try)
		hold := make(chan struct{})
		last, n := rehearse(t, s, proxy), 0
		proxy.Lose(func(r pgtest.Reply) bool {
			if r.Open {
				if n++; n == last {
					proxy.Hold(pgtest.Requests)
					close(hold)
				}
			}
			return false
		})
		go func() {
			_, err := s.Submit(ctx, named(name))
			answered <- err
		}()
		select {
		case <-hold:
			held = true
		case err := <-answered: // it had fewer replies than when it was rehearsed
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	direct := openDirect(t, url)
	if err := direct.QueryRow(`SELECT max(backend_xid::text::bigint)::text FROM pg_stat_activity WHERE backend_xid IS NOT NULL`).Scan(&xid); err != nil {
		t.Fatal(err)
	}
	server.Kill(t)
	server.Start(t)
	for given := false; !given; {
		if err := direct.QueryRow(`INSERT INTO meta VALUES (gen_random_uuid()::text, '') RETURNING pg_current_xact_id() >= $1::text::xid8`, xid).Scan(&given); err != nil && !broken(err) {
			t.Fatal(err)
		}
	}
	proxy.Lose(nil)
	proxy.Pass()
	err = <-answered
	jobs, e := s.Jobs(ctx, rota.JobQuery{Max: 1000})
	if e != nil {
		t.Fatal(e)
	}
	stored := 0
	for _, j := range jobs {
		if j.Spec.Name == name {
			stored++
		}
	}
	switch {
	case err == nil && stored != 1:
		t.Errorf("it was told as stored, and is there %d times", stored)
	case err != nil && (stored != 0 || !errors.Is(err, rota.ErrUnavailable)):
		t.Errorf("it is there %d times, and was answered with: %v", stored, err)
	}
}

// P6, with a standby that is to have all before it is acknowledged: while that is gone nothing is told as stored, however
// long it takes, since the standby would not have it if it were promoted.
func TestP6NothingIsToldAsStoredWithoutItsStandby(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for as long as a write is tried")
	}
	server := pgtest.New(t, pgtest.Durable)
	url := server.Database(t)
	s, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	standby := server.Standby(t)
	if _, err := s.Submit(t.Context(), named("first")); err != nil {
		t.Fatal(err)
	}
	standby.Kill(t)
	if _, err := s.Submit(t.Context(), named("alone")); !errors.Is(err, rota.ErrUnavailable) {
		t.Errorf("without the standby it was answered with %v", err)
	}
	standby.Start(t)
	if _, err := s.Submit(t.Context(), named("again")); err != nil {
		t.Error(err)
	}
}

// rehearse submits jobs until each has as many replies within its transaction as the one before: how many. A connection that
// has yet to prepare its statements has more, and the next job may have that one.
func rehearse(t *testing.T, s *Store, proxy *pgtest.Proxy) (n int) {
	t.Helper()
	for alike := 0; alike < 3; {
		was := n
		n = 0
		proxy.Lose(func(r pgtest.Reply) bool {
			if r.Open {
				n++
			}
			return false
		})
		if _, err := s.Submit(t.Context(), named("rehearsal")); err != nil {
			t.Fatal(err)
		}
		if alike++; n != was {
			alike = 0
		}
	}
	return n
}

func openDirect(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A transaction breaks and takes its job's number with it; the database recovers, and gives the number to a job of another
// node. Who tried first must not take that one for its own.
func TestI3ANumberGivenTwiceIsNotTheFirstJob(t *testing.T) {
	server := pgtest.Shared(t)
	url := server.Database(t)
	proxy := pgtest.NewProxy(t, server.Address())
	first, err := Open(t.Context(), pgtest.At(url, proxy.Address()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	var kept []rota.SubmitResult
	for proxy.Lost() == 0 {
		last, n := rehearse(t, first, proxy), 0
		proxy.Lose(func(r pgtest.Reply) bool {
			if r.Open {
				n++
			}
			return r.Open && n == last
		})
		if kept, err = first.Submit(t.Context(), named("first")); err != nil {
			t.Fatal(err)
		}
	}
	gone := int64(kept[0].Job) - 1
	if _, err := openDirect(t, url).Exec(`UPDATE counter SET value = $1 WHERE name = 'job'`, gone-1); err != nil { // as a recovery does
		t.Fatal(err)
	}
	given, err := second.Submit(t.Context(), named("second"))
	if err != nil || int64(given[0].Job) != gone {
		t.Fatalf("%+v, %v; want job %d", given, err, gone)
	}
	if _, err := first.OpenSession(t.Context(), rota.Opening{Session: "s", Key: "k", Node: rota.Node{Name: "n", Slots: 99}}); err != nil {
		t.Fatal(err)
	}
	got, err := first.Exchange(t.Context(), rota.Exchange{Session: "s", Seq: 1, Claim: rota.Claim{Max: 99}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range got.Claimed {
		if a.Task.Job() == given[0].Job && a.Spec.Name != "second" {
			t.Errorf("job %d is to run as %q, and was submitted as %q", gone, a.Spec.Name, "second")
		}
	}
}
