package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/rotaqueue/rota"
)

// Every connection gets every PRAGMA. FULL makes a commit durable when it returns. The page cache and the
// number of readers bound the memory.
const (
	sqliteCommon = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(0)&_pragma=temp_store(MEMORY)"
	sqliteWriter  = sqliteCommon + "&_pragma=cache_size(-32768)&_pragma=wal_autocheckpoint(4000)&_pragma=journal_size_limit(67108864)"
	sqliteReader  = sqliteCommon + "&_pragma=cache_size(-4096)&_pragma=query_only(1)"
	sqliteFrozen  = "&immutable=1" // no locks, no WAL: for a file that nobody can write
	sqliteReaders = 4
)

// Open opens, and if need be creates and migrates, the store in the SQLite file at path. The caller holds the lock
// of the data folder: one process writes (P26).
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s := &Store{path: path, now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	if o.ReadOnly {
		if _, err := os.Stat(path); err != nil {
			return nil, rota.Errorf(rota.ErrNotFound, "no store at %s", path).WithFix("rota up")
		}
	}
	pragmas := sqliteReader
	if o.ReadOnly && frozen(path) {
		if err := readableFrozen(path); err != nil {
			return nil, err
		}
		pragmas += sqliteFrozen
	}
	var err error
	if s.read, err = openSQLite(path, pragmas, sqliteReaders); err != nil {
		return nil, s.classify(err)
	}
	if o.ReadOnly {
		return s, s.checkSchema(ctx)
	}
	if s.db, err = openSQLite(path, sqliteWriter, 1); err != nil {
		s.read.Close()
		return nil, s.classify(err)
	}
	if err := s.prepare(ctx); err != nil {
		err = s.classify(err)
		s.db.Close()
		s.read.Close()
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return s, nil
}

// frozen reports whether a file lies on a file system that cannot be written.
func frozen(path string) bool {
	return errors.Is(unix.Access(filepath.Dir(path), unix.W_OK), unix.EROFS)
}

// readableFrozen refuses to read a frozen store of which a part is still in its WAL, which SQLite cannot read without
// writing.
func readableFrozen(path string) error {
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		return nil
	}
	return rota.Errorf(rota.ErrUnavailable, "store %s: it was not closed in order, and its file system is read-only", path).
		WithFix("let the file system be written once, or copy the folder to one that can be")
}

func openSQLite(path, pragmas string, conns int) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: abs}).EscapedPath()+"?"+pragmas)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// prepare brings the schema up to date and takes the writer's connection.
func (s *Store) prepare(ctx context.Context) error {
	if err := migrate(ctx, s.db); err != nil {
		return err
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	s.w = &writer{conn: conn, stmts: map[string]*sql.Stmt{}}
	return s.transact((*tx).identify)
}

func (s *Store) shut() error {
	var errs []error
	if s.w != nil {
		errs = append(errs, s.w.close(), s.db.Close())
	}
	return errors.Join(append(errs, s.read.Close())...)
}

// writer is the connection that writes. It keeps every statement prepared. It is used by one transaction at a time,
// and never with a context that can end: the driver would interrupt the statement, and the others with it.
type writer struct {
	lanes      map[int64]lane             // as the last transaction saw them; nil: to be read
	allowances map[string]*rota.Allowance // likewise: by queue, of those that say something
	templates  templates
	conn       *sql.Conn
	stmts      map[string]*sql.Stmt
}

// forget forgets what a transaction that is undone may have changed.
func (w *writer) forget() { w.lanes, w.allowances = nil, nil }

func (w *writer) stmt(q string) (*sql.Stmt, error) {
	if st := w.stmts[q]; st != nil {
		return st, nil
	}
	st, err := w.conn.PrepareContext(context.Background(), q)
	if err != nil {
		return nil, fmt.Errorf("%w in %s", err, q)
	}
	w.stmts[q] = st
	return st, nil
}

func (w *writer) exec(q string, args ...any) (int, error) {
	st, err := w.stmt(q)
	if err != nil {
		return 0, err
	}
	res, err := st.Exec(args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

func (w *writer) each(q string, n int, row func(i int) []any) error {
	st, err := w.stmt(q)
	if err != nil {
		return err
	}
	for i := range n {
		if _, err := st.Exec(row(i)...); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) query(scan func(*sql.Rows) error, q string, args ...any) error {
	st, err := w.stmt(q)
	if err != nil {
		return err
	}
	rows, err := st.Query(args...)
	if err != nil {
		return err
	}
	return drain(rows, scan)
}

// begin takes the write lock at once: a transaction that reads first and writes later could be refused whatever the
// timeout.
func (w *writer) begin() error { _, err := w.exec(`BEGIN IMMEDIATE`); return err }

func (w *writer) commit() error { _, err := w.exec(`COMMIT`); return err }

// mark sets a point in the transaction to which undo goes back, and which unmark forgets.
func (w *writer) mark(name string) error { _, err := w.exec(`SAVEPOINT ` + name); return err }

func (w *writer) unmark(name string) error { _, err := w.exec(`RELEASE ` + name); return err }

func (w *writer) undo(name string) error {
	w.forget()
	if _, err := w.exec(`ROLLBACK TO ` + name); err != nil {
		return err
	}
	return w.unmark(name)
}

// rollback undoes the transaction; SQLite may have done so already.
func (w *writer) rollback() {
	w.forget()
	w.exec(`ROLLBACK`)
}

func (w *writer) close() error {
	for _, st := range w.stmts {
		st.Close()
	}
	return w.conn.Close()
}

// engineKind tells what an error of the engine means. An error of syncing or writing means that nothing the store
// says can be trusted any more.
func engineKind(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return rota.ErrInternal
	}
	switch code := e.Code(); code & 0xff {
	case sqlite3.SQLITE_FULL:
		return rota.ErrFull
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_INTERRUPT:
		return rota.ErrUnavailable
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return rota.ErrDenied
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return rota.ErrBroken
	}
	return rota.ErrInternal
}
