package sqlstore

import (
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// expectation is a statement that is expected to do just what the transaction goes on with.
type expectation struct {
	q    string
	args []any
	rows int          // that it changes
	dest []any        // instead of rows: what its row is read into
	met  func() error // what is done then
}

// of tells what became of it.
func (e *expectation) of(rows int, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("%w in %s", err, e.q)
	case e.dest == nil && rows != e.rows:
		return fmt.Errorf("%d of %d rows were as expected: %w in %s", rows, e.rows, errAgain, e.q)
	case e.met != nil:
		return e.met()
	}
	return nil
}

// expect has a statement change n rows. When it changes others, nothing of the transaction is stored, and it is tried again.
func (t *tx) expect(n int, q string, args ...any) error {
	t.moved += n
	return t.w.later(expectation{q: q, args: args, rows: n})
}

// later is now: nothing is saved by waiting.
func (c *sqliteConn) later(e expectation) error {
	if e.dest != nil {
		return e.of(0, c.query(func(r *sql.Rows) error { return r.Scan(e.dest...) }, e.q, e.args...))
	}
	return e.of(c.exec(e.q, e.args...))
}

// later gathers statements until one is waited for, and sends them when they are much work: the database does it while
// whoever expected it goes on.
func (c *postgresConn) later(e expectation) error {
	c.expected = append(c.expected, e)
	work := 0
	for i := range c.expected {
		work += 1 + c.expected[i].rows
	}
	if work < muchWork {
		return nil
	}
	return c.send()
}

// muchWork is how many rows and statements are worth a message of their own.
const muchWork = 64

// send sends what is expected in one message.
func (c *postgresConn) send() error {
	if err := c.met(); err != nil {
		return err
	}
	if len(c.expected) == 0 {
		return nil
	}
	ctx, cancel := patience()
	c.sent, c.expected = c.expected, c.sent[:0]
	c.waited = cancel
	return c.raw(func(conn *pgx.Conn) error {
		var batch pgx.Batch
		for i := range c.sent {
			batch.Queue(inPostgres(c.sent[i].q), c.sent[i].args...)
		}
		c.results = conn.SendBatch(ctx, &batch)
		return nil
	})
}

// met waits for what was sent.
func (c *postgresConn) met() error {
	if c.conn == nil {
		return errAgain // it broke, and an item was answered with that
	}
	if c.results == nil {
		return nil
	}
	err := c.raw(func(*pgx.Conn) error {
		for i := range c.sent {
			e := &c.sent[i]
			var rows int
			var err error
			if e.dest != nil {
				err = c.results.QueryRow().Scan(e.dest...)
			} else {
				var tag pgconn.CommandTag
				tag, err = c.results.Exec()
				rows = int(tag.RowsAffected())
			}
			if err = e.of(rows, err); err != nil {
				return err
			}
		}
		return nil
	})
	if closed := c.unsend(); err == nil {
		err = closed
	}
	return c.failed(err)
}

// unsend lets go of what was sent.
func (c *postgresConn) unsend() error {
	if c.results == nil {
		return nil
	}
	err := c.raw(func(*pgx.Conn) error { return c.results.Close() })
	c.waited()
	c.results = nil
	return err
}

// settled sends what is expected and waits for it.
func (c *postgresConn) settled() error {
	if err := c.send(); err != nil {
		return err
	}
	return c.met()
}
