package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/rotaqueue/rota"
)

// The states of a blob: a row is there before its bytes come, and goes after they have gone.
const (
	blobComing = 1
	blobThere  = 2
	blobGoing  = 3
)

const (
	// blobAge is how long a blob stays that nobody needs any more, or that is still coming.
	blobAge = 24 * time.Hour
	// goingBlobs is how many are removed in one step.
	goingBlobs = 100
)

// BeginBlob notes that a blob is about to be put.
func (s *Store) BeginBlob(ctx context.Context, b rota.Blob) (there bool, err error) {
	return written(ctx, s, "put blob", func(t *tx) (bool, error) {
		var state int
		found, err := t.one(`SELECT state FROM blob WHERE id = ?1 /*pg FOR UPDATE */`, []any{string(b.ID)}, &state)
		switch {
		case err != nil:
			return false, err
		case found && state == blobGoing:
			return false, rota.Errorf(rota.ErrUnavailable, "blob %.12s…: it is being removed at this moment", b.ID).WithFix("try again")
		case found:
			_, err = t.exec(`UPDATE blob SET touched = ?2, kept = CASE WHEN ?3 = 1 THEN 1 ELSE kept END,
				name = CASE WHEN name = '' THEN ?4 ELSE name END WHERE id = ?1`, string(b.ID), t.now, flag(b.Kept), b.Name)
			return state == blobThere, err
		}
		n, err := t.exec(`INSERT INTO blob (id, state, size, name, creator, kept, created, touched) VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?6)
			ON CONFLICT DO NOTHING`, string(b.ID), b.Size, b.Name, b.Creator, flag(b.Kept), t.now)
		if err == nil && n == 0 {
			err = errAgain // somebody has just begun it
		}
		return false, err
	})
}

// EndBlob notes that a blob's bytes are there.
func (s *Store) EndBlob(ctx context.Context, id rota.BlobID) error {
	return s.write(ctx, "put blob", func(t *tx) error {
		n, err := t.exec(`UPDATE blob SET state = 2, touched = ?2 WHERE id = ?1 AND state IN (1, 2)`, string(id), t.now)
		if err == nil && n == 0 {
			err = rota.Errorf(rota.ErrConflict, "blob %.12s…: it was removed before all of it had come", id).WithFix("put it again")
		}
		return err
	})
}

const blobColumns = `SELECT b.id, b.size, b.name, b.creator, b.kept, b.created, (SELECT count(*) FROM blob_use u WHERE u.blob = b.id) FROM blob b`

func scanBlob(r *sql.Rows) (b rota.Blob, err error) {
	var created int64
	var kept int
	err = r.Scan((*string)(&b.ID), &b.Size, &b.Name, &b.Creator, &kept, &created, &b.Uses)
	b.Kept, b.Created = kept == 1, fromMicros(created)
	return b, err
}

// Blob is one that is there.
func (s *Store) Blob(ctx context.Context, id rota.BlobID) (b rota.Blob, err error) {
	err = s.query(ctx, func(r *sql.Rows) (err error) {
		b, err = scanBlob(r)
		return err
	}, blobColumns+` WHERE b.id = ?1 AND b.state = 2`, string(id))
	if err == nil && b.ID == "" {
		err = noBlob(id)
	}
	return b, err
}

func noBlob(id rota.BlobID) error {
	return rota.Errorf(rota.ErrNotFound, "blob %.12s…: there is none, or it is no longer kept", id).WithFix("rota blob ls; rota blob put FILE")
}

// Blobs are those that are there, newest first.
func (s *Store) Blobs(ctx context.Context, q rota.BlobQuery) (all []rota.Blob, err error) {
	var c condition
	c.parts = append(c.parts, "b.state = 2")
	if q.Prefix != "" { // ids are digits and letters up to f
		c.and("b.id >= %s", q.Prefix)
		c.and("b.id < %s", q.Prefix+"g")
	}
	if q.After != "" {
		after, err := s.Blob(ctx, q.After)
		if err != nil {
			return nil, err
		}
		at, id := c.arg(toMicros(after.Created)), c.arg(string(q.After))
		c.parts = append(c.parts, "(b.created < "+at+" OR b.created = "+at+" AND b.id < "+id+")")
	}
	max := q.Max
	if max <= 0 {
		max = 100
	}
	err = s.query(ctx, func(r *sql.Rows) error {
		b, err := scanBlob(r)
		all = append(all, b)
		return err
	}, blobColumns+c.where()+`ORDER BY b.created DESC, b.id DESC LIMIT `+c.arg(max), c.args...)
	return all, err
}

