package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
)

// postgresConn is a connection that writes. When it breaks it is made anew with the next transaction.
type postgresConn struct {
	e    *postgres
	conn *sql.Conn
	id   string // that nobody else has
	nth  int64  // of the marked transactions
	mark bool   // this one is
	at   int64  // when it began; it is one write

	expected []expectation // not sent yet
	sent     []expectation // whose results are not read yet, if there are any
	results  pgx.BatchResults
	waited   func() // ends the time that they have
}

// postgresPinned are the settings of transactions that write. Plans are pinned: a queue's tables change their size by the
// minute, and a plan that reads a table as a whole because its statistics are young costs a hundred times what it should.
// What a client that has frozen holds is given back after a second.
var postgresPinned = []string{"enable_seqscan", "off", "enable_bitmapscan", "off", "enable_hashjoin", "off",
	"enable_mergejoin", "off", "enable_material", "off", "enable_sort", "off", "jit", "off",
	"max_parallel_workers_per_gather", "0", "plan_cache_mode", "force_generic_plan",
	"idle_in_transaction_session_timeout", "1000", "statement_timeout", "9000", "lock_timeout", "5000"}

// postgresSettings makes the settings: for the rest of a transaction, or for good. A SET for each would be a statement for each.
func postgresSettings(local bool) string {
	var set []string
	for pair := range slices.Chunk(postgresPinned, 2) {
		set = append(set, fmt.Sprintf("set_config('%s', '%s', %t)", pair[0], pair[1], local))
	}
	return "SELECT " + strings.Join(set, ", ")
}

// postgresAsk asks for what a transaction goes by, in the last row of what begins it.
const postgresAsk = `SELECT ` + postgresClock + `, (SELECT value FROM counter WHERE name = 'shape'), pg_backend_pid() % 32,
` + postgresDurable

// postgresDurable has the transaction's commit wait for the disk at least, whatever the server's default is.
const postgresDurable = `set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on' ELSE
current_setting('synchronous_commit') END, true)`

// postgresMark leaves the transaction's number in a row of the connection's own: what is there says what became of it when
// the answer to its commit was lost. (The numbers that PostgreSQL gives transactions cannot: after a crash or a failover one
// that never reached the disk may be another's.)
const postgresMark = `INSERT INTO outcome (writer, nth, at) VALUES ($1, $2, ` + postgresClock + `)
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
	c.expected = c.expected[:0]
	ctx, cancel := patience()
	defer cancel()
	if c.conn == nil {
		if err := c.connect(ctx); err != nil {
			return b, err
		}
	}
	err = c.raw(func(conn *pgx.Conn) error {
		var first pgx.Batch // one message
		first.Queue("BEGIN")
		if c.e.pooled { // it may be another connection each time
			first.Queue(postgresSettings(true))
		}
		first.Queue(postgresAsk).QueryRow(func(row pgx.Row) error { return row.Scan(&b.now, &b.shape, &b.stripe, nil) })
		if c.mark {
			first.Queue(postgresMark, c.id, c.nth)
		}
		return conn.SendBatch(ctx, &first).Close()
	})
	if err != nil {
		c.drop()
	} else if c.e.now != nil {
		b.now = c.e.now().UnixMicro()
	}
	c.at = b.now
	return b, err
}

// connect takes a connection for good, with the settings of its transactions. (They are made before any begins: what a
// transaction sets goes with it if it is undone.)
func (c *postgresConn) connect(ctx context.Context) (err error) {
	if c.conn, err = c.e.db.Conn(ctx); err != nil {
		c.conn = nil
		return err
	}
	if c.e.pooled {
		return nil
	}
	err = c.raw(func(conn *pgx.Conn) error { return conn.PgConn().Exec(ctx, postgresSettings(false)).Close() })
	if err != nil {
		c.drop()
	}
	return err
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
		if c.results != nil {
			c.waited()
			c.results = nil
		}
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
	if err := c.settled(); err != nil {
		return err
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
	_ = c.unsend() // it is undone
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
	if err := c.settled(); err != nil {
		return 0, err
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
	}
	if err := c.settled(); err != nil {
		return err
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
	if err := c.settled(); err != nil {
		return err
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
