package cli

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// The forms of output.
const (
	formTable = "table"
	formWide  = "wide"
	formJSON  = "json"
	formJSONL = "jsonl"
	formCSV   = "csv"
	formName  = "name"
)

// form is how a list is written.
type form struct {
	name  string
	quiet bool
}

var listForms = []string{formTable, formWide, formJSON, formJSONL, formCSV, formName}

func (f *form) register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.name, "output", "o", formTable, "`form`: table, wide, json, jsonl, csv or name")
	cmd.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "ids only")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(listForms, cobra.ShellCompDirectiveNoFileComp))
}

func (f *form) check() error {
	if f.quiet {
		f.name = formName
	}
	return oneOf("-o", f.name, listForms...)
}

// registerForm is the -o of commands that show one thing, as text or JSON.
func registerForm(cmd *cobra.Command, form *string) {
	cmd.Flags().StringVarP(form, "output", "o", "text", "`form`: text or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", formJSON}, cobra.ShellCompDirectiveNoFileComp))
}

func checkForm(form string) error { return oneOf("-o", form, "text", formJSON) }

// column is one column of a list of Ts.
type column[T any] struct {
	head  string
	cell  func(T, style) string
	right bool           // numbers
	wide  bool           // not in the plain table
	maybe bool           // not in the plain table when it is empty
	tint  func(T) string // its colour
}

// style is how a cell is to be written.
type style struct {
	now   time.Time
	exact bool // whole times and numbers, for wide and csv
}

// at is a time in a cell.
func (s style) at(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case s.exact:
		return absolute(t)
	}
	return relative(t, s.now)
}

// list is a kind of list: its columns, and what names an item.
type list[T any] struct {
	columns []column[T]
	id      func(T) string
}

