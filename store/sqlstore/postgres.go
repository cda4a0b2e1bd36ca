package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/rotaqueue/rota"
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
