package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
)

const (
	postgresWriters = 4
	postgresReaders = 8
	postgresOldest  = 130000 // server_version_num: 13 has pg_current_xact_id

	// No statement of ours takes this long: one that does is on a connection that has died without a word.
	postgresPatience = 10 * time.Second
	// How long a server that cannot be reached, because it restarts or another is promoted, is tried again by a write.
	postgresOutage = 2 * time.Second
	// How long the size of the database is not asked for again.
	sizeFor = 2 * time.Second
)

// isPostgres reports whether a place is a PostgreSQL database, as its URL.
func isPostgres(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// postgres is the engine of many machines: every node has connections of its own, and all write at once. Nothing it does
// needs a session: whatever is set is set for a transaction, so that it works through poolers.
type postgres struct {
	db      *sql.DB // connections that write
	readers *sql.DB
	now     func() time.Time // nil: the server's clock
	conf    *pgx.ConnConfig
	pooled  bool // a pooler stands before the server
	notices *notices
	size    atomic.Int64 // of the database, as it was
	sized   atomic.Int64 // then, in ms
}

func openPostgres(ctx context.Context, place string, o Options) (*postgres, error) {
	conf, err := pgx.ParseConfig(place)
	if err != nil {
		return nil, rota.Invalid("store: not a URL of a PostgreSQL database").WithFix("postgres://USER@HOST:5432/DATABASE, with the password in PGPASSFILE or PGPASSWORD")
	}
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = 5 * time.Second
	}
	if conf.RuntimeParams["application_name"] == "" {
		conf.RuntimeParams["application_name"] = "rota"
	}
	pooled, err := fitConnection(ctx, conf)
	if err != nil {
		return nil, err
	}
	e := &postgres{now: o.Now, conf: conf, pooled: pooled, notices: newNotices(), db: openDB(conf), readers: openDB(conf)}
	e.db.SetMaxOpenConns(postgresWriters + 2) // and one each for numbers and for migrations
	e.db.SetMaxIdleConns(postgresWriters + 2)
	e.readers.SetMaxOpenConns(postgresReaders)
	e.readers.SetMaxIdleConns(2)
	e.readers.SetConnMaxIdleTime(time.Minute)
	return e, nil
}

// openDB opens a pool. Its connections are not asked whether they live before each use: one that does not says so itself.
func openDB(conf *pgx.ConnConfig) *sql.DB {
	return stdlib.OpenDB(*conf, stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
}

// fitConnection looks at the server, and fits the configuration to what stands before it: through a pooler, statements
// cannot stay prepared from one transaction to the next. A pooler is known by the number of the process that it names,
// which is not that of the process that answers.
func fitConnection(ctx context.Context, conf *pgx.ConnConfig) (pooled bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, postgresPatience)
	defer cancel()
	first := conf.Copy()
	first.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, first)
	if err != nil {
		return false, unreachable(err)
	}
	defer conn.Close(ctx)
	var pid uint32
	var version int
	err = conn.QueryRow(ctx, `SELECT pg_backend_pid(), current_setting('server_version_num')::int`).Scan(&pid, &version)
	switch {
	case err != nil:
		return false, unreachable(err)
	case version < postgresOldest:
		return false, rota.Errorf(rota.ErrUnsupported, "store: the server is PostgreSQL %d, and this needs 13 or later", version/10000)
	case pid == conn.PgConn().PID():
		if conf.RuntimeParams["jit"] == "" {
			conf.RuntimeParams["jit"] = "off" // it takes a second to compile what takes milliseconds; poolers refuse to pass it on
		}
		return false, nil
	case conf.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement:
		conf.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return true, nil
}

// unreachable says why there is no connection, without what the URL has of secrets.
func unreachable(err error) error {
	kind, fix := (*postgres)(nil).kind(err), ""
	var said *pgconn.PgError
	switch {
	case errors.As(err, &said) && said.Code == "3D000":
		return rota.Errorf(rota.ErrNotFound, "store: %s", said.Message).WithFix("createdb, or name another database in the URL")
	case errors.As(err, &said) && strings.HasPrefix(said.Code, "28"):
		return rota.Errorf(rota.ErrDenied, "store: %s", said.Message).WithFix("give user and password: PGPASSFILE, PGPASSWORD, or in the URL")
	case errors.As(err, &said):
		return rota.Errorf(kind, "store: %s", said.Message)
	}
	if kind == rota.ErrUnavailable {
		fix = "start PostgreSQL, or name another host in the URL"
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = errors.Unwrap(connect)
	}
	return rota.Errorf(kind, "store: PostgreSQL cannot be reached: %v", err).WithFix("%s", fix)
}

