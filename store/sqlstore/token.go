package sqlstore

import (
	"context"
	"database/sql"

	"github.com/rotaqueue/rota"
)

// PutToken stores a new token; only its hash is kept.
func (s *Store) PutToken(ctx context.Context, tok rota.Token) (rota.Token, error) {
	return written(ctx, s, "token", func(t *tx) (rota.Token, error) { return t.putToken(tok) })
}

func (t *tx) putToken(tok rota.Token) (rota.Token, error) {
	if tok.User != "" {
		var one int
		there, err := t.one(`SELECT 1 FROM account WHERE name = ?1 /*pg FOR SHARE */`, []any{tok.User}, &one)
		if err == nil && !there {
			err = rota.Errorf(rota.ErrNotFound, "user %q: there is none", tok.User).WithFix("rota user ls")
		}
		if err != nil {
			return tok, err
		}
	}
	tok.Created = fromMicros(t.now)
	_, err := t.one(`INSERT INTO token (name, role, hash, created, expires, node, account, queues, once, login)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING id`,
		[]any{tok.Name, string(tok.Role), tok.Hash, t.now, toMicros(tok.Expires), tok.Node, tok.User, tok.Queues, flag(tok.Once), flag(tok.Login)}, &tok.ID)
	return tok, err
}

// Tokens are all tokens, or the one with a hash.
func (s *Store) Tokens(ctx context.Context, hash string) (all []rota.Token, err error) {
	err = s.query(ctx, func(r *sql.Rows) error {
		var tok rota.Token
		var created, expires int64
		var once, login int
		err := r.Scan(&tok.ID, &tok.Name, &tok.Role, &tok.Hash, &created, &expires, &tok.Node, &tok.User, &tok.Queues, &once, &login)
		tok.Created, tok.Expires = fromMicros(created), fromMicros(expires)
		tok.Once, tok.Login = once == 1, login == 1
		all = append(all, tok)
		return err
	}, `SELECT id, name, role, hash, created, expires, node, account, queues, once, login FROM token WHERE ?1 = '' OR hash = ?1 ORDER BY id`, hash)
	return all, err
}

// bindToken makes a token the node's that opens a session by it, if it is nobody's yet.
func (t *tx) bindToken(id int64, node string) error {
	if id == 0 {
		return nil
	}
	n, err := t.exec(`UPDATE token SET node = ?2 WHERE id = ?1 AND node IN ('', ?2)`, id, node)
	if err == nil && n == 0 {
		err = rota.Errorf(rota.ErrDenied, "node %q: the token is not this node's", node).
			WithFix("ask an admin for one of its own: rota node token %s", node)
	}
	return err
}

// DropToken removes a token; it lets nobody in any more.
func (s *Store) DropToken(ctx context.Context, id int64) error {
	return s.write(ctx, "remove token", func(t *tx) error {
		n, err := t.exec(`DELETE FROM token WHERE id = ?1`, id)
		if err == nil && n == 0 {
			err = rota.Errorf(rota.ErrNotFound, "token %d: there is none", id).WithFix("rota token ls")
		}
		return err
	})
}
