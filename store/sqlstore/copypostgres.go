package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rotaqueue/rota"
)

func (e *postgres) columns() string {
	return `SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY c.relname, a.attname COLLATE "C"`
}

func (e *postgres) bytewise() string { return ` COLLATE "C"` }

// postgresLong lets a transaction take its time, whatever bounds the database has set.
const postgresLong = `SELECT set_config(name, '0', true) FROM pg_settings
	WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`

// long begins a transaction that takes its time.
func (e *postgres) long(ctx context.Context, db *sql.DB, begin string) (*sql.Conn, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	for _, q := range []string{begin, postgresLong} {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			letGo(conn)
			return nil, err
		}
	}
	return conn, nil
}

func (e *postgres) snapshot(ctx context.Context) (*sql.Conn, error) {
	return e.long(ctx, e.readers, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
}

// guards hold the tables first: who writes has ended, or finds them guarded.
func (e *postgres) guards(names []string) (lift, set []string) {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = quoted(name)
		lift = append(lift, `DROP TRIGGER IF EXISTS sealed ON `+all[i])
	}
	lift = append(lift, `DROP FUNCTION IF EXISTS sealed()`)
	lift = append([]string{`LOCK TABLE ` + strings.Join(all, ", ") + ` IN SHARE ROW EXCLUSIVE MODE`}, lift...)
	set = append(set, `CREATE FUNCTION sealed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''`+guardText+`''; END'`)
	for _, name := range all {
		set = append(set, `CREATE TRIGGER sealed BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON `+name+` FOR EACH STATEMENT EXECUTE FUNCTION sealed()`)
	}
	return lift, set
}

// postgresFunctions are those that the schema, or a seal, has made.
var postgresFunctions = []string{"glob(text, text)", "sealed()", "deed_stays()"}

// postgresTarget is a database in which a copy is made.
type postgresTarget struct {
	*postgres
	url    string
	lock   *sql.Conn // in a transaction that keeps others from copying there
	filler *sql.Conn // nil: it has been filled
	begun  bool      // what is there is ours
	whole  bool
}

func newPostgresTarget(ctx context.Context, place string, version int) (_ target, err error) {
	e, err := openPostgres(ctx, place, Options{})
	if err != nil {
		return nil, err
	}
	t := &postgresTarget{postgres: e, url: place}
	defer func() {
		if err != nil {
			err = newStore(place, e).classify(err)
			t.abandon()
		}
	}()
	if err := t.hold(ctx); err != nil {
		return nil, err
	}
	if err := t.prepare(ctx, version, t.begin); err != nil {
		return nil, err
	}
	t.filler, err = e.long(ctx, e.db, `BEGIN`)
	return t, err
}

// hold keeps others from copying there.
func (t *postgresTarget) hold(ctx context.Context) (err error) {
	if t.lock, err = t.long(ctx, t.db, `BEGIN`); err != nil {
		return err
	}
	var mine bool
	err = readingOn(t.lock)(ctx, func(r *sql.Rows) error { return r.Scan(&mine) },
		`SELECT pg_try_advisory_xact_lock(hashtext('rota'), hashtext('copy'))`)
	if err == nil && !mine {
		err = busy(placeName(t.url))
	}
	return err
}

// begin refuses a database that has a store, and removes what a copy has left that was interrupted.
func (t *postgresTarget) begin(ctx context.Context) error {
	found, err := catalogueOf(ctx, t.postgres, t.read)
	if err != nil {
		return err
	}
	if found[copyingTable] == nil && (found[schemaTable] != nil || len(found.tables()) > 0) {
		return rota.Errorf(rota.ErrConflict, "%s has a store already, and a copy needs an empty place", placeName(t.url)).
			WithFix("name another database")
	}
	t.begun = true
	if err := t.clear(ctx); err != nil {
		return err
	}
	return beginCopying(ctx, t.db)
}

// clear removes all that is there, in one transaction.
func (t *postgresTarget) clear(ctx context.Context) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	names := []string{schemaTable, copyingTable, outcomeTable}
	for _, x := range tables {
		names = append(names, x.name)
	}
	for _, name := range names {
		if _, err := tx.ExecContext(ctx, `DROP TABLE IF EXISTS `+quoted(name)); err != nil {
			return err
		}
	}
	for _, f := range postgresFunctions {
		if _, err := tx.ExecContext(ctx, `DROP FUNCTION IF EXISTS `+f); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (t *postgresTarget) place() string { return t.url }

func (t *postgresTarget) conn() *sql.Conn { return t.filler }

func (t *postgresTarget) fill(ctx context.Context, in *table, r *rows) error {
	names := make([]string, len(in.columns))
	for i, c := range in.columns {
		names[i] = c.name
	}
	return t.filler.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{in.name}, names, r)
		return err
	})
}

// keep commits what was filled in. Numbers that the database gives go on after those that are there.
func (t *postgresTarget) keep(ctx context.Context) error {
	type numbered struct{ table, column string }
	var all []numbered
	err := readingOn(t.filler)(ctx, func(r *sql.Rows) error {
		var n numbered
		err := r.Scan(&n.table, &n.column)
		all = append(all, n)
		return err
	}, `SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attidentity <> ''`)
	for _, n := range all {
		if err == nil && isTable(n.table) {
			_, err = t.filler.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence($1, $2), coalesce(max(`+quoted(n.column)+`), 0) + 1, false) FROM `+quoted(n.table),
				quoted(n.table), n.column)
		}
	}
	if err == nil {
		_, err = t.filler.ExecContext(ctx, `COMMIT`)
	}
	if err != nil {
		return err
	}
	err = t.filler.Close()
	t.filler = nil
	return err
}

// finish lets the database look at what it has, which it would do later by itself.
func (t *postgresTarget) finish(ctx context.Context) error {
	t.whole = true
	for _, x := range tables {
		_, _ = t.db.ExecContext(ctx, `ANALYZE `+quoted(x.name))
	}
	return nil
}

func (t *postgresTarget) abandon() {
	if t.filler != nil {
		letGo(t.filler)
		t.filler = nil
	}
	if t.begun && !t.whole {
		ctx, cancel := patience()
		_ = t.clear(ctx) // what stays is marked, and the next copy removes it
		cancel()
	}
	if t.lock != nil {
		letGo(t.lock)
	}
	_ = errors.Join(t.db.Close(), t.readers.Close())
}
