package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/rotaqueue/rota"
)

const backupKey = "backup"

// backup is what a backup says of itself: a copy of a store, sealed from its beginning.
type backup struct {
	At     int64           `json:"at"` // microseconds: what was stored then is in it
	Of     string          `json:"of"`
	Schema int             `json:"schema"`
	Tables []rota.TableSum `json:"tables"` // but meta, in which this stands
}

// CreateBackup writes all that a store has at this moment into a file that is not there yet, while nodes use it.
func CreateBackup(ctx context.Context, from, file string, step func(rota.CopyStep)) (out rota.Copied, err error) {
	out.From, out.To = placeName(from), file
	if isPostgres(file) {
		return out, rota.Invalid("a backup is a file").WithFix("rota store copy makes a copy in a database")
	}
	source, err := Open(ctx, from, Options{ReadOnly: true})
	if err != nil {
		return out, err
	}
	defer source.Close()
	dest, err := newTarget(ctx, file, Schema)
	if err != nil {
		return out, err
	}
	defer dest.abandon()
	at := time.Now().UnixMicro()
	if out.Tables, _, err = transfer(ctx, source.engine, dest, nil, step); err != nil {
		return out, err
	}
	if err := dest.keep(ctx); err != nil {
		return out, err
	}
	s, err := Open(ctx, dest.place(), Options{admit: admitCopies})
	if err != nil {
		return out, err
	}
	out.Incarnation = s.nth
	err = s.archive(ctx, backup{At: at, Of: out.From, Schema: Schema, Tables: out.Tables})
	if err = errors.Join(err, s.Close()); err == nil {
		err = dest.finish(ctx)
	}
	return out, err
}

// archive makes a copy a backup.
func (s *Store) archive(ctx context.Context, b backup) error {
	err := s.write(ctx, "backup", func(t *tx) error {
		text, err := json.Marshal(b)
		if err != nil {
			return err
		}
		if err := t.putMeta(backupKey, string(text)); err != nil {
			return err
		}
		return t.setSeal(seal{At: b.At, Backup: true, Of: b.Of})
	})
	if err == nil {
		err = s.endCopying(ctx)
	}
	return err
}

// openBackup opens a backup to be read, of whatever version of the schema this binary knows.
func openBackup(ctx context.Context, file string) (s *Store, b backup, err error) {
	e, err := openArchive(file)
	if err != nil {
		return nil, b, err
	}
	s = newStore(file, e)
	b, err = s.backup(ctx)
	if err != nil {
		s.shut()
	}
	return s, b, err
}

// backup is what the store says of itself as a backup.
func (s *Store) backup(ctx context.Context) (b backup, err error) {
	found, err := catalogueOf(ctx, s.engine, s.engine.read)
	if err != nil {
		return b, damaged(s.place, err)
	}
	var text string
	if found["meta"] != nil && found[copyingTable] == nil {
		err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&text) }, `SELECT value FROM meta WHERE key = ?1`, backupKey)
	}
	switch {
	case err != nil:
		return b, damaged(s.place, err)
	case text == "" && found["meta"] != nil:
		return b, rota.Errorf(rota.ErrConflict, "%s is a store, not a backup", s.place).WithFix("rota store copy --from %s copies it", s.place)
	case text == "":
		return b, rota.Errorf(rota.ErrConflict, "%s is not a backup", s.place)
	}
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return b, damaged(s.place, err)
	}
	if b.Schema > Schema {
		return b, checkVersion(b.Schema, b.Schema)
	}
	return b, nil
}

func damaged(file string, why error) error {
	return rota.Errorf(rota.ErrConflict, "backup %s is damaged: %v", file, why)
}

// Checked is what was found of a backup that is whole.
type Checked struct {
	Of     string
	At     time.Time
	Tables []rota.TableSum
	// Older says that what is kept twice was not compared, because an earlier version of the schema kept it.
	Older bool
}

// VerifyBackup looks whether a backup is whole: as a file, by the sums that were written into it when it was made, and by
// comparing what is kept twice.
func VerifyBackup(ctx context.Context, file string, step func(rota.CopyStep)) (out Checked, err error) {
	s, b, err := openBackup(ctx, file)
	if err != nil {
		return out, err
	}
	defer s.Close()
	out = Checked{Of: b.Of, At: fromMicros(b.At), Older: b.Schema < Schema}
	err = s.query(ctx, func(r *sql.Rows) error {
		var said string
		if err := r.Scan(&said); err != nil || said == "ok" {
			return err
		}
		return errors.New(said)
	}, `PRAGMA integrity_check(1)`)
	if err == nil {
		out.Tables, err = s.compare(ctx, b.Tables, step)
	}
	if err == nil && !out.Older {
		var differences []string
		if differences, err = s.Verify(ctx); len(differences) > 0 {
			err = errors.New(differences[0])
		}
	}
	if err != nil && ctx.Err() == nil {
		err = damaged(file, err)
	}
	return out, err
}

// compare compares the sums of all tables with those that they should have.
func (s *Store) compare(ctx context.Context, want []rota.TableSum, step func(rota.CopyStep)) (sums []rota.TableSum, err error) {
	conn, err := s.engine.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer letGo(conn)
	found, err := catalogueOf(ctx, s.engine, readingOn(conn))
	if err != nil {
		return nil, err
	}
	x := transfering{step: step, at: rota.CopyStep{Checking: true}}
	for _, sum := range want {
		x.at.Of += sum.Rows
	}
	for _, t := range found.tables() {
		if t.name == "meta" {
			continue
		}
		r, err := rowsOf(ctx, s.engine, conn, &t)
		if err != nil {
			return nil, err
		}
		sum, err := x.pass(r)
		if err == nil && !slices.Contains(want, sum) {
			err = errors.New("table " + t.name + " is not as it was when the backup was made")
		}
		if err != nil {
			return nil, err
		}
		sums = append(sums, sum)
	}
	if len(sums) != len(want) {
		err = errors.New("a table is missing")
	}
	return sums, err
}

// RestoreBackup makes a store of a backup in a place that has nothing, as the next incarnation (P25).
func RestoreBackup(ctx context.Context, file, to string, step func(rota.CopyStep)) (out rota.Copied, err error) {
	out.From, out.To = file, placeName(to)
	source, b, err := openBackup(ctx, file)
	if err != nil {
		return out, err
	}
	defer source.Close()
	dest, err := newTarget(ctx, to, b.Schema)
	if err != nil {
		return out, err
	}
	defer dest.abandon()
	if out.Tables, out.Replaced, err = transfer(ctx, source.engine, dest, b.Tables, step); err != nil {
		return out, err
	}
	out.Incarnation, out.Lost, err = revive(ctx, dest)
	return out, err
}
