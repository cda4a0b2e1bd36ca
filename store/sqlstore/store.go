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
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rotaqueue/rota"
)

// Limits of one transaction (P18).
const (
	stepRows = 2_000 // rows that one step of upkeep moves
	scanRows = 5_000 // rows that one step of upkeep looks at
)

// How long, and how often, a server that is away is tried again when a store is opened patiently.
const (
	openPatience = time.Minute
	openPause    = 500 * time.Millisecond
)

// Options of a store. The zero value is right for a node.
type Options struct {
	// Now is the store's clock; nil: that of SQLite's machine, or of PostgreSQL's.
	Now func() time.Time
	// ReadOnly opens a store beside the node that owns it: nothing is written, nothing migrated.
	ReadOnly bool
	// Away makes Open patient with a server that cannot be reached, which may start later than who uses it: it is told
	// so once, and Open tries again for a minute.
	Away func(error)

	admit admission // what else is opened than stores that are in use
}

// Store is a rota.Store in an SQL database.
type Store struct {
	place     string // where it is, for people
	engine    engine
	nth       int // its incarnation
	writers   int // of commits; none: the store is only read
	commits   commits
	leases    *commits // renewals: of a connection of their own, where there are several
	templates templates
	floors    floors
	broken    atomic.Pointer[error]
	closed    atomic.Bool
}

var _ rota.Store = (*Store)(nil)

// Open opens, and if need be creates and migrates, the store at a place: the path of an SQLite file, or the URL of a
// PostgreSQL database (postgres://…), as libpq has it, with several hosts if wished.
func Open(ctx context.Context, place string, o Options) (*Store, error) {
	s, err := openOnce(ctx, place, o)
	if o.Away == nil || !isPostgres(place) || !errors.Is(err, rota.ErrUnavailable) {
		return s, err
	}
	o.Away(err)
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(openPause):
		}
		again, last := openOnce(ctx, place, o)
		if !errors.Is(last, rota.ErrUnavailable) {
			return again, last
		}
		if ctx.Err() == nil {
			err = last
		}
	}
}

func openOnce(ctx context.Context, place string, o Options) (*Store, error) {
	var e engine
	var err error
	if isPostgres(place) {
		e, err = openPostgres(ctx, place, o)
	} else {
		e, err = openSQLite(place, o)
	}
	if err != nil {
		return nil, err
	}
	s := newStore(place, e)
	if o.ReadOnly {
		if err = s.admitted(ctx, o); err == nil {
			err = s.checkSchema(ctx)
		}
	} else if err = s.prepare(ctx, o); err != nil {
		err = fmt.Errorf("open store %s: %w", s.place, s.classify(err))
	}
	if err != nil {
		s.shut()
		return nil, err
	}
	return s, nil
}

// newStore is a store that is only read, before it is prepared to be written.
func newStore(place string, e engine) *Store {
	s := &Store{place: placeName(place), engine: e}
	s.commits.rest.L = &s.commits.mu
	s.leases = &s.commits
	return s
}

// prepare brings the schema up to date and connects the writers.
func (s *Store) prepare(ctx context.Context, o Options) error {
	if err := s.engine.prepare(ctx, Schema, func(ctx context.Context) error { return s.admitted(ctx, o) }); err != nil {
		return err
	}
	if s.engine.shared() {
		s.leases = &commits{}
		s.leases.rest.L = &s.leases.mu
		if err := s.employ(ctx, s.leases); err != nil {
			return err
		}
	}
	for range s.engine.writers() {
		if err := s.employ(ctx, &s.commits); err != nil {
			return err
		}
		s.writers++
	}
	if err := s.transact(s.commits.idle[0], (*tx).identify); err != nil {
		return err
	}
	return s.query(ctx, func(r *sql.Rows) error { return r.Scan(&s.nth) }, `SELECT value FROM meta WHERE key = 'incarnation'`)
}

func (s *Store) employ(ctx context.Context, c *commits) error {
	conn, err := s.engine.connect(ctx)
	if err == nil {
		c.idle = append(c.idle, &writer{connection: conn, templates: &s.templates})
	}
	return err
}

// Place is where the store is, for people: without secrets.
func (s *Store) Place() string { return s.place }

// Shared reports whether other servers may write to the store at the same time.
func (s *Store) Shared() bool { return s.engine.shared() }

// Close ends the store after the writes in progress.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.shut()
}

func (s *Store) shut() error {
	var errs []error
	all := s.commits.all(s.writers)
	if s.leases != &s.commits {
		all = append(all, s.leases.all(1)...)
	}
	for _, w := range all {
		errs = append(errs, w.close())
	}
	return errors.Join(append(errs, s.engine.close())...)
}

func errClosed() error { return rota.Errorf(rota.ErrUnavailable, "store is closed") }

// usable refuses a call on a store that is closed or may no longer be trusted.
func (s *Store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return errClosed()
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
	err := s.engine.read(ctx, scan, q, args...)
	if ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return err // it is the caller's time that is up
	}
	if err != nil && s.closed.Load() {
		return errClosed()
	}
	return s.classify(err)
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
	case isSealed(err):
		return s.sealed()
	case errors.As(err, &known) || errors.Is(err, context.Canceled):
		return err
	}
	kind := s.engine.kind(err)
	if errors.Is(err, context.DeadlineExceeded) {
		kind = rota.ErrUnavailable // the engine's own limit: it was asked, and did not answer
	}
	wrapped := &rota.Error{Kind: kind, Text: err.Error()}
	switch kind {
	case rota.ErrFull:
		wrapped.Fix = "free space on the disk of " + s.place + " and try again; nothing that was acknowledged is lost"
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