// placeOf is a URL for people: without its password.
func placeName(place string) string {
	if !isPostgres(place) {
		return place
	}
	u, err := url.Parse(place)
	if err != nil {
		return "postgres"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func (e *postgres) name() string { return "postgres" }

func (e *postgres) shared() bool { return true }

func (e *postgres) together() int { return 1 }

func (e *postgres) writers() int { return postgresWriters }

func (e *postgres) clock() string {
	if e.now != nil {
		return strconv.FormatInt(e.now().UnixMicro(), 10)
	}
	return postgresClock
}

const postgresClock = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`

func (e *postgres) schema(ctx context.Context) (version, least int, err error) {
	return schemaOf(ctx, e, `SELECT count(*) FROM (VALUES (to_regclass('goose_db_version')), (to_regclass('meta'))) t (name) WHERE name IS NOT NULL`)
}

// prepare migrates, one node at a time: the others wait for the lock, and find it done.
func (e *postgres) prepare(ctx context.Context, version int, first func(context.Context) error) error {
	lock, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer lock.Rollback()
	if _, err := lock.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('rota ' || current_schema()), hashtext('migrate'))`); err != nil {
		return err
	}
	if err := first(ctx); err != nil {
		return err
	}
	return migrate(ctx, e, e.db, goose.DialectPostgres, version)
}

// read runs a read. One that fails before its first row, on a connection that had died meanwhile, is run again: all that
// were kept may have died together.
func (e *postgres) read(ctx context.Context, scan func(*sql.Rows) error, q string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, postgresPatience)
	defer cancel()
	seen := false
	var err error
	for range 4 {
		var rows *sql.Rows
		if rows, err = e.readers.QueryContext(ctx, inPostgres(q), args...); err == nil {
			err = drain(rows, func(r *sql.Rows) error { seen = true; return scan(r) })
		}
		if err == nil || seen || ctx.Err() != nil || !broken(err) {
			break
		}
	}
	return err
}

// bytes asks now and then only: the server looks at every file of the database.
func (e *postgres) bytes(ctx context.Context) (n int64, err error) {
	if n, told := e.size.Load(), time.Now().UnixMilli(); told-e.sized.Load() < sizeFor.Milliseconds() {
		return n, nil
	}
	err = e.read(ctx, func(r *sql.Rows) error { return r.Scan(&n) }, `SELECT pg_database_size(current_database())`)
	if err == nil {
		e.size.Store(n)
		e.sized.Store(time.Now().UnixMilli())
	}
	return n, err
}

func (e *postgres) close() error { return errors.Join(e.db.Close(), e.readers.Close()) }

// kind tells what an error means. The database's own troubles are for its keepers: the node goes on, and asks again.
func (e *postgres) kind(err error) error {
	var said *pgconn.PgError
	switch {
	case errors.Is(err, errAgain), broken(err):
		return rota.ErrUnavailable
	case !errors.As(err, &said):
		return rota.ErrInternal
	}
	switch said.Code {
	case "53100":
		return rota.ErrFull
	case "42501":
		return rota.ErrDenied
	case "53200", "53300", "58030", "57014":
		return rota.ErrUnavailable
	}
	return rota.ErrInternal
}

// broken reports whether an error says that the connection, or the server behind it, is not to be used any more.
func broken(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code {
		case "25006", "25P03", "57P01", "57P02", "57P03", "57P05": // read-only: no longer the primary; idle too long; being shut down
			return true
		}
		return strings.HasPrefix(said.Code, "08")
	}
	var netErr net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &netErr) || errors.As(err, &connect) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, sql.ErrConnDone) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "bad connection")
}

// again reports whether an error says that nothing of a transaction is stored and that it is worth another try: others
// were in its way.
func again(err error) bool {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return errors.Is(err, errAgain)
	}
	switch said.Code {
	case "40001", "40P01", "55P03":
		return true
	}
	return false
}

func (e *postgres) connect(context.Context) (connection, error) {
	return &postgresConn{e: e, id: rand.Text()}, nil
}

// postgresConn is a connection that writes. When it breaks it is made anew with the next transaction.
type postgresConn struct {
	e    *postgres
	conn *sql.Conn
	id   string // that nobody else has
	nth  int64  // of the marked transactions
	mark bool   // this one is
	at   int64  // when it began; it is one write
}

