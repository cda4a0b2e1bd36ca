package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// figure is one measured value.
type figure struct {
	kind  kind
	value float64
}

// kind is what was measured: the same for all systems that have it.
type kind string

const (
	commands   kind = "/bin/true, 4 at once"
	spawns     kind = "/bin/true, 4 at once, bare loop"
	waiting    kind = "no-op, many waiting"
	eightNodes kind = "no-op, many waiting, 8 nodes"
	lives      kind = "no-op, submitted meanwhile"
	submits    kind = "submit, 64 callers"
	startP50   kind = "submit to start, idle, p50"
	startP99   kind = "submit to start, idle, p99"
)

// kinds are all, in the order of the tables.
var kinds = []struct {
	kind
	unit string
	less bool // less is better
}{
	{commands, "/s", false}, {spawns, "/s", false}, {waiting, "/s", false}, {eightNodes, "/s", false}, {lives, "/s", false},
	{submits, "/s", false}, {startP50, "ms", true}, {startP99, "ms", true},
}

// results are the values of all rounds, by system and kind.
type results map[string]map[kind][]float64

func (r results) add(system string, figures []figure) {
	if r[system] == nil {
		r[system] = map[kind][]float64{}
	}
	for _, f := range figures {
		r[system][f.kind] = append(r[system][f.kind], f.value)
	}
}

// write writes a table of means, and one of how much better Rota is than each other system of the same rounds.
func (r results) write(w io.Writer, systems []system) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "MEASURED\tSYSTEM\tMEAN\t")
	for _, k := range kinds {
		for _, s := range systems {
			if all := r[s.name][k.kind]; len(all) > 0 {
				fmt.Fprintf(tw, "%s\t%s\t%s %s\t\n", k.kind, s.name, short(mean(all)), k.unit)
			}
		}
	}
	fmt.Fprintf(tw, "\t\t\t\nTIMES BETTER\tTHAN\t%s\t%s\n", embedded, shared)
	for _, k := range kinds {
		for _, s := range systems {
			if s.name == embedded || s.name == shared || len(r[s.name][k.kind]) == 0 {
				continue
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", k.kind, s.name, r.ratio(embedded, s.name, k.kind, k.less), r.ratio(shared, s.name, k.kind, k.less))
		}
	}
	for _, own := range []struct {
		kind, by kind
	}{{commands, spawns}, {eightNodes, waiting}} {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", own.kind, own.by, r.own(embedded, own.kind, own.by), r.own(shared, own.kind, own.by))
	}
	return tw.Flush()
}

// ratio is how much better ours is, by rounds: the mean, and the least and most of them.
func (r results) ratio(ours, theirs string, k kind, less bool) string {
	a, b := r[ours][k], r[theirs][k]
	if less {
		a, b = b, a
	}
	return spread(a, b)
}

// own is a ratio of two kinds of one system.
func (r results) own(system string, k, by kind) string { return spread(r[system][k], r[system][by]) }

func spread(a, b []float64) string {
	var all []float64
	for i := range min(len(a), len(b)) {
		if b[i] > 0 {
			all = append(all, a[i]/b[i])
		}
	}
	switch len(all) {
	case 0:
		return "-"
	case 1:
		return short(all[0])
	}
	return fmt.Sprintf("%s (%s to %s)", short(mean(all)), short(slices.Min(all)), short(slices.Max(all)))
}

func mean(all []float64) (m float64) {
	for _, v := range all {
		m += v / float64(len(all))
	}
	return m
}

func short(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