// DropBlob lets a blob go.
func (s *Store) DropBlob(ctx context.Context, id rota.BlobID) error {
	return s.write(ctx, "remove blob", func(t *tx) error {
		n, err := t.exec(`UPDATE blob SET touched = ?2 WHERE id = ?1 AND state = 2`, string(id), t.now) // holds it on PostgreSQL
		if err == nil && n == 0 {
			err = noBlob(id)
		}
		if err != nil {
			return err
		}
		var holder string
		needed, err := t.one(`SELECT u.holder FROM blob_use u WHERE u.blob = ?1 AND (u.holder LIKE 'schedule %' OR u.holder LIKE 'an artifact of %'
			OR EXISTS (SELECT 1 FROM job j WHERE 'job ' || j.id = u.holder AND j.ended = 0)) ORDER BY u.holder LIMIT 1`, []any{string(id)}, &holder)
		if err == nil && needed {
			err = rota.Errorf(rota.ErrConflict, "blob %.12s…: %s needs it", id, holder)
		}
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE blob SET state = 3 WHERE id = ?1`, string(id))
		return err
	})
}

// GoingBlobs are some whose bytes are to be removed.
func (s *Store) GoingBlobs(ctx context.Context) (ids []rota.BlobID, err error) {
	err = s.query(ctx, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, rota.BlobID(id))
		return err
	}, `SELECT id FROM blob WHERE state = 3 ORDER BY touched LIMIT ?1`, goingBlobs)
	return ids, err
}

// ForgetBlob forgets a blob whose bytes are gone.
func (s *Store) ForgetBlob(ctx context.Context, id rota.BlobID) error {
	return s.write(ctx, "forget blob", func(t *tx) error {
		if _, err := t.exec(`DELETE FROM blob_use WHERE blob = ?1 AND EXISTS (SELECT 1 FROM blob WHERE id = ?1 AND state = 3)`, string(id)); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM blob WHERE id = ?1 AND state = 3`, string(id))
		return err
	})
}

// useBlob notes that somebody needs a blob from now on; it must be there.
func (t *tx) useBlob(id rota.BlobID, holder string) error {
	if id == "" {
		return nil
	}
	var one int
	there, err := t.one(`SELECT 1 FROM blob WHERE id = ?1 AND state = 2 /*pg FOR SHARE */`, []any{string(id)}, &one)
	if err == nil && !there {
		err = noBlob(id)
	}
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO blob_use (blob, holder) VALUES (?1, ?2) ON CONFLICT DO NOTHING`, string(id), holder)
	return err
}

// releaseBlobs notes that somebody needs no blob any more. They stay for a while.
func (t *tx) releaseBlobs(holder string) error {
	if _, err := t.exec(`UPDATE blob SET touched = ?2 WHERE id IN (SELECT blob FROM blob_use WHERE holder = ?1)`, holder, t.now); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM blob_use WHERE holder = ?1`, holder)
	return err
}

func holderOfJob(id rota.JobID) string    { return "job " + id.String() }
func holderOfSchedule(name string) string { return "schedule " + name }

// outliveBlobs lets those go that nobody has needed for a while, or of which no more has come.
func (t *tx) outliveBlobs() (int, error) {
	return t.exec(`UPDATE blob SET state = 3 WHERE id IN (SELECT id FROM blob b WHERE b.state IN (1, 2) AND b.touched < ?1 AND b.kept = 0
		AND NOT EXISTS (SELECT 1 FROM blob_use u WHERE u.blob = b.id) LIMIT ?2)`, t.now-blobAge.Microseconds(), goingBlobs)
}
