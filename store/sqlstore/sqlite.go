package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
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

// sqlite is the embedded engine: one file, one connection that writes, four readers beside it.
type sqlite struct {
	path    string
	db      *sql.DB // the writer's one connection; nil: the store is only read
	readers *sql.DB
	now     func() time.Time

	mu      sync.Mutex
	queries map[string]*sql.Stmt // of readers, the first maxQueries that were asked
}

// maxQueries bounds the queries that are kept prepared: those of listings have many forms.
const maxQueries = 100

// openSQLite opens the file at path. The caller holds the lock of the data folder: one process writes (P26).
func openSQLite(path string, o Options) (*sqlite, error) {
	e := &sqlite{path: path, now: o.Now}
	if e.now == nil {
		e.now = time.Now
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
	if e.readers, err = openFile(path, pragmas, sqliteReaders); err != nil || o.ReadOnly {
		return e, err
	}
	if e.db, err = openFile(path, sqliteWriter, 1); err != nil {
		e.readers.Close()
	}
	return e, err
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

func openFile(path, pragmas string, conns int) (*sql.DB, error) {
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

func (e *sqlite) name() string { return "sqlite" }

func (e *sqlite) shared() bool { return false }

func (e *sqlite) writers() int { return 1 }

func (e *sqlite) together() int { return 16 }

func (e *sqlite) clock() string { return strconv.FormatInt(e.now().UnixMicro(), 10) }

func (e *sqlite) prepare(ctx context.Context, version int, first func(context.Context) error) error {
	if err := first(ctx); err != nil {
		return err
	}
	return migrate(ctx, e, e.db, goose.DialectSQLite3, version)
}

func (e *sqlite) schema(ctx context.Context) (version, least int, err error) {
	return schemaOf(ctx, e, `SELECT count(*) FROM sqlite_master WHERE name IN ('goose_db_version', 'meta')`)
}

func (e *sqlite) connect(ctx context.Context) (connection, error) {
	conn, err := e.db.Conn(ctx)
	return &sqliteConn{conn: conn, now: e.now, stmts: map[string]*sql.Stmt{}}, err
}

func (e *sqlite) read(ctx context.Context, scan func(*sql.Rows) error, q string, args ...any) error {
	st, err := e.query(ctx, q)
	if err != nil {
		return err
	}
	var rows *sql.Rows
	if st != nil {
		rows, err = st.QueryContext(ctx, args...)
	} else {
		rows, err = e.readers.QueryContext(ctx, q, args...)
	}
	if err != nil {
		return err
	}
	return drain(rows, scan)
}

// query is a query that is kept prepared, or nil when too many are.
func (e *sqlite) query(ctx context.Context, q string) (*sql.Stmt, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if st := e.queries[q]; st != nil || len(e.queries) >= maxQueries {
		return st, nil
	}
	st, err := e.readers.PrepareContext(ctx, q)
	if err == nil {
		if e.queries == nil {
			e.queries = map[string]*sql.Stmt{}
		}
		e.queries[q] = st
	}
	return st, err
}

// bytes is the size of what is stored, free pages not counted.
func (e *sqlite) bytes(ctx context.Context) (n int64, err error) {
	err = e.read(ctx, func(r *sql.Rows) error { return r.Scan(&n) },
		`SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size`)
	return n, err
}

func (e *sqlite) close() error {
	var err error
	if e.db != nil {
		err = e.db.Close()
	}
	e.mu.Lock() // somebody may be reading still
	defer e.mu.Unlock()
	for _, st := range e.queries {
		st.Close()
	}
	return errors.Join(err, e.readers.Close())
}

// sqliteConn is the connection that writes. It keeps every statement prepared.
type sqliteConn struct {
	conn  *sql.Conn
	now   func() time.Time
	stmts map[string]*sql.Stmt
}

func (c *sqliteConn) stmt(q string) (*sql.Stmt, error) {
	if st := c.stmts[q]; st != nil {
		return st, nil
	}
	st, err := c.conn.PrepareContext(context.Background(), q)
	if err != nil {
		return nil, fmt.Errorf("%w in %s", err, q)
	}
	c.stmts[q] = st
	return st, nil
}

func (c *sqliteConn) exec(q string, args ...any) (int, error) {
	st, err := c.stmt(q)
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

func (c *sqliteConn) each(q string, n int, row func(i int) []any) error {
	st, err := c.stmt(q)
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

func (c *sqliteConn) query(scan func(*sql.Rows) error, q string, args ...any) error {
	st, err := c.stmt(q)
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
func (c *sqliteConn) begin(bool) (beginning, error) {
	_, err := c.exec(`BEGIN IMMEDIATE`)
	return beginning{now: c.now().UnixMicro()}, err
}

func (c *sqliteConn) moment() int64 { return c.now().UnixMicro() }

func (c *sqliteConn) commit() error {
	at.Point("store: before commit")
	_, err := c.exec(`COMMIT`)
	at.Point("store: after commit")
	return err
}

// rollback undoes the transaction; SQLite may have done so already.
func (c *sqliteConn) rollback() { c.exec(`ROLLBACK`) }

func (c *sqliteConn) number(counter string, n int) (last int64, err error) {
	err = c.query(func(r *sql.Rows) error { return r.Scan(&last) },
		`UPDATE counter SET value = value + ?1 WHERE name = ?2 RETURNING value`, n, counter)
	return last, err
}

func (c *sqliteConn) close() error {
	for _, st := range c.stmts {
		st.Close()
	}
	return c.conn.Close()
}

// kind tells what an error means. An error of syncing or writing means that nothing the store
// says can be trusted any more.
func (e *sqlite) kind(err error) error {
	var known *driver.Error
	if !errors.As(err, &known) {
		return rota.ErrInternal
	}
	switch code := known.Code(); code & 0xff {
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
