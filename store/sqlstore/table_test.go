package sqlstore

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

// TestP25CopyKnowsEveryTable compares the list of tables with what both engines say they have: a migration that adds a
// table, or a column on one engine only, or another key, fails here.
func TestP25CopyKnowsEveryTable(t *testing.T) {
	var all []catalogue
	for _, engine := range engines {
		s := openPlace(t, emptyPlace(t, engine))
		found, err := catalogueOf(t.Context(), s.engine, s.engine.read)
		if err != nil {
			t.Fatal(err)
		}
		for name := range found {
			if !isTable(name) && !slices.Contains([]string{schemaTable, outcomeTable, "sqlite_sequence"}, name) {
				t.Errorf("%s has a table %s that a copy does not know: add it to tables, and think of what a new incarnation means for it", engine, name)
			}
		}
		for _, x := range tables {
			if found[x.name] == nil {
				t.Errorf("%s has no table %s", engine, x.name)
			}
			if !slices.Contains(s.keys(t, x.name), strings.Join(x.key, ",")) {
				t.Errorf("%s does not keep the rows of %s apart by %v, but by %v", engine, x.name, x.key, s.keys(t, x.name))
			}
		}
		all = append(all, found)
	}
	if err := sameTables(all[0], all[1]); err != nil {
		t.Errorf("a column is not on both engines: %v", err)
	}
	if err := sameTables(all[1], all[0]); err != nil {
		t.Errorf("a column is not on both engines: %v", err)
	}
}

// keys are the columns of each unique index of a table.
func (s *Store) keys(t *testing.T, name string) (keys []string) {
	t.Helper()
	q := `SELECT group_concat(name) FROM (SELECT i.name AS of, c.name FROM pragma_index_list(?1) i JOIN pragma_index_info(i.name) c
		WHERE i."unique" = 1 AND i.partial = 0 ORDER BY i.name, c.seqno) GROUP BY of
		UNION ALL SELECT group_concat(name) FROM (SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk) HAVING count(*) > 0`
	if s.engine.name() == "postgres" {
		q = `SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (n, place)
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
			WHERE i.indrelid = to_regclass(?1) AND i.indisunique AND i.indpred IS NULL GROUP BY i.indexrelid`
	}
	err := s.query(t.Context(), func(r *sql.Rows) error {
		var key string
		err := r.Scan(&key)
		keys = append(keys, key)
		return err
	}, q, name)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestP25WhatACopyDoesNotKnowIsRefused: a column more in the source is not left out silently, and neither is a newer schema.
func TestP25WhatACopyDoesNotKnowIsRefused(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			place := emptyPlace(t, engine)
			s := openPlace(t, place)
			s.forTest(t, `ALTER TABLE job ADD COLUMN colour TEXT`)
			s.Close()
			_, err := Copy(t.Context(), place, emptyPlace(t, "sqlite"), CopyOptions{})
			if err == nil || rota.FixOf(err) == "" || !strings.Contains(err.Error(), "colour") {
				t.Errorf("%v", err)
			}
			openPlace(t, place) // it is in use as before
		})
	}
}

// TestP25AllThatIsSealedIsGuarded tries to write each table of a sealed store, whatever the version that tries.
func TestP25AllThatIsSealedIsGuarded(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			s := openPlace(t, emptyPlace(t, engine))
			fill(t, s)
			if err := s.write(t.Context(), "seal", func(t *tx) error { return t.setSeal(seal{To: "there"}) }); err != nil {
				t.Fatal(err)
			}
			try := func(name, q string) {
				t.Helper()
				err := s.write(t.Context(), "try", func(t *tx) error { _, err := t.exec(q); return err })
				if kind := rota.KindOf(err); err == nil || kind.Err != rota.ErrUnavailable || !strings.Contains(err.Error(), "there") {
					t.Errorf("%s: %v", q, err)
				}
			}
			for _, x := range tables {
				if x.name == "meta" {
					continue
				}
				try(x.name, `UPDATE "`+x.name+`" SET "`+x.key[0]+`" = "`+x.key[0]+`"`)
				try(x.name, `DELETE FROM "`+x.name+`"`)
				try(x.name, `INSERT INTO "`+x.name+`" SELECT * FROM "`+x.name+`"`)
			}
			if _, err := s.Submit(t.Context(), named("late")); rota.KindOf(err).Err != rota.ErrUnavailable || rota.FixOf(err) == "" {
				t.Errorf("submit: %v", err)
			}
			if err := s.write(t.Context(), "unseal", (*tx).liftSeal); err != nil {
				t.Fatal(err)
			}
			if r, err := s.Submit(t.Context(), named("again")); err != nil || r[0].Err != nil {
				t.Errorf("submit: %+v, %v", r, err)
			}
		})
	}
}
