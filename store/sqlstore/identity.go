package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"strconv"

	"github.com/rotaqueue/rota"
)

// identify gives a new store its name and its secret. They are the only random things in it.
func (t *tx) identify() error {
	id, secret := make([]byte, 8), make([]byte, 32)
	rand.Read(id)
	rand.Read(secret)
	rows := [][]any{{"id", hex.EncodeToString(id)}, {"secret", hex.EncodeToString(secret)}, {"incarnation", "0"}}
	return t.each(`INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING`,
		len(rows), func(i int) []any { return rows[i] })
}

// Identity is who the store is and what time it has.
func (s *Store) Identity(ctx context.Context) (rota.Identity, error) {
	meta := map[string]string{}
	err := s.query(ctx, func(r *sql.Rows) error {
		var k, v string
		err := r.Scan(&k, &v)
		meta[k] = v
		return err
	}, `SELECT key, value FROM meta`)
	if err != nil {
		return rota.Identity{}, err
	}
	secret, err := hex.DecodeString(meta["secret"])
	if err != nil {
		return rota.Identity{}, err
	}
	incarnation, err := strconv.Atoi(meta["incarnation"])
	if err != nil {
		return rota.Identity{}, err
	}
	bytes, err := s.engine.bytes(ctx)
	if err != nil {
		return rota.Identity{}, s.classify(err)
	}
	var now int64
	err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&now) }, `SELECT `+s.engine.clock())
	return rota.Identity{ID: meta["id"], Incarnation: incarnation, Engine: s.engine.name(), Shared: s.engine.shared(), Schema: Schema, Now: fromMicros(now),
		Bytes: bytes, Secret: secret}, err
}
