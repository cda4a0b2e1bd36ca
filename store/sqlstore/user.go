package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/rotaqueue/rota"
)

// PutUser creates a user, or replaces one of the same name.
func (s *Store) PutUser(ctx context.Context, u rota.User) (rota.User, error) {
	return written(ctx, s, "user", func(t *tx) (rota.User, error) {
		var tell any
		users, err := t.tellers()
		if err == nil && u.Tell.Says() != users[u.Name] {
			err = t.reshape()
		}
		if err == nil && (u.Tell.Says() || u.MailOn != "") {
			tell, err = jsonText(u.Tell)
		}
		if err != nil {
			return u, err
		}
		var created int64
		_, err = t.one(`INSERT INTO account (name, role, queues, hash, tell, created, changed) VALUES (?1, ?2, ?3, ?4, ?6, ?5, ?5) ON CONFLICT (name)
			DO UPDATE SET role = excluded.role, queues = excluded.queues, hash = excluded.hash, tell = excluded.tell, changed = excluded.changed RETURNING created`,
			[]any{u.Name, string(u.Role), u.Queues, u.Hash, t.now, tell}, &created)
		u.Created, u.Changed, u.Password = fromMicros(created), fromMicros(t.now), u.Hash != ""
		return u, err
	})
}

// Users are all users by name, or the one of a name.
func (s *Store) Users(ctx context.Context, name string) (all []rota.User, err error) {
	err = s.query(ctx, func(r *sql.Rows) error {
		var u rota.User
		var tell string
		var created, changed int64
		err := r.Scan(&u.Name, &u.Role, &u.Queues, &u.Hash, &tell, &created, &changed)
		if err == nil && tell != "" {
			err = json.Unmarshal([]byte(tell), &u.Tell)
		}
		u.Created, u.Changed, u.Password = fromMicros(created), fromMicros(changed), u.Hash != ""
		all = append(all, u)
		return err
	}, `SELECT name, role, queues, hash, coalesce(tell, ''), created, changed FROM account WHERE ?1 = '' OR name = ?1 ORDER BY name`, name)
	return all, err
}

// tellers are the users who say who is told when their jobs end. Few do, and a writer remembers them.
func (t *tx) tellers() (map[string]bool, error) {
	if t.w.tellers != nil {
		return t.w.tellers, nil
	}
	all := map[string]bool{}
	err := t.query(func(r *sql.Rows) error {
		var u rota.User
		var tell []byte
		if err := r.Scan(&u.Name, &tell); err != nil {
			return err
		}
		err := json.Unmarshal(tell, &u.Tell)
		all[u.Name] = u.Tell.Says()
		return err
	}, `SELECT name, tell FROM account WHERE tell IS NOT NULL`)
	if err == nil {
		t.w.tellers = all
	}
	return all, err
}

// DropUser removes a user, with all tokens that are the user's.
func (s *Store) DropUser(ctx context.Context, name string) error {
	return s.write(ctx, "remove user", func(t *tx) error {
		users, err := t.tellers()
		if err == nil && users[name] {
			err = t.reshape()
		}
		if err != nil {
			return err
		}
		n, err := t.exec(`DELETE FROM account WHERE name = ?1`, name)
		if err == nil && n == 0 {
			err = rota.Errorf(rota.ErrNotFound, "user %q: there is none", name).WithFix("rota user ls")
		}
		if err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM token WHERE account = ?1`, name)
		return err
	})
}

// DropLogins removes the tokens that a user got by logging in.
func (s *Store) DropLogins(ctx context.Context, user string) error {
	return s.write(ctx, "end logins", func(t *tx) error {
		_, err := t.exec(`DELETE FROM token WHERE account = ?1 AND login = 1`, user)
		return err
	})
}

// RedeemToken makes another token of one that is good once, which is then worth nothing.
func (s *Store) RedeemToken(ctx context.Context, hash, next string, lasts rota.Duration) (rota.Token, error) {
	return written(ctx, s, "redeem link", func(t *tx) (tok rota.Token, err error) {
		found, err := t.one(`DELETE FROM token WHERE hash = ?1 AND once = 1 AND expires > ?2 RETURNING name, role, account, queues`,
			[]any{hash, t.now}, &tok.Name, &tok.Role, &tok.User, &tok.Queues)
		if err == nil && !found {
			err = rota.Errorf(rota.ErrUnauthenticated, "link: it was used already, or its time is over").WithFix("make another one")
		}
		if err != nil {
			return tok, err
		}
		tok.Hash, tok.Login, tok.Expires = next, true, fromMicros(t.now+lasts.Micros())
		return t.putToken(tok)
	})
}
