package sqlstore

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/rotaqueue/rota"
)

// A store that a later version has been at is used as long as it says that it can be, and refused else.
func TestP24AStoreOfALaterVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rota.db")
	if err := Fits(t.Context(), path); err != nil {
		t.Errorf("no store yet: %v", err)
	}
	change := func(statements ...string) {
		t.Helper()
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, text := range statements {
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	change(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9998, 1)`, `CREATE TABLE of_a_later_version (id INTEGER)`)
	for _, o := range []Options{{}, {ReadOnly: true}} {
		s, err := Open(t.Context(), path, o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := Fits(t.Context(), path); err != nil {
		t.Error(err)
	}
	change(`UPDATE meta SET value = '9998' WHERE key = 'min_schema'`)
	for _, o := range []Options{{}, {ReadOnly: true}} {
		if _, err := Open(t.Context(), path, o); !errors.Is(err, rota.ErrUnsupported) || rota.FixOf(err) == "" {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if err := Fits(t.Context(), path); !errors.Is(err, rota.ErrUnsupported) {
		t.Error(err)
	}
}
