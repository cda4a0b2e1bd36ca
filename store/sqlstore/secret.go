package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/rotaqueue/rota"
)

// PutSecret stores a secret as it comes: sealed.
func (s *Store) PutSecret(ctx context.Context, x rota.Secret) error {
	return s.write(ctx, "secret", func(t *tx) error {
		sealed := x.Sealed
		if sealed == nil {
			sealed = []byte{}
		}
		n, err := t.exec(`INSERT INTO secret (name, owner, sealed, changed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name)
			DO UPDATE SET sealed = excluded.sealed, changed = excluded.changed WHERE secret.owner = excluded.owner`, x.Name, x.Owner, sealed, t.now)
		if err == nil && n == 0 {
			err = rota.Errorf(rota.ErrDenied, "secret %s: it is another's", x.Name).WithFix("choose another name, or have it removed: rota secret rm %s", x.Name)
		}
		return err
	})
}

// Secrets are all of them, or those with some names.
func (s *Store) Secrets(ctx context.Context, names []string) (all []rota.Secret, err error) {
	read := func(r *sql.Rows) error {
		var x rota.Secret
		var changed int64
		err := r.Scan(&x.Name, &x.Owner, &x.Sealed, &changed)
		x.Changed = fromMicros(changed)
		if names == nil {
			x.Sealed = nil
		}
		all = append(all, x)
		return err
	}
	if names == nil {
		return all, s.query(ctx, read, `SELECT name, owner, sealed, changed FROM secret ORDER BY name`)
	}
	wanted, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	err = s.query(ctx, read, `SELECT name, owner, sealed, changed FROM secret WHERE name IN (SELECT CAST(value AS TEXT) FROM json_each(?1)) ORDER BY name`, string(wanted))
	return all, err
}

// DropSecret removes a secret.
func (s *Store) DropSecret(ctx context.Context, name string) error {
	return s.write(ctx, "remove secret", func(t *tx) error {
		n, err := t.exec(`DELETE FROM secret WHERE name = ?1`, name)
		if err == nil && n == 0 {
			err = rota.Errorf(rota.ErrNotFound, "secret %s: there is none", name).WithFix("rota secret ls")
		}
		return err
	})
}