// postgresBegin begins a transaction in one message. Plans are pinned: a queue's tables change their size by the minute,
// and a plan that reads a table as a whole because its statistics are young costs a hundred times what it should. What a
// client that has frozen holds is given back after a second.
var postgresBegin = "BEGIN; SELECT " + postgresLocal("enable_seqscan", "off", "enable_bitmapscan", "off", "enable_hashjoin", "off",
	"enable_mergejoin", "off", "enable_material", "off", "enable_sort", "off", "jit", "off",
	"max_parallel_workers_per_gather", "0", "plan_cache_mode", "force_generic_plan",
	"idle_in_transaction_session_timeout", "1000", "statement_timeout", "9000", "lock_timeout", "5000") + `;
SELECT ` + postgresClock + `, (SELECT value FROM counter WHERE name = 'shape'), pg_backend_pid() % 32,
` + postgresDurable

// postgresLocal sets settings for the rest of a transaction, given as names and values. A SET for each would be a
// statement for each.
func postgresLocal(settings ...string) string {
	var set []string
	for pair := range slices.Chunk(settings, 2) {
		set = append(set, "set_config('"+pair[0]+"', '"+pair[1]+"', true)")
	}
	return strings.Join(set, ", ")
}

// postgresDurable has the transaction's commit wait for the disk at least, whatever the server's default is.
const postgresDurable = `set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on' ELSE
current_setting('synchronous_commit') END, true)`

// postgresAnswer is the place of the last SELECT among the statements of postgresBegin.
const postgresAnswer = 2

// postgresMark leaves the transaction's number in a row of the connection's own: what is there says what became of it when
// the answer to its commit was lost. (The numbers that PostgreSQL gives transactions cannot: after a crash or a failover one
// that never reached the disk may be another's.)
const postgresMark = `; INSERT INTO outcome (writer, nth, at) VALUES ('%[1]s', %[2]d, ` + postgresClock + `)
ON CONFLICT (writer) DO UPDATE SET nth = excluded.nth, at = excluded.at`

func (c *postgresConn) begin(marked bool) (b beginning, err error) {
	if c.mark = marked; marked {
		c.nth++
	}
	for until := time.Now().Add(postgresOutage); ; time.Sleep(50 * time.Millisecond) {
		if b, err = c.beginOnce(); err == nil || !broken(err) || time.Now().After(until) {
			return b, err
		}
	}
}

func (c *postgresConn) beginOnce() (b beginning, err error) {
	ctx, cancel := patience()
	defer cancel()
	if c.conn == nil {
		if c.conn, err = c.e.db.Conn(ctx); err != nil {
			c.conn = nil
			return b, err
		}
	}
	err = c.raw(func(conn *pgx.Conn) error {
		text := postgresBegin
		if c.mark {
			text += fmt.Sprintf(postgresMark, c.id, c.nth)
		}
		results, err := conn.PgConn().Exec(ctx, text).ReadAll()
		if err != nil {
			return err
		}
		row := results[postgresAnswer].Rows[0]
		_, err = fmt.Sscan(string(row[0])+" "+string(row[1])+" "+string(row[2]), &b.now, &b.shape, &b.stripe)
		return err
	})
	if err != nil {
		c.drop()
	} else if c.e.now != nil {
		b.now = c.e.now().UnixMicro()
	}
	c.at = b.now
	return b, err
}

func (c *postgresConn) moment() int64 { return c.at }

func patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), postgresPatience)
}

func (c *postgresConn) raw(do func(*pgx.Conn) error) error {
	return c.conn.Raw(func(driver any) error { return do(driver.(*stdlib.Conn).Conn()) })
}

// drop gives the connection up.
func (c *postgresConn) drop() {
	if c.conn != nil {
		c.raw(func(conn *pgx.Conn) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			return conn.PgConn().Close(ctx)
		})
		c.conn.Close()
		c.conn = nil
	}
}

