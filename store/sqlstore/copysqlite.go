package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

func (e *sqlite) columns() string {
	return `SELECT m.name, p.name, p.type FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY m.name, p.name`
}

func (e *sqlite) bytewise() string { return "" } // it is

func (e *sqlite) snapshot(ctx context.Context) (*sql.Conn, error) {
	conn, err := e.readers.Conn(ctx)
	if err != nil {
		return nil, err
	}
	for _, q := range []string{`BEGIN`, `SELECT count(*) FROM sqlite_master`} { // it begins with its first look
		if _, err := conn.ExecContext(ctx, q); err != nil {
			letGo(conn)
			return nil, err
		}
	}
	return conn, nil
}

func (e *sqlite) guards(names []string) (lift, set []string) {
	for _, name := range names {
		for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
			guard := quoted("sealed_" + name + "_" + verb)
			lift = append(lift, `DROP TRIGGER IF EXISTS `+guard)
			set = append(set, `CREATE TRIGGER `+guard+` BEFORE `+verb+` ON `+quoted(name)+` BEGIN SELECT RAISE(ABORT, '`+guardText+`'); END`)
		}
	}
	return lift, set
}

// sqliteArchive are the settings of a connection that reads a file as it is, and changes nothing about it.
const sqliteArchive = "_pragma=busy_timeout(10000)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-4096)&_pragma=query_only(1)"

// openArchive opens a file that is not a node's to be read.
func openArchive(path string) (*sqlite, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, rota.Errorf(rota.ErrNotFound, "there is no file %s", path)
	case err != nil:
		return nil, rota.Errorf(rota.ErrUnavailable, "open %s: %v", path, err)
	case !info.Mode().IsRegular():
		return nil, rota.Invalid("%s is not a file", path)
	}
	pragmas := sqliteArchive
	if frozen(path) {
		if err := readableFrozen(path); err != nil {
			return nil, err
		}
		pragmas += sqliteFrozen
	}
	e := &sqlite{path: path, now: time.Now}
	e.readers, err = openFile(path, pragmas, 1)
	return e, err
}

// sqliteFill are the settings of a connection that fills a file which counts for nothing until it is whole.
const sqliteFill = "_pragma=busy_timeout(10000)&_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=foreign_keys(0)" +
	"&_pragma=temp_store(MEMORY)&_pragma=cache_size(-65536)"

// Several rows go into a table with one statement: so many, or fewer of large ones.
const (
	fillRows  = 64
	fillBytes = 1 << 20
)

// sqliteTarget is a file in the making. It is written in a folder beside its place, with a lock in it, and put into its
// place when it is whole.
type sqliteTarget struct {
	*sqlite
	to     string // its place
	folder string
	lock   *os.File
	filler *sql.Conn // nil: it has been filled
}

func newSQLiteTarget(ctx context.Context, path string, version int) (_ target, err error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, occupied(path)
	}
	t := &sqliteTarget{to: path, folder: path + ".partial"}
	if err := t.take(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			t.abandon()
		}
	}()
	t.sqlite = &sqlite{path: t.place(), now: time.Now}
	if t.readers, err = openFile(t.path, sqliteReader, 1); err != nil {
		return nil, err
	}
	if t.db, err = openFile(t.path, sqliteFill, 1); err != nil {
		return nil, err
	}
	if err := t.prepare(ctx, version, func(ctx context.Context) error { return beginCopying(ctx, t.db) }); err != nil {
		return nil, err
	}
	if t.filler, err = t.db.Conn(ctx); err == nil {
		_, err = t.filler.ExecContext(ctx, `BEGIN IMMEDIATE`)
	}
	return t, err
}