// print writes a list. It returns how many items there were.
func (l list[T]) print(a *app, f form, items iter.Seq2[T, error]) (int, error) {
	switch f.name {
	case formJSON, formJSONL:
		return l.printJSON(a, f.name == formJSON, items)
	case formCSV:
		return l.printCSV(a, items)
	case formName:
		n := 0
		for item, err := range items {
			if err == nil {
				_, err = io.WriteString(a.out, l.id(item)+"\n")
			}
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	return l.printTable(a, f.name == formWide, items)
}

func (l list[T]) printJSON(a *app, array bool, items iter.Seq2[T, error]) (n int, err error) {
	open, between, end := "", "\n", "\n"
	if array {
		open, between, end = "[", ",\n", "]\n"
	}
	var b strings.Builder
	b.WriteString(open)
	for item, err := range items {
		if err != nil {
			return n, err
		}
		text, err := compactJSON(item)
		if err != nil {
			return n, err
		}
		if n > 0 {
			b.WriteString(between)
		}
		b.WriteString(text)
		n++
		if b.Len() > 64<<10 {
			if _, err := io.WriteString(a.out, b.String()); err != nil {
				return n, err
			}
			b.Reset()
		}
	}
	if array || n > 0 {
		b.WriteString(end)
	}
	_, err = io.WriteString(a.out, b.String())
	return n, err
}

func (l list[T]) printCSV(a *app, items iter.Seq2[T, error]) (n int, err error) {
	w := csv.NewWriter(a.out)
	row := make([]string, len(l.columns))
	for i, c := range l.columns {
		row[i] = strings.ToLower(c.head)
	}
	if err := w.Write(row); err != nil {
		return 0, err
	}
	for item, err := range items {
		if err != nil {
			return n, err
		}
		for i, c := range l.columns {
			row[i] = clean(c.cell(item, style{now: a.now(), exact: true}))
		}
		if err := w.Write(row); err != nil {
			return n, err
		}
		n++
	}
	w.Flush()
	return n, w.Error()
}

func (l list[T]) printTable(a *app, wide bool, items iter.Seq2[T, error]) (int, error) {
	columns := 0
	if a.screen.outTerm {
		columns = terminalWidth(a.screen.out)
	}
	t, err := l.table(style{now: a.now(), exact: wide}, items)
	if err != nil || len(t.rows) == 0 {
		return len(t.rows), err
	}
	t.columns, t.colour = columns, a.screen.colour
	_, err = io.WriteString(a.out, t.String())
	return len(t.rows), err
}

// table has the items in columns: in the wide style all there are, else those that say something.
func (l list[T]) table(s style, items iter.Seq2[T, error]) (t table, err error) {
	var shown []column[T]
	for _, c := range l.columns {
		if s.exact || !c.wide {
			shown = append(shown, c)
			t.heads = append(t.heads, c.head)
			t.right = append(t.right, c.right)
		}
	}
	for item, err := range items {
		if err != nil {
			return t, err
		}
		row, tints := make([]string, len(shown)), make([]string, len(shown))
		for i, c := range shown {
			row[i] = clean(c.cell(item, s))
			if c.tint != nil {
				tints[i] = c.tint(item)
			}
		}
		t.rows, t.tints = append(t.rows, row), append(t.tints, tints)
	}
	for i := len(shown) - 1; i >= 0 && !s.exact && len(t.rows) > 0; i-- {
		if shown[i].maybe {
			t.dropEmpty(i)
		}
	}
	return t, nil
}

// table is text in columns. Only the last column is cut, and only on a terminal.
type table struct {
	heads   []string
	right   []bool
	rows    [][]string
	tints   [][]string
	columns int // of the terminal; 0: it is none
	colour  bool
}

// dropEmpty leaves a column out that has nothing in any row.
func (t *table) dropEmpty(i int) {
	for _, row := range t.rows {
		if row[i] != "" {
			return
		}
	}
	t.heads, t.right = slices.Delete(t.heads, i, i+1), slices.Delete(t.right, i, i+1)
	for r := range t.rows {
		t.rows[r], t.tints[r] = slices.Delete(t.rows[r], i, i+1), slices.Delete(t.tints[r], i, i+1)
	}
}

func (t *table) String() string {
	widths := make([]int, len(t.heads))
	for i, h := range t.heads {
		widths[i] = width(h)
		for _, row := range t.rows {
			widths[i] = max(widths[i], width(row[i]))
		}
	}
	var b strings.Builder
	t.line(&b, t.heads, nil, widths)
	for i, row := range t.rows {
		var tints []string
		if t.colour && t.tints != nil {
			tints = t.tints[i]
		}
		t.line(&b, row, tints, widths)
	}
	return b.String()
}

func (t *table) line(to *strings.Builder, row, tints []string, widths []int) {
	var b strings.Builder
	at := 0
	for i, text := range row {
		last := i == len(row)-1
		if last && t.columns > 0 {
			text = cut(text, max(t.columns-at-1, 8))
		}
		pad := strings.Repeat(" ", max(widths[i]-width(text), 0))
		if tints != nil {
			text = tint(text, tints[i], true)
		}
		if t.right[i] {
			text = pad + text
		} else {
			text += pad
		}
		b.WriteString(text + "  ")
		at += widths[i] + 2
	}
	to.WriteString(strings.TrimRight(b.String(), " ") + "\n")
}

// printJSON writes one value as indented JSON.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func compactJSON(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// each yields the items of a slice as a list is printed.
func each[T any](items []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// fields are lines "name: value", aligned.
type fields struct {
	names, values []string
}

// add adds a field unless it is empty.
func (f *fields) add(name, value string) {
	if value != "" {
		f.names, f.values = append(f.names, name), append(f.values, value)
	}
}

func (f *fields) String() string {
	widest := 0
	for _, n := range f.names {
		widest = max(widest, width(n))
	}
	var b strings.Builder
	for i, n := range f.names {
		for j, line := range strings.Split(f.values[i], "\n") {
			label := n + ":"
			if j > 0 {
				label = ""
			}
			b.WriteString(strings.TrimRight(label+strings.Repeat(" ", widest+2-width(label))+line, " ") + "\n")
		}
	}
	return b.String()
}