// commit makes the transaction durable. When the answer is lost, the server is asked what became of it: neither is what
// was stored told as failed, nor stored twice by another try.
func (c *postgresConn) commit() error {
	if c.conn == nil {
		return errAgain // it broke, and an item was answered with that
	}
	ctx, cancel := patience()
	defer cancel()
	at.Point("store: before commit")
	var tag pgconn.CommandTag
	err := c.raw(func(conn *pgx.Conn) error {
		results, err := conn.PgConn().Exec(ctx, "COMMIT").ReadAll()
		if err == nil {
			tag = results[0].CommandTag
		}
		return err
	})
	at.Point("store: after commit")
	switch {
	case err == nil && tag.String() == "COMMIT":
		return nil
	case err == nil:
		return errAgain // it had failed before
	case again(err):
		return errors.Join(errAgain, err)
	}
	c.drop()
	switch {
	case !broken(err):
		return err
	case !c.mark:
		return errors.Join(errAgain, err)
	}
	return c.outcome(err)
}

// outcome asks for the outcome of a marked transaction whose commit was not answered. It waits for whoever still holds the
// mark: the server may not know yet that we are gone. The question is a transaction that changes something, so that its
// own commit waits for a standby that is to have all before it is acknowledged.
func (c *postgresConn) outcome(lost error) error {
	for until := time.Now().Add(postgresPatience); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		ctx, cancel := patience()
		var nth int64
		err := c.e.db.QueryRowContext(ctx, `UPDATE outcome SET at = outcome.at FROM (SELECT `+postgresDurable+`) durable
			WHERE writer = $1 RETURNING nth`, c.id).Scan(&nth)
		cancel()
		switch {
		case err == nil && nth == c.nth:
			return nil
		case err == nil, errors.Is(err, sql.ErrNoRows):
			return errors.Join(errAgain, lost)
		case !broken(err) && !again(err):
			return errors.Join(lost, err)
		}
	}
	return rota.Errorf(rota.ErrUnavailable, "the database did not answer; whether this was stored is not known: %v", lost)
}

func (c *postgresConn) rollback() {
	if c.conn == nil {
		return
	}
	ctx, cancel := patience()
	defer cancel()
	if _, err := c.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		c.drop()
	}
}

// failed gives the connection up if it is broken, and says so when the transaction is worth another try.
func (c *postgresConn) failed(err error) error {
	switch {
	case err == nil:
		return nil
	case again(err):
		return errors.Join(errAgain, err)
	case broken(err): // before its commit: nothing of it is stored
		c.drop()
		return errors.Join(errAgain, err)
	}
	return err
}

func (c *postgresConn) exec(q string, args ...any) (int, error) {
	if c.conn == nil {
		return 0, errAgain
	}
	ctx, cancel := patience()
	defer cancel()
	res, err := c.conn.ExecContext(ctx, inPostgres(q), args...)
	if err != nil {
		return 0, c.failed(fmt.Errorf("%w in %s", err, q))
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// each sends all rows in one message.
func (c *postgresConn) each(q string, n int, row func(i int) []any) error {
	switch {
	case n == 0:
		return nil
	case n == 1:
		_, err := c.exec(q, row(0)...)
		return err
	case c.conn == nil:
		return errAgain
	}
	ctx, cancel := patience()
	defer cancel()
	return c.failed(c.raw(func(conn *pgx.Conn) error {
		var batch pgx.Batch
		for i := range n {
			batch.Queue(inPostgres(q), row(i)...)
		}
		return conn.SendBatch(ctx, &batch).Close()
	}))
}

func (c *postgresConn) query(scan func(*sql.Rows) error, q string, args ...any) error {
	if c.conn == nil {
		return errAgain
	}
	ctx, cancel := patience()
	defer cancel()
	rows, err := c.conn.QueryContext(ctx, inPostgres(q), args...)
	if err == nil {
		err = drain(rows, scan)
	}
	if err != nil {
		err = fmt.Errorf("%w in %s", err, q)
	}
	return c.failed(err)
}

// number takes numbers outside the transaction: those who submit at once do not wait for each other, and a number whose
// transaction is undone is never used. It need not be waited for until it is on the disk: whatever uses it comes later
// in the log.
func (c *postgresConn) number(counter string, n int) (last int64, err error) {
	ctx, cancel := patience()
	defer cancel()
	err = c.e.db.QueryRowContext(ctx, `UPDATE counter SET value = value + $1 FROM (SELECT set_config('synchronous_commit', 'off', true)) quickly
		WHERE name = $2 RETURNING value`, n, counter).Scan(&last)
	if err != nil && broken(err) {
		err = errors.Join(errAgain, err)
	}
	return last, err
}

func (c *postgresConn) close() error {
	if c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	c.conn = nil
	return err
}
