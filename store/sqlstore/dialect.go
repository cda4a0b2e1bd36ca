package sqlstore

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// inPostgres is a statement of this package, which is written as SQLite has it, as PostgreSQL has it. SQLite takes what
// stands in a comment that begins with "pg" for one, and PostgreSQL is told it: locks of rows, mostly. Sets go in as JSON.
func inPostgres(q string) string {
	if said, ok := saidInPostgres.Load(q); ok {
		return said.(string)
	}
	said := q
	for _, w := range postgresWords {
		said = w.from.ReplaceAllString(said, w.to)
	}
	said = numbered(said)
	saidInPostgres.Store(q, said)
	return said
}

var saidInPostgres sync.Map // the statements are few

type word struct {
	from *regexp.Regexp
	to   string
}

var postgresWords = []word{
	{regexp.MustCompile(`(?s)/\*pg (.*?)\*/`), `$1`},
	{regexp.MustCompile(` INDEXED BY \w+`), ``},
	{regexp.MustCompile(`CROSS JOIN (\w+ \w+) ON`), `JOIN $1 ON`},
	// rows that are locked as they are looked for: once, for in a join they would be looked for again with those left out
	// that the statement has changed by then
	{regexp.MustCompile(`\bIN (\(SELECT [^()]* FOR UPDATE\s*\))`), `= ANY (ARRAY $1)`},
	{regexp.MustCompile(`group_concat\(([^()]*)\)`), `string_agg($1, ',')`},
	// a set of numbers, and of texts
	{regexp.MustCompile(`\bNOT IN \(SELECT value FROM json_each\((\?\d+)\)\)`), `<> ALL (translate($1::text, '[]', '{}')::bigint[])`},
	{regexp.MustCompile(`\bIN \(SELECT value FROM json_each\((\?\d+)\)\)`), `= ANY (translate($1::text, '[]', '{}')::bigint[])`},
	{regexp.MustCompile(`\(SELECT CAST\(value AS TEXT\) FROM json_each\((\?\d+)\)\)`), `(SELECT jsonb_array_elements_text($1::jsonb))`},
	// a set of tasks with a text each: not a join, of which young statistics would have a plan that compares all with all
	{regexp.MustCompile(`(?s)f\.value(.*)FROM json_each\((\?\d+)\) f WHERE task\.id = CAST\(f\.key AS BIGINT\)`),
		`(SELECT $2::jsonb) ->> task.id::text${1}WHERE task.id = ANY (ARRAY (SELECT jsonb_object_keys($2::jsonb)::bigint))`},
	// a set of rows
	{regexp.MustCompile(`json_each\((\?\d+)\) w\b`), `jsonb_array_elements($1::jsonb) w (value)`},
	{regexp.MustCompile(`json_extract\(j\.labels, '\$\.' \|\| json_quote\((\?\d+)\)\)`), `(j.labels::jsonb ->> $1::text)`},
	{regexp.MustCompile(`\?(\d+)`), `$$$1`},
}

// places are the places of rows of values. They have no numbers: SQLite would look up each of a thousand one by one.
func places(columns, rows int) string {
	row := "(?" + strings.Repeat(",?", columns-1) + ")"
	return row + strings.Repeat(","+row, rows-1)
}

// numbered gives places their numbers.
func numbered(q string) string {
	parts := strings.Split(q, "?")
	var b strings.Builder
	b.WriteString(parts[0])
	for i, part := range parts[1:] {
		b.WriteString("$" + strconv.Itoa(i+1) + part)
	}
	return b.String()
}
