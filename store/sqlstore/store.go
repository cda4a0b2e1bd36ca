// Package sqlstore keeps what Rota keeps in SQL: one file for each noun or act, a migration for each version.
//
// It touches the database and nothing else. It has no policy and no permissions: what it decides is what
// rota.Fate, rota.Moves and the arguments say. Whatever differs between engines stands in the file named after
// the engine; everything else is one SQL text for all.
//
// Every write runs in a [tx], which collects what it changes of the counters and settles them last (P19), together with what follows from them: jobs that ended, their dependents (P15), places that became free
// behind gates (P16). Reads run beside the writer on connections of their own.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rotaqueue/rota"
)

// Limits of one transaction (P18).
const (
	stepRows = 2_000 // rows that one step of upkeep moves
	scanRows = 5_000 // rows that one step of upkeep looks at
)

// Options of a store. The zero value is right for a node.
type Options struct {
	// Now is the store's clock; nil: the time of day.
	Now func() time.Time
	// ReadOnly opens a store beside the node that owns it: nothing is written, nothing migrated.
	ReadOnly bool
}

// Store is a rota.Store in an SQL database.
type Store struct {
	path    string
	now     func() time.Time
	db      *sql.DB // the writer's one connection
	w       *writer
	read    *sql.DB
	commits commits
	broken  atomic.Pointer[error]
	closed  atomic.Bool
}

var _ rota.Store = (*Store)(nil)

// Close ends the store after the write in progress.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if s.w != nil {
		s.commits.writing.Lock()
		defer s.commits.writing.Unlock()
	}
	return s.shut()
}

// micros is the store's clock in the store's unit.
func (s *Store) micros() int64 { return s.now().UnixMicro() }

// usable refuses a call on a store that is closed or may no longer be trusted.
func (s *Store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return rota.Errorf(rota.ErrUnavailable, "store is closed")
	}
	if err := s.broken.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

// query runs a read beside the writer and gives each row to scan.
func (s *Store) query(ctx context.Context, scan func(*sql.Rows) error, q string, args ...any) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	rows, err := s.read.QueryContext(ctx, q, args...)
	if err != nil {
		return s.classify(err)
	}
	return s.classify(drain(rows, scan))
}

func drain(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// classify gives an engine's error its kind.
func (s *Store) classify(err error) error {
	var known *rota.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	}
	kind := engineKind(err)
	wrapped := &rota.Error{Kind: kind, Text: err.Error()}
	switch kind {
	case rota.ErrFull:
		wrapped.Fix = "free space on the disk of " + s.path + " and try again; nothing that was acknowledged is lost"
	case rota.ErrBroken:
		e := error(wrapped)
		s.broken.Store(&e)
	}
	return wrapped
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func toMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
