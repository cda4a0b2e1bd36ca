// Package measure times Rota beside the limits of the machine it runs on: each figure stands next to what bounds it,
// measured in the same run, because machines differ and drift. It promises figures, not verdicts.
//
// It puts whole nodes together in folders of its own, below the system's temporary folder, and on a PostgreSQL server in
// databases of its own, and removes them.
package measure

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/keeper"
)

// Options says what is measured.
type Options struct {
	Only  []string // names of measurements; none: all
	Store string   // URL of a PostgreSQL server, to be measured with databases made there; empty: the embedded store
	Slots int      // how many tasks run at once; 0: 4
	Quick bool     // a fifth of the work, and less exact
	// Keeper starts a keeper that is a process of its own, as a node has it.
	Keeper func(ctx context.Context, o keeper.Options) (*keeper.Remote, error)
	// JarWorker is the command of a worker of a jar, in the foreground.
	JarWorker func(ctx context.Context, home string) *exec.Cmd
}

// Figure is one measured value beside its limit.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Limit is what was measured in the same run as the bound, and LimitOf says of what; 0: there is none.
	Limit   float64 `json:"limit,omitempty"`
	LimitOf string  `json:"limit_of,omitempty"`
	Ratio   float64 `json:"ratio,omitempty"` // value by limit
	Goal    string  `json:"goal,omitempty"`
}

func (f Figure) beside(limit float64, of string) Figure {
	f.Limit, f.LimitOf = limit, of
	if limit > 0 {
		f.Ratio = f.Value / limit
	}
	return f
}

// measurement is one thing that can be measured alone.
type measurement struct {
	name string
	run  func(ctx context.Context, b *bench) ([]Figure, error)
}

// all are the measurements in the order in which they run.
var all = []measurement{
	{"commands", commands},
	{"keeper", keeperMemory},
	{"noop", noop},
	{"waiting", waiting},
	{"submit", submit},
	{"array", submitArray},
	{"start", start},
	{"million", million},
	{"idle", idle},
	{"jar", jars},
}

// bench is one run of measurements.
type bench struct {
	Options
	dir  string
	talk io.Writer // progress
}

// scaled is an amount of work.
func (b *bench) scaled(n int) int {
	if b.Quick {
		return max(n/5, 1)
	}
	return n
}

// Run measures and returns the figures; progress goes to talk.
func Run(ctx context.Context, o Options, talk io.Writer) ([]Figure, error) {
	if o.Slots == 0 {
		o.Slots = 4
	}
	for _, name := range o.Only {
		if !slices.ContainsFunc(all, func(m measurement) bool { return m.name == name }) {
			return nil, rota.Invalid("bench %q: there is no such measurement; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	dir, err := os.MkdirTemp("", "rota-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b := &bench{Options: o, dir: dir, talk: talk}
	var figures []Figure
	for _, m := range all {
		if len(o.Only) > 0 && !slices.Contains(o.Only, m.name) {
			continue
		}
		fmt.Fprintf(talk, "measuring %s\n", m.name)
		got, err := m.run(ctx, b)
		if err != nil {
			return figures, fmt.Errorf("bench %s: %w", m.name, err)
		}
		for _, f := range got {
			if o.Store != "" {
				f.Goal = "" // they are the embedded store's
			}
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// Names are the names of the measurements.
func Names() []string {
	names := make([]string, len(all))
	for i, m := range all {
		names[i] = m.name
	}
	return names
}

// WriteJSON writes figures as one JSON array.
func WriteJSON(w io.Writer, figures []Figure) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(figures)
}

// WriteTable writes figures for people.
func WriteTable(w io.Writer, figures []Figure) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "MEASURED\tVALUE\tLIMIT IN THE SAME RUN\tRATIO\tGOAL")
	for _, f := range figures {
		limit, ratio := "-", "-"
		if f.LimitOf != "" {
			limit = fmt.Sprintf("%s %s (%s)", number(f.Limit), f.Unit, f.LimitOf)
			ratio = fmt.Sprintf("%.2f", f.Ratio)
		}
		fmt.Fprintf(tw, "%s\t%s %s\t%s\t%s\t%s\n", f.Name, number(f.Value), f.Unit, limit, ratio, f.Goal)
	}
	return tw.Flush()
}

// number writes three significant digits of small values and whole numbers of large ones.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
