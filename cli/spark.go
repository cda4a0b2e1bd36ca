package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// The heights of a graph of one line, from nothing to all.
const (
	sparkUTF8  = "▁▂▃▄▅▆▇█"
	sparkASCII = "_.:-=+*#"
)

const (
	graphMost  = 60 // columns of a graph
	graphLeast = 10
	graphRest  = 40 // columns for what stands beside it
)

// graph draws one line of values, of which NaN is none.
type graph struct {
	columns int
	heights []rune
}

func (a *app) graph() graph {
	g := graph{columns: graphMost, heights: []rune(sparkASCII)}
	if a.screen.utf8 {
		g.heights = []rune(sparkUTF8)
	}
	if a.screen.outTerm {
		g.columns = min(max(terminalWidth(a.screen.out)-graphRest, graphLeast), graphMost)
	}
	return g
}

// speaksUTF8 reports whether the surroundings take more than ASCII.
func speaksUTF8(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(env(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}

// line draws values on a scale from 0 to top.
func (g graph) line(values []float64, top float64) string {
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteByte(' ')
		case top <= 0:
			b.WriteRune(g.heights[0])
		default:
			n := int(v / top * float64(len(g.heights)))
			b.WriteRune(g.heights[min(max(n, 0), len(g.heights)-1)])
		}
	}
	return b.String()
}

// squeeze makes as many values of them as there are columns: each the greatest of those that it stands for.
func (g graph) squeeze(values []float64) []float64 {
	n := min(len(values), g.columns)
	out := make([]float64, n)
	for i := range out {
		for j, v := range values[i*len(values)/n : (i+1)*len(values)/n] {
			if j == 0 || v > out[i] {
				out[i] = v
			}
		}
	}
	return out
}

// extent is the least and the greatest of some values.
func extent(values []float64) (least, most float64) { return slices.Min(values), slices.Max(values) }

// attemptGraphs draws what attempts used over time: memory, and CPU as how many CPUs' time it took (D6).
func (a *app) attemptGraphs(all []rota.Series) string {
	var b strings.Builder
	g := a.graph()
	for _, s := range all {
		if len(s.Points) == 0 {
			continue
		}
		memory := make([]float64, len(s.Points))
		for i, p := range s.Points {
			memory[i] = float64(p.Memory)
		}
		var f fields
		least, most := extent(memory)
		f.add("  memory", fmt.Sprintf("%s  %s to %s", g.line(g.squeeze(memory), most), bytesText(int64(least)), bytesText(int64(most))))
		if cpus := rates(s.Points); len(cpus) > 0 {
			least, most := extent(cpus)
			f.add("  CPUs", fmt.Sprintf("%s  %.2f to %.2f", g.line(g.squeeze(cpus), most), least, most))
		}
		span := s.Points[len(s.Points)-1].At.Sub(s.Points[0].At)
		fmt.Fprintf(&b, "\nattempt %d, over %s:\n%s", s.Attempt, brief(span.Round(time.Second)), f.String())
	}
	return b.String()
}

// rates are how many CPUs were used between each two points.
func rates(points []rota.Point) []float64 {
	var out []float64
	for i := 1; i < len(points); i++ {
		if took := points[i].At.Sub(points[i-1].At); took > 0 {
			out = append(out, max(float64(points[i].CPU-points[i-1].CPU)/float64(took), 0))
		}
	}
	return out
}

// nodeGraphs draws what a node and its machine did in a length of time up to now (D6).
func (a *app) nodeGraphs(all []rota.NodeSample, last time.Duration) string {
	if len(all) == 0 {
		return ""
	}
	g := a.graph()
	latest := all[len(all)-1]
	var f fields
	for _, row := range []struct {
		name string
		of   func(*rota.NodeSample) float64
		top  float64 // or the greatest value
		text func(float64) string
	}{
		{"  load", func(s *rota.NodeSample) float64 { return s.Load1 }, float64(latest.CPUs), func(v float64) string { return fmt.Sprintf("%.2f", v) }},
		{"  memory", func(s *rota.NodeSample) float64 { return float64(s.MemoryUsed) }, float64(latest.MemoryTotal),
			func(v float64) string { return bytesText(int64(v)) }},
		{"  running", func(s *rota.NodeSample) float64 { return float64(s.Running) }, float64(latest.Slots), func(v float64) string { return fmt.Sprint(v) }},
	} {
		values := make([]float64, len(all))
		for i := range all {
			values[i] = row.of(&all[i])
		}
		least, most := extent(values)
		columns := g.over(all, values, a.now().Add(-last), last)
		f.add(row.name, fmt.Sprintf("%s  %s to %s", g.line(columns, max(most, row.top)), row.text(least), row.text(most)))
	}
	return fmt.Sprintf("\nlast %s:\n%s", rota.Duration(last), f.String())
}

// over puts values of samples into columns by their time, the greatest of each. An idle node tells of itself once a minute, and an
// old sample stands for ten: a column without one shows what was before it, unless that is too long ago.
func (g graph) over(all []rota.NodeSample, values []float64, begin time.Time, last time.Duration) []float64 {
	apart := 2 * time.Minute
	if last > 24*time.Hour {
		apart = 15 * time.Minute
	}
	out := make([]float64, g.columns)
	column := last / time.Duration(g.columns)
	next := 0 // of the samples
	for i := range out {
		out[i] = math.NaN()
		from := begin.Add(time.Duration(i) * column)
		if next > 0 && from.Sub(all[next-1].At) < apart {
			out[i] = values[next-1]
		}
		first := true
		// The store's clock and ours may differ a little: what is ahead of us stands in the last column.
		for ; next < len(all) && (all[next].At.Before(from.Add(column)) || i == len(out)-1); next++ {
			if first || values[next] > out[i] {
				out[i], first = values[next], false
			}
		}
	}
	return out
}