// take makes the folder and holds it. What a copy has left there that was interrupted is removed.
func (t *sqliteTarget) take() error {
	if err := os.Mkdir(t.folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return unwritable(t.to, err)
	}
	lock, err := os.OpenFile(filepath.Join(t.folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return unwritable(t.to, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return busy(t.to)
	}
	t.lock = lock
	for _, end := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(t.place() + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			lock.Close()
			return unwritable(t.to, err)
		}
	}
	f, err := os.OpenFile(t.place(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		lock.Close()
		return unwritable(t.to, err)
	}
	return nil
}

// occupied refuses a place at which something is.
func occupied(path string) error {
	return rota.Errorf(rota.ErrConflict, "%s is there already, and is not written over", path).WithFix("name another file, or move it away")
}

func unwritable(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return rota.Errorf(rota.ErrUnavailable, "write %s: %v", path, err).WithFix("name a file in a folder that is there and that you can write")
}

func (t *sqliteTarget) place() string { return filepath.Join(t.folder, "rota.db") }

func (t *sqliteTarget) conn() *sql.Conn { return t.filler }

func (t *sqliteTarget) fill(ctx context.Context, in *table, r *rows) error {
	f := filling{conn: t.filler, into: `INSERT INTO ` + quoted(in.name) + ` (` + in.list() + `) VALUES `, columns: len(in.columns), stmts: map[int]*sql.Stmt{}}
	defer f.close()
	for r.Next() {
		if err := f.add(ctx, r.values, len(r.line)); err != nil {
			return err
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	return f.flush(ctx)
}

// filling gathers rows into statements of sizes that repeat.
type filling struct {
	conn    *sql.Conn
	into    string
	columns int
	stmts   map[int]*sql.Stmt // by rows
	args    []any
	bytes   int
}

func (f *filling) add(ctx context.Context, row []any, bytes int) error {
	f.args = append(f.args, row...)
	f.bytes += bytes
	if len(f.args) < fillRows*f.columns && f.bytes < fillBytes {
		return nil
	}
	return f.flush(ctx)
}

func (f *filling) flush(ctx context.Context) error {
	for left := f.args; len(left) > 0; {
		n := fillRows
		for n*f.columns > len(left) {
			n /= 4
		}
		st := f.stmts[n]
		if st == nil {
			var err error
			if st, err = f.conn.PrepareContext(ctx, f.into+unnumbered(f.columns, n)); err != nil {
				return err
			}
			f.stmts[n] = st
		}
		if _, err := st.ExecContext(ctx, left[:n*f.columns]...); err != nil {
			return err
		}
		left = left[n*f.columns:]
	}
	f.args, f.bytes = f.args[:0], 0
	return nil
}

// unnumbered are the places of rows of values. Numbers would be names, which the engine looks for one by one.
func unnumbered(columns, rows int) string {
	row := "(" + strings.Repeat("?,", columns-1) + "?)"
	return strings.Repeat(row+",", rows-1) + row
}

func (f *filling) close() {
	for _, st := range f.stmts {
		st.Close()
	}
}

func (t *sqliteTarget) keep(ctx context.Context) error {
	_, err := t.filler.ExecContext(ctx, `COMMIT`)
	return errors.Join(err, t.shut())
}

// shut closes what has the file open.
func (t *sqliteTarget) shut() (err error) {
	if t.filler != nil {
		err = t.filler.Close()
	}
	for _, db := range []**sql.DB{&t.db, &t.readers} {
		if *db != nil {
			err = errors.Join(err, (*db).Close())
		}
		*db = nil
	}
	t.filler = nil
	return err
}

// finish puts the file into its place, when all of it is in it and on the disk. What has come there meanwhile stays.
func (t *sqliteTarget) finish(ctx context.Context) error {
	if err := t.seclude(ctx); err != nil {
		return err
	}
	if err := syncFile(t.place()); err != nil {
		return unwritable(t.to, err)
	}
	err := os.Link(t.place(), t.to)
	if errors.Is(err, fs.ErrExist) {
		return occupied(t.to)
	}
	if err != nil { // a file system without links
		err = os.Rename(t.place(), t.to)
	}
	if err == nil {
		err = syncFile(filepath.Dir(t.to))
	}
	if err != nil {
		return unwritable(t.to, err)
	}
	return nil
}

// seclude makes the file one that can be read without writing beside it.
func (t *sqliteTarget) seclude(ctx context.Context) error {
	db, err := openFile(t.place(), "_pragma=busy_timeout(10000)&_pragma=journal_mode(DELETE)", 1)
	if err == nil {
		err = errors.Join(db.PingContext(ctx), db.Close())
	}
	return err
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// abandon removes the folder. A file that was put into its place stays there.
func (t *sqliteTarget) abandon() {
	if t.filler != nil {
		letGo(t.filler)
		t.filler = nil
	}
	_ = t.shut()
	_ = os.RemoveAll(t.folder)
	_ = t.lock.Close()
}
