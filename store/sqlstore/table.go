package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// tables are all that a store has, each with what tells its rows apart: the order in which they are copied and summed
// up. Whoever adds a table adds it here, and thinks of what a new incarnation means for it (see incarnate).
var tables = []table{
	{name: "meta", key: []string{"key"}},
	{name: "counter", key: []string{"name"}},
	{name: "queue", key: []string{"name"}},
	{name: "queue_stripe", key: []string{"queue", "state", "stripe"}},
	{name: "lane", key: []string{"id"}},
	{name: "gate", key: []string{"id"}},
	{name: "flow", key: []string{"id"}},
	{name: "turn", key: []string{"queue", "stripe"}},
	{name: "pace", key: []string{"queue"}},
	{name: "job", key: []string{"id"}},
	{name: "task", key: []string{"id"}},
	{name: "attempt", key: []string{"task", "attempt"}},
	{name: "line", key: []string{"task"}},
	{name: "input", key: []string{"job", "start"}},
	{name: "output", key: []string{"task", "attempt", "stream", "start"}},
	{name: "artifact", key: []string{"task", "attempt", "name"}},
	{name: "look", key: []string{"task", "attempt", "stream", "start"}}, // of no use in a copy: over in some seconds, and pruned there
	{name: "sample", key: []string{"task", "attempt"}},
	{name: "failure", key: []string{"task"}},
	{name: "submission_key", key: []string{"submitter", "key"}},
	{name: "dependency", key: []string{"on_job", "job", "condition"}},
	{name: "edge", key: []string{"job", "on_job", "condition"}},
	{name: "identity", key: []string{"queue", "identity"}},
	{name: "operation", key: []string{"id"}},
	{name: "node", key: []string{"name"}},
	{name: "node_sample", key: []string{"node", "at"}},
	{name: "store_sample", key: []string{"at"}},
	{name: "session", key: []string{"id"}},
	{name: "schedule", key: []string{"name"}},
	{name: "fire", key: []string{"schedule", "due"}},
	{name: "schedule_alarm", key: []string{"schedule", "kind", "since"}},
	{name: "token", key: []string{"id"}},
	{name: "outbox", key: []string{"id"}},
	{name: "secret", key: []string{"name"}},
	{name: "account", key: []string{"name"}},
	{name: "deed", key: []string{"id"}},
	{name: "blob", key: []string{"id"}},
	{name: "blob_use", key: []string{"blob", "holder"}},
	{name: "object", key: []string{"id"}},
	{name: "object_piece", key: []string{"object", "start"}},
}

// Tables of a database that are not the store's: they say what it is.
const (
	schemaTable  = "goose_db_version"
	outcomeTable = "outcome"      // of the latest transactions of those who write
	copyingTable = "rota_copying" // as long as it is there the copy is not whole, and nobody else may use it
)

// table is a table with its columns, in the order of their names: engines may have them in another.
type table struct {
	name    string
	key     []string
	columns []column
}

type column struct {
	name string
	kind kind
}

// kind is what a column holds, on every engine.
type kind byte

const (
	kindInteger kind = 'i'
	kindReal    kind = 'r'
	kindText    kind = 't'
	kindBytes   kind = 'b'
)

var kinds = map[string]kind{
	"bigint": kindInteger, "integer": kindInteger, "smallint": kindInteger, "double precision": kindReal,
	"text": kindText, "blob": kindBytes, "bytea": kindBytes,
}

// catalogue is what tables a database has, with their columns by name, as the database says.
type catalogue map[string][]column

// reading runs a statement and gives each row to scan, as an engine does, or a connection in a transaction.
type reading func(ctx context.Context, scan func(*sql.Rows) error, q string, args ...any) error

func readingOn(conn *sql.Conn) reading {
	return func(ctx context.Context, scan func(*sql.Rows) error, q string, args ...any) error {
		rows, err := conn.QueryContext(ctx, q, args...)
		if err != nil {
			return err
		}
		return drain(rows, scan)
	}
}

// catalogueOf reads the catalogue. A column of a kind that is not known is an error: it could not be copied.
func catalogueOf(ctx context.Context, e engine, read reading) (catalogue, error) {
	found := catalogue{}
	return found, read(ctx, func(r *sql.Rows) error {
		var in, name, declared string
		if err := r.Scan(&in, &name, &declared); err != nil {
			return err
		}
		c := column{name, kinds[strings.ToLower(declared)]}
		if c.kind == 0 && isTable(in) {
			return rota.Errorf(rota.ErrUnsupported, "column %s of table %s: it is of the type %s, which cannot be copied", name, in, declared)
		}
		found[in] = append(found[in], c)
		return nil
	}, e.columns())
}

func isTable(name string) bool {
	return slices.ContainsFunc(tables, func(t table) bool { return t.name == name })
}

// tables are the store's tables that are in the catalogue, with their columns.
func (c catalogue) tables() (out []table) {
	for _, t := range tables {
		if t.columns = c[t.name]; t.columns != nil {
			out = append(out, t)
		}
	}
	return out
}

// sameTables refuses to copy into tables that are not those of the source.
func sameTables(from, to catalogue) error {
	for _, t := range tables {
		for _, c := range from[t.name] {
			if !slices.Contains(to[t.name], c) {
				return rota.Errorf(rota.ErrUnsupported, "the source has a column %s of table %s, which this rota %s does not know", c.name, t.name, rota.Version).
					WithFix("use the release that wrote the store")
			}
		}
		if len(from[t.name]) != len(to[t.name]) {
			return rota.Errorf(rota.ErrUnsupported, "table %s of the source lacks columns that it should have", t.name).
				WithFix("rota up brings a store up to date, if it is a whole one")
		}
	}
	return nil
}

// list are the names of the columns, for a statement.
func (t *table) list() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = quoted(c.name)
	}
	return strings.Join(names, ", ")
}

func quoted(name string) string { return `"` + name + `"` }

// query asks for all rows in the order of their keys: texts by their bytes.
func (t *table) query(e engine) string {
	order := make([]string, len(t.key))
	for i, name := range t.key {
		order[i] = quoted(name)
		if slices.Contains(t.columns, column{name, kindText}) {
			order[i] += e.bytewise()
		}
	}
	return fmt.Sprintf(`SELECT %s FROM %s ORDER BY %s`, t.list(), quoted(t.name), strings.Join(order, ", "))
}
