package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/rotaqueue/rota"
)

// copied is what copying asks of an engine.
type copied interface {
	// columns is the statement that tells the columns of all tables: of which table, name and type, in the order of their
	// names.
	columns() string
	// bytewise makes the order of a text that of its bytes.
	bytewise() string
	// snapshot is a connection on which the store stays as it is now, whoever writes, until it is let go.
	snapshot(ctx context.Context) (*sql.Conn, error)
	// guards are the statements that keep everybody from writing tables, and those that lift that. Setting them, a
	// transaction waits for those that write.
	guards(names []string) (lift, set []string)
}

// target is a place in which a copy is made. It had nothing, and nobody can use what is there before it is finished.
type target interface {
	engine
	// place is what Open takes, until it is finished.
	place() string
	// conn is in the transaction in which the tables are filled.
	conn() *sql.Conn
	// fill puts rows into a table.
	fill(ctx context.Context, t *table, r *rows) error
	// keep commits what was filled in.
	keep(ctx context.Context) error
	// finish makes a copy usable that nobody has open.
	finish(ctx context.Context) error
	// abandon leaves nothing behind, unless the copy is finished.
	abandon()
}

// newTarget takes an empty place for a copy of that version of the schema.
func newTarget(ctx context.Context, place string, version int) (target, error) {
	if isPostgres(place) {
		return newPostgresTarget(ctx, place, version)
	}
	return newSQLiteTarget(ctx, place, version)
}

// busy refuses a place in which another copy is made.
func busy(place string) error {
	return rota.Errorf(rota.ErrConflict, "%s: another process copies to it", place).WithFix("let that end, or stop it")
}

// beginCopying marks what is going to be there as not whole.
func beginCopying(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `CREATE TABLE `+copyingTable+` (place TEXT NOT NULL)`)
	return err
}

// notWhole refuses a copy that is not finished.
func (s *Store) notWhole() error {
	return rota.Errorf(rota.ErrUnavailable, "store %s is a copy that is not whole", s.place).
		WithFix("let the copying end; if it was interrupted, begin it again")
}

// endCopying makes the copy a store like any other.
func (s *Store) endCopying(ctx context.Context) error {
	return s.write(ctx, "end of the copy", func(t *tx) error {
		_, err := t.exec(`DROP TABLE ` + copyingTable)
		return err
	})
}

// letGo ends a transaction that was only read, or is not wanted.
func letGo(conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, _ = conn.ExecContext(ctx, "ROLLBACK")
	_ = conn.Close()
}
