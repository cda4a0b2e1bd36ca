package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"strings"

	"github.com/rotaqueue/rota"
)

// rows are a table's rows on their way, in the order of their keys: as values of the columns' kinds, the same whatever
// the engine, and with the sum of those that have passed.
type rows struct {
	table  *table
	cursor *sql.Rows
	values []any
	dest   []any
	line   []byte // the row as it is summed up
	n      int64
	sum    hash.Hash
	passed func() // told of each row; may be nil
	err    error

	plain    bool      // texts become such as PostgreSQL can store
	replaced int       // those that were not
	fit      hash.Hash // the sum with them replaced
}

func rowsOf(ctx context.Context, e engine, conn *sql.Conn, t *table) (*rows, error) {
	cursor, err := conn.QueryContext(ctx, t.query(e))
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", t.name, err)
	}
	r := &rows{table: t, cursor: cursor, values: make([]any, len(t.columns)), dest: make([]any, len(t.columns)), sum: sha256.New(), fit: sha256.New()}
	for i := range r.dest {
		r.dest[i] = &r.values[i]
	}
	r.line = fmt.Appendf(nil, "%s %s\n", t.name, t.list())
	r.sum.Write(r.line)
	r.fit.Write(r.line)
	return r, nil
}

// Next goes on to the next row, and reports whether there is one.
func (r *rows) Next() bool {
	if r.err != nil || !r.cursor.Next() {
		return false
	}
	if r.err = r.cursor.Scan(r.dest...); r.err != nil {
		return false
	}
	for i, c := range r.table.columns {
		if r.values[i], r.err = valueOf(c, r.values[i]); r.err != nil {
			return false
		}
	}
	r.add(r.sum)
	if r.plain {
		r.replace()
		r.add(r.fit)
	}
	if r.n++; r.passed != nil {
		r.passed()
	}
	return true
}

// Values are those of the row, which hold until the next.
func (r *rows) Values() ([]any, error) { return r.values, nil }

func (r *rows) Err() error {
	if r.err == nil {
		r.err = r.cursor.Err()
	}
	if r.err != nil {
		return fmt.Errorf("table %s, row %d: %w", r.table.name, r.n+1, r.err)
	}
	return nil
}

func (r *rows) close() { r.cursor.Close() }

// was is the sum of all rows as they were read, when there are no more.
func (r *rows) was() rota.TableSum { return r.total(r.sum) }

// is is that of the rows as they went on.
func (r *rows) is() rota.TableSum {
	if r.plain {
		return r.total(r.fit)
	}
	return r.total(r.sum)
}

func (r *rows) total(sum hash.Hash) rota.TableSum {
	return rota.TableSum{Table: r.table.name, Rows: r.n, Sum: hex.EncodeToString(sum.Sum(nil))}
}

// valueOf is a value as its column's kind has it. SQLite keeps values of any kind in any column.
func valueOf(c column, v any) (any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case int64:
		switch c.kind {
		case kindInteger:
			return x, nil
		case kindReal:
			return float64(x), nil
		}
	case float64:
		if c.kind == kindReal {
			return x, nil
		}
	case string:
		switch c.kind {
		case kindText:
			return x, nil
		case kindBytes:
			return []byte(x), nil
		}
	case []byte:
		switch {
		case c.kind == kindText:
			return string(x), nil
		case c.kind == kindBytes && x == nil:
			return []byte{}, nil // nil would be stored as NULL
		case c.kind == kindBytes:
			return x, nil
		}
	}
	return nil, rota.Errorf(rota.ErrInternal, "column %s has a value of the type %T", c.name, v)
}

// replace takes out of the row's texts what PostgreSQL refuses to store.
func (r *rows) replace() {
	for i, v := range r.values {
		s, ok := v.(string)
		if !ok {
			continue
		}
		if fit := strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD"); fit != s {
			r.values[i] = fit
			r.replaced++
		}
	}
}

// add writes the row so that no two rows are written alike.
func (r *rows) add(sum hash.Hash) {
	b := r.line[:0]
	for _, v := range r.values {
		switch x := v.(type) {
		case nil:
			b = append(b, 0)
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, byte(kindInteger)), uint64(x))
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, byte(kindReal)), math.Float64bits(x))
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, byte(kindText)), uint64(len(x))), x...)
		case []byte:
			b = append(binary.BigEndian.AppendUint64(append(b, byte(kindBytes)), uint64(len(x))), x...)
		}
	}
	r.line = b
	sum.Write(b)
}
