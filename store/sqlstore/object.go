package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"io"

	"github.com/rotaqueue/rota"
)

// objectPiece is how much one row holds, and one transaction stores.
const objectPiece = 512 << 10

// Objects keep bytes in the store itself: then all its servers find them without anything else beside the database.
func (s *Store) Objects() rota.Objects { return objects{s} }

type objects struct{ s *Store }

// Put keeps bytes by a name. They come in pieces, each of which is stored; the last step makes them what the name means.
func (o objects) Put(ctx context.Context, name string, size int64, body io.Reader) error {
	id, err := written(ctx, o.s, "put object", func(t *tx) (int64, error) {
		id, err := t.next("object", 1)
		if err == nil {
			_, err = t.exec(`INSERT INTO object (id, name, size, whole, at) VALUES (?1, ?2, ?3, 0, ?4)`, id, name, size, t.now)
		}
		return id, err
	})
	if err != nil {
		return err
	}
	if err = o.putPieces(ctx, id, size, body); err == nil {
		err = o.s.write(ctx, "put object", func(t *tx) error { return t.wholeObject(id, name) })
	}
	if err != nil {
		// What is left is pruned when this does not succeed.
		_ = o.s.write(context.WithoutCancel(ctx), "drop object", func(t *tx) error { return t.dropObject(id) })
	}
	return err
}

func (o objects) putPieces(ctx context.Context, id, size int64, body io.Reader) error {
	piece := make([]byte, objectPiece)
	for start := int64(0); start < size; {
		n, err := io.ReadFull(body, piece[:min(objectPiece, size-start)])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return rota.Invalid("it ends after %d of %d bytes", start+int64(n), size)
		}
		if err != nil {
			return err
		}
		data := piece[:n]
		if err := o.s.write(ctx, "put object", func(t *tx) error {
			_, err := t.exec(`INSERT INTO object_piece (object, start, data) VALUES (?1, ?2, ?3) ON CONFLICT (object, start) DO UPDATE SET data = excluded.data`, id, start, data)
			return err
		}); err != nil {
			return err
		}
		start += int64(n)
	}
	return nil
}

// wholeObject makes what has come what the name means, and drops what it meant before.
func (t *tx) wholeObject(id int64, name string) error {
	var one int64 // whoever makes something whole at the same time comes after this
	if _, err := t.one(`SELECT value FROM counter WHERE name = 'object' /*pg FOR UPDATE */`, nil, &one); err != nil {
		return err
	}
	var before int64
	had, err := t.one(`SELECT id FROM object WHERE name = ?1 AND whole = 1 AND id <> ?2 /*pg FOR UPDATE */`, []any{name, id}, &before)
	if err != nil {
		return err
	}
	if had {
		if err := t.dropObject(before); err != nil {
			return err
		}
	}
	n, err := t.exec(`UPDATE object SET whole = 1 WHERE id = ?1`, id)
	if err == nil && n == 0 {
		err = rota.Errorf(rota.ErrUnavailable, "object %s: took too long", name)
	}
	return err
}

func (t *tx) dropObject(id int64) error {
	if _, err := t.exec(`DELETE FROM object_piece WHERE object = ?1`, id); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM object WHERE id = ?1`, id)
	return err
}

// Get is a piece of what a name means.
func (o objects) Get(ctx context.Context, name string, offset int64, max int) ([]byte, error) {
	var id, size int64
	err := o.s.query(ctx, func(r *sql.Rows) error { return r.Scan(&id, &size) }, `SELECT id, size FROM object WHERE name = ?1 AND whole = 1`, name)
	if err == nil && id == 0 {
		err = rota.Errorf(rota.ErrNotFound, "object %s: there is none", name)
	}
	if err != nil || offset >= size || max <= 0 {
		return nil, err
	}
	out := make([]byte, 0, min(int64(max), size-offset))
	err = o.s.query(ctx, func(r *sql.Rows) error {
		var start int64
		var data []byte
		if err := r.Scan(&start, &data); err != nil {
			return err
		}
		if skip := offset + int64(len(out)) - start; skip >= 0 && skip < int64(len(data)) && len(out) < cap(out) {
			out = append(out, data[skip:min(int64(len(data)), skip+int64(cap(out)-len(out)))]...)
		}
		return nil
	}, `SELECT start, data FROM object_piece WHERE object = ?1 AND start > ?2 AND start < ?3 ORDER BY start`,
		id, offset-objectPiece, offset+int64(max))
	if err == nil && len(out) < cap(out) { // it was replaced meanwhile
		err = rota.Errorf(rota.ErrUnavailable, "object %s: has just been removed or replaced", name)
	}
	return out, err
}

// Remove removes what a name means.
func (o objects) Remove(ctx context.Context, name string) error {
	return o.s.write(ctx, "remove object", func(t *tx) error {
		var id int64
		found, err := t.one(`SELECT id FROM object WHERE name = ?1 AND whole = 1 /*pg FOR UPDATE */`, []any{name}, &id)
		if err != nil || !found {
			return err
		}
		return t.dropObject(id)
	})
}

// URL is none: the store's database is not one that a browser could ask.
func (objects) URL(string) string { return "" }

// abandonObject drops what began to come long ago, if there is such a thing.
func (t *tx) abandonObject() (bool, error) {
	var id int64
	found, err := t.one(`SELECT id FROM object WHERE whole = 0 AND at < ?1 ORDER BY at LIMIT 1`, []any{t.now - blobAge.Microseconds()}, &id)
	if err != nil || !found {
		return false, err
	}
	return true, t.dropObject(id)
}
