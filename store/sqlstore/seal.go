package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// seal is why a store is no longer written, by whatever version of Rota: guards in the database refuse it. It can be
// read. It stands in meta, which is not guarded.
type seal struct {
	At     int64  `json:"at"`               // microseconds, by the clock of who did it
	To     string `json:"to,omitempty"`     // the store was copied there, or is being copied
	Copied bool   `json:"copied,omitempty"` // the copy is whole
	Backup bool   `json:"backup,omitempty"` // it is a backup
	Of     string `json:"of,omitempty"`     // of this store
}

const sealKey = "sealed"

// guardText is what the guards say, on every engine.
const guardText = "rota: the store is sealed"

func isSealed(err error) bool { return strings.Contains(err.Error(), guardText) }

// admission is which stores may be opened that are not in use.
type admission int

const (
	admitUsed   admission = iota // none
	admitSealed                  // sealed ones
	admitCopies                  // copies that are not whole
)

// admitted refuses a store that is not in use, unless it is only read and can be.
func (s *Store) admitted(ctx context.Context, o Options) error {
	found, err := catalogueOf(ctx, s.engine, s.engine.read)
	if err != nil {
		return s.classify(err)
	}
	if found[copyingTable] != nil && o.admit != admitCopies {
		return s.notWhole()
	}
	if found["meta"] == nil || o.ReadOnly || o.admit != admitUsed {
		return nil
	}
	return s.sealed()
}

// sealed refuses the store if it is sealed.
func (s *Store) sealed() error {
	ctx, cancel := patience()
	defer cancel()
	x, err := s.seal(ctx)
	if err != nil || x == nil {
		return err
	}
	return x.refuse(s.place)
}

// refuse says why the store cannot be written, and what is to be done.
func (x *seal) refuse(place string) error {
	place = placeName(place)
	at := fromMicros(x.At).Local().Format(time.DateTime)
	switch {
	case x.Backup:
		return rota.Errorf(rota.ErrUnavailable, "%s is a backup of %s, made at %s: it can only be read", place, x.Of, at).
			WithFix("rota backup restore %s", place)
	case x.Copied:
		return rota.Errorf(rota.ErrUnavailable, "store %s is sealed: it was copied to %s at %s, and can only be read", place, x.To, at).
			WithFix("use the copy; or, to go back, stop all that use the copy, then rota store unseal %s", place)
	}
	return rota.Errorf(rota.ErrUnavailable, "store %s is sealed: a copy to %s was begun at %s and has not ended", place, x.To, at).
		WithFix("let it end, or begin it again; or give it up: rota store unseal %s", place)
}

// seal is the store's seal; nil when it has none.
func (s *Store) seal(ctx context.Context) (*seal, error) {
	var text string
	err := s.engine.read(ctx, func(r *sql.Rows) error { return r.Scan(&text) }, `SELECT value FROM meta WHERE key = '`+sealKey+`'`)
	if err != nil || text == "" {
		return nil, s.classify(err)
	}
	var x seal
	return &x, json.Unmarshal([]byte(text), &x)
}

// guarded are the tables that a seal guards.
func guarded(c catalogue) (names []string) {
	for _, t := range c.tables() {
		if t.name != "meta" {
			names = append(names, t.name)
		}
	}
	return names
}

// setSeal seals the store, or changes its seal. No write is under way when it returns, and none comes later.
func (t *tx) setSeal(x seal) error {
	text, err := json.Marshal(x)
	if err != nil {
		return err
	}
	found, err := catalogueOf(context.Background(), t.s.engine, t.reading)
	if err != nil {
		return err
	}
	lift, set := t.s.engine.guards(guarded(found))
	for _, q := range append(lift, set...) {
		if _, err := t.exec(q); err != nil {
			return err
		}
	}
	return t.putMeta(sealKey, string(text))
}

// liftSeal takes the store back into use.
func (t *tx) liftSeal() error {
	found, err := catalogueOf(context.Background(), t.s.engine, t.reading)
	if err != nil {
		return err
	}
	lift, _ := t.s.engine.guards(guarded(found))
	for _, q := range lift {
		if _, err := t.exec(q); err != nil {
			return err
		}
	}
	_, err = t.exec(`DELETE FROM meta WHERE key = ?1`, sealKey)
	return err
}

// reading reads in the transaction.
func (t *tx) reading(_ context.Context, scan func(*sql.Rows) error, q string, args ...any) error {
	return t.query(scan, q, args...)
}

func (t *tx) putMeta(key, value string) error {
	_, err := t.exec(`INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	return err
}

// Unseal takes a sealed store back into use, and says to where it had been copied.
func Unseal(ctx context.Context, place string) (copiedTo string, err error) {
	x, err := sealOf(ctx, place)
	switch {
	case err != nil:
		return "", err
	case x == nil:
		return "", rota.Errorf(rota.ErrConflict, "store %s is not sealed", placeName(place))
	case x.Backup:
		return "", x.refuse(place)
	}
	s, err := Open(ctx, place, Options{admit: admitSealed})
	if err != nil {
		return "", err
	}
	defer s.Close()
	return x.To, s.write(ctx, "unseal", (*tx).liftSeal)
}

// sealOf is the seal of the store at a place, which must be there; nil when it has none.
func sealOf(ctx context.Context, place string) (*seal, error) {
	var e engine
	var err error
	if isPostgres(place) {
		e, err = openPostgres(ctx, place, Options{})
	} else {
		e, err = openArchive(place)
	}
	if err != nil {
		return nil, err
	}
	s := newStore(place, e)
	defer s.Close()
	found, err := catalogueOf(ctx, s.engine, s.engine.read)
	if err == nil && found["meta"] == nil {
		return nil, rota.Errorf(rota.ErrNotFound, "there is no store in %s", s.place)
	}
	if err != nil {
		return nil, s.classify(err)
	}
	return s.seal(ctx)
}
