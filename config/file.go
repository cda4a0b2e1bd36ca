package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/BurntSushi/toml"

	"github.com/rotaqueue/rota"
)

// errNotDir is what opening a file below something that is no folder fails with: there is no such file either.
var errNotDir error = syscall.ENOTDIR

// entry is one key of a file.
type entry struct {
	file string
	line int // 0 when it is not known
	key  string
	text string
}

func (e entry) source() string {
	if e.line == 0 {
		return e.file
	}
	return fmt.Sprintf("%s:%d", e.file, e.line)
}

// parseFile reads a TOML file as a flat list of keys ("tls.cert"), in the order in which they stand.
func parseFile(path, text string) ([]entry, error) {
	var tree map[string]any
	meta, err := toml.Decode(text, &tree)
	var bad toml.ParseError
	if errors.As(err, &bad) {
		return nil, rota.Invalid("%s:%d: %s", path, bad.Position.Line, bad.Message)
	}
	if err != nil {
		return nil, rota.Invalid("%s: %v", path, err)
	}
	var out []entry
	for _, key := range meta.Keys() {
		value := lookUp(tree, key)
		if _, table := value.(map[string]any); table {
			continue
		}
		e := entry{file: path, line: lineOf(text, key), key: strings.Join(key, ".")}
		if e.text, err = valueText(value); err != nil {
			return nil, rota.Invalid("%s: %s: %v", e.source(), e.key, err)
		}
		out = append(out, e)
	}
	return out, nil
}

func lookUp(tree map[string]any, key toml.Key) any {
	var value any = tree
	for _, k := range key {
		table, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = table[k]
	}
	return value
}

func valueText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			text, ok := item.(string)
			if !ok || strings.Contains(text, ",") {
				return "", errors.New(`a list has texts without commas, such as ["gpu", "fast"]`)
			}
			parts[i] = text
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("neither a text, a number, a truth value nor a list")
}

// lineOf finds the line that a key stands in, for messages; the TOML library does not tell. 0: not found.
func lineOf(text string, key toml.Key) int {
	table, number := "", 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			name, _, _ = strings.Cut(strings.TrimPrefix(name, "["), "]")
			table = bare(name)
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		whole := bare(name)
		if table != "" {
			whole = table + "." + whole
		}
		if full := strings.Join(key, "."); whole == full || strings.HasPrefix(full, whole+".") {
			return number
		}
	}
	return 0
}

// bare is a key without its blanks and quotes.
func bare(key string) string {
	return strings.NewReplacer(" ", "", "\t", "", `"`, "", "'", "").Replace(key)
}

func unknownKey(e entry) error {
	err := rota.Invalid("%s: there is no setting %q", e.source(), e.key)
	best := slices.MinFunc(settings, func(a, b setting) int { return distance(a.key, e.key) - distance(b.key, e.key) })
	if distance(best.key, e.key) <= max(2, len(e.key)/3) {
		return err.WithFix("did you mean %s? `rota config check` lists all settings", best.key)
	}
	return err.WithFix("remove it; `rota config check` lists all settings")
}

// distance is how many letters must be changed, added or left out to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
