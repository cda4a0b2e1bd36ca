package sqlstore

import (
	"slices"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

// TestC2TheDatabaseRefusesToChangeTheAudit: by whatever statement, on both engines.
func TestC2TheDatabaseRefusesToChangeTheAudit(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			s := openPlace(t, emptyPlace(t, engine))
			ctx := rota.WithDeed(t.Context(), rota.Deed{By: "kim", From: "10.0.0.1", What: "create token", On: "token t"})
			for _, hash := range []string{"a", "b"} {
				if _, err := s.PutToken(ctx, rota.Token{Name: "t", Role: rota.RoleViewer, Hash: hash}); err != nil {
					t.Fatal(err)
				}
			}
			before, err := s.Deeds(t.Context(), rota.DeedQuery{})
			if err != nil || len(before) != 2 {
				t.Fatalf("%+v, %v", before, err)
			}
			for _, q := range forgeries[engine] {
				err := s.write(t.Context(), "forge", func(tx *tx) error {
					_, err := tx.exec(q)
					return err
				})
				if err == nil || !strings.Contains(err.Error(), "the audit is only added to") {
					t.Errorf("%s: %v", q, err)
				}
			}
			after, err := s.Deeds(t.Context(), rota.DeedQuery{})
			if err != nil || !slices.Equal(before, after) {
				t.Errorf("it was %+v and is %+v, %v", before, after, err)
			}
		})
	}
}

const forged = ` INTO deed (id, at, who, origin, what, target, detail) SELECT id, at, 'eve', origin, what, target, detail FROM deed`

const last = ` WHERE id = (SELECT max(id) FROM deed)` // a number may have been left out: another try at a transaction takes the next

var forgeries = map[string][]string{
	"sqlite": {`UPDATE deed SET who = 'eve'`, `UPDATE OR REPLACE deed SET id = (SELECT min(id) FROM deed)` + last, `DELETE FROM deed`, `DELETE FROM deed` + last,
		`INSERT OR REPLACE` + forged, `REPLACE` + forged, `INSERT` + forged + ` WHERE true ON CONFLICT (id) DO UPDATE SET who = excluded.who`},
	"postgres": {`UPDATE deed SET who = 'eve'`, `DELETE FROM deed` + last, `TRUNCATE deed`,
		`INSERT` + forged + ` ON CONFLICT (id) DO UPDATE SET who = excluded.who`},
}
