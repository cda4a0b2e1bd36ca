package sqlstore

import (
	"errors"
	neturl "net/url"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/pgtest"
)

// A machine's node may start before the server that it uses, which is then waited for; whoever is to be answered at once is.
func TestOpenWaitsForPostgres(t *testing.T) {
	server := pgtest.New(t)
	url := server.Database(t)
	server.Kill(t)
	if _, err := Open(t.Context(), url, Options{}); !errors.Is(err, rota.ErrUnavailable) || rota.FixOf(err) == "" {
		t.Errorf("a server that is away, without patience: %v, %q", err, rota.FixOf(err))
	}
	told := 0
	s, err := Open(t.Context(), url, Options{Away: func(err error) {
		if told++; !errors.Is(err, rota.ErrUnavailable) {
			t.Error(err)
		}
		server.Start(t)
	}})
	if err != nil || told != 1 {
		t.Fatalf("a server that came late: %v, told %d times", err, told)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// What time does not mend is refused at once.
func TestOpenWaitsForNothingElse(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	other := func(change func(u *neturl.URL)) string {
		u, err := neturl.Parse(url)
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		return u.String()
	}
	away := func(err error) { t.Errorf("waits after %v", err) }
	for place, want := range map[string]error{
		other(func(u *neturl.URL) { u.User = neturl.UserPassword(u.User.Username(), "wrong") }): rota.ErrDenied,
		other(func(u *neturl.URL) { u.Path += "_not" }):                                         rota.ErrNotFound,
	} {
		if s, err := Open(t.Context(), place, Options{Away: away}); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
			if err == nil {
				s.Close()
			}
		}
	}
}
