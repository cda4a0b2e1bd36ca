package sqlstore

import (
	"database/sql"
	"testing"
)

// TestP6WhatIsNotAsExpectedUndoesItsTransaction: nothing of it is stored, however late it is found, and the next try knows
// that it has to look first. Of one that never is as expected nothing is stored either, and those beside it are.
func TestP6WhatIsNotAsExpectedUndoesItsTransaction(t *testing.T) {
	const rows = muchWork + 10 // of which one more would go at once
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			s := openPlace(t, emptyPlace(t, engine))
			write := func(tx *tx, what string, expected int) error {
				for i := range rows {
					if err := tx.expect(1, `INSERT INTO meta (key, value) VALUES (?1, ?2)`, what+string(rune('a'+i)), "x"); err != nil {
						return err
					}
				}
				return tx.expect(expected, `UPDATE meta SET value = 'y' WHERE value = 'x'`)
			}
			count := func(what string) (n int) {
				err := s.query(t.Context(), func(r *sql.Rows) error { return r.Scan(&n) }, `SELECT count(*) FROM meta WHERE key LIKE ?1 AND value = 'y'`, what+"%")
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			var tries []bool
			err := s.write(t.Context(), "write", func(tx *tx) error {
				tries = append(tries, tx.wary)
				expected := rows
				if !tx.wary {
					expected++
				}
				return write(tx, "once ", expected)
			})
			if err != nil || len(tries) != 2 || tries[0] || !tries[1] || count("once ") != rows {
				t.Errorf("%v, tries %v, %d of %d rows", err, tries, count("once "), rows)
			}
			var never, beside error
			free := s.together(
				func() {
					never = s.write(t.Context(), "never", func(tx *tx) error { return write(tx, "never ", rows+1) })
				},
				func() {
					beside = s.write(t.Context(), "beside", func(tx *tx) error { return write(tx, "beside ", rows) })
				})
			free()
			if never == nil || beside != nil || count("never ") != 0 || count("beside ") != rows {
				t.Errorf("never: %v, %d rows; beside: %v, %d rows", never, count("never "), beside, count("beside "))
			}
		})
	}
}
