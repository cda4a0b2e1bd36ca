package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// chart are series over time. A script draws them to be looked into; without it the line of each is there.
type chart struct {
	ID     string       `json:"-"`
	Title  string       `json:"-"`
	Unit   string       `json:"unit"` // bytes, count, seconds or none
	Times  []int64      `json:"times"`
	Series []chartLine  `json:"series"`
	Marks  []chartLimit `json:"marks,omitempty"`
}

type chartLine struct {
	Label  string    `json:"label"`
	Class  string    `json:"class"` // names a colour
	Values []float64 `json:"values"`
}

// chartLimit is a line across: what may be used at most.
type chartLimit struct {
	Label string  `json:"label"`
	Value float64 `json:"value"`
}

const (
	sparkWidth  = 300
	sparkHeight = 60
)

// Spark is a line of the chart as the path of a picture of 300 by 60.
func (c *chart) Spark(i int) string {
	top := 0.0
	for _, l := range c.Series {
		for _, v := range l.Values {
			top = max(top, v)
		}
	}
	values := c.Series[i].Values
	if len(values) == 0 || len(c.Times) < 2 {
		return ""
	}
	if top == 0 {
		top = 1
	}
	first, span := c.Times[0], max(c.Times[len(c.Times)-1]-c.Times[0], 1)
	var b strings.Builder
	for k, v := range values {
		x := sparkWidth * float64(c.Times[k]-first) / float64(span)
		fmt.Fprintf(&b, "%s%.1f,%.1f", map[bool]string{true: "M", false: "L"}[k == 0], x, sparkHeight-2-(sparkHeight-4)*v/top)
	}
	return b.String()
}

// Latest is a series' last value in words.
func (c *chart) Latest(i int) string {
	values := c.Series[i].Values
	if len(values) == 0 {
		return "–"
	}
	v := values[len(values)-1]
	switch c.Unit {
	case "bytes":
		return bytesText(int64(v))
	case "count":
		return countText(int(v))
	case "seconds":
		return brief(time.Duration(v * float64(time.Second)))
	}
	return fmt.Sprintf("%.2f", v)
}

// attemptCharts are what an attempt used over time beside its limits, if it ran long enough.
func (p *Pages) attemptCharts(r *request, t *rota.Task, attempt int, limits rota.Limits) ([]*chart, error) {
	s, err := p.svc.Samples(r.Context(), t.ID, attempt)
	if err != nil || len(s.Points) < 2 {
		return nil, err
	}
	return pointCharts(s.Points, limits), nil
}

func pointCharts(points []rota.Point, limits rota.Limits) []*chart {
	memory := &chart{ID: "chart-attempt", Title: "Memory", Unit: "bytes", Series: []chartLine{{Label: "memory", Class: "a"}}}
	cpus := &chart{ID: "chart-cpus", Title: "CPUs", Series: []chartLine{{Label: "CPUs", Class: "b"}}}
	processes := &chart{ID: "chart-processes", Title: "Processes", Unit: "count", Series: []chartLine{{Label: "processes", Class: "good"}}}
	add := func(c *chart, at time.Time, v float64) {
		c.Times, c.Series[0].Values = append(c.Times, at.Unix()), append(c.Series[0].Values, v)
	}
	for i, x := range points {
		add(memory, x.At, float64(x.Memory))
		add(processes, x.At, float64(x.Processes))
		if i == 0 {
			continue
		}
		if took := x.At.Sub(points[i-1].At); took > 0 { // CPU time is a sum
			add(cpus, x.At, float64(max(0, x.CPU-points[i-1].CPU))/float64(took))
		}
	}
	if limits.Memory > 0 {
		memory.Marks = []chartLimit{{"limit", float64(limits.Memory)}}
	}
	if limits.CPUs > 0 {
		cpus.Marks = []chartLimit{{"limit", limits.CPUs}}
	}
	if limits.PIDs > 0 {
		processes.Marks = []chartLimit{{"limit", float64(limits.PIDs)}}
	}
	return []*chart{memory, cpus, processes}
}

// Most is the greatest value of a chart's first line.
func (c *chart) Most() float64 { return slices.Max(c.Series[0].Values) }

// Top is that of whole things.
func (c *chart) Top() int64 { return int64(c.Most()) }

// storeCharts are those of all queues since a time: what came to its end, what waits and runs, and how long the oldest has
// waited. Points are for the eye: there are some 120 of them. Who may see some queues only sees none.
func (p *Pages) storeCharts(r *request, last time.Duration) []*chart {
	if r.Who.Queues != "" {
		return nil
	}
	ends := &chart{ID: "chart-ends", Title: "Ended per minute", Unit: "count", Series: []chartLine{{Label: "ended", Class: "good"}, {Label: "failed", Class: "bad"}}}
	stands := &chart{ID: "chart-stands", Title: "Waiting and running", Unit: "count", Series: []chartLine{{Label: "waiting", Class: "a"}, {Label: "running", Class: "b"}}}
	wait := &chart{ID: "chart-wait", Title: "Oldest wait", Unit: "seconds", Series: []chartLine{{Label: "waited", Class: "a"}}}
	var before *rota.StoreSample
	for _, x := range spaced(p.feed.points(p.now().Add(-last)), last/120) {
		at := x.At.Unix()
		stands.Times, wait.Times = append(stands.Times, at), append(wait.Times, at)
		stands.Series[0].Values = append(stands.Series[0].Values, float64(x.Waiting))
		stands.Series[1].Values = append(stands.Series[1].Values, float64(x.Running))
		wait.Series[0].Values = append(wait.Series[0].Values, x.Oldest.D().Seconds())
		if before != nil {
			minutes := x.At.Sub(before.At).Minutes()
			ends.Times = append(ends.Times, at)
			ends.Series[0].Values = append(ends.Series[0].Values, float64(max(0, x.Ended-before.Ended))/minutes)
			ends.Series[1].Values = append(ends.Series[1].Values, float64(max(0, x.Failed-before.Failed))/minutes)
		}
		before = &x
	}
	return []*chart{ends, stands, wait}
}

// spaced are samples of which each is at least a step after the one before, and the latest of all.
func spaced(all []rota.StoreSample, step time.Duration) (out []rota.StoreSample) {
	for i, x := range all {
		switch n := len(out); {
		case n == 0 || x.At.Sub(out[n-1].At) >= step:
			out = append(out, x)
		case i == len(all)-1 && n > 1:
			out[n-1] = x
		case i == len(all)-1:
			out = append(out, x)
		}
	}
	return out
}

// nodeCharts are what a node and its machine did.
func nodeCharts(samples []rota.NodeSample) []*chart {
	if len(samples) < 2 {
		return nil
	}
	latest := samples[len(samples)-1]
	load := &chart{ID: "chart-load", Title: "Load", Series: []chartLine{{Label: "load", Class: "a"}}, Marks: []chartLimit{{"CPUs", float64(latest.CPUs)}}}
	memory := &chart{ID: "chart-memory", Title: "Memory", Unit: "bytes", Series: []chartLine{{Label: "used", Class: "b"}}}
	slots := &chart{ID: "chart-slots", Title: "Running", Unit: "count", Series: []chartLine{{Label: "running", Class: "good"}}, Marks: []chartLimit{{"slots", float64(latest.Slots)}}}
	if latest.MemoryTotal > 0 {
		memory.Marks = []chartLimit{{"machine", float64(latest.MemoryTotal)}}
	}
	for _, s := range samples {
		for _, c := range []struct {
			*chart
			v float64
		}{{load, s.Load1}, {memory, float64(s.MemoryUsed)}, {slots, float64(s.Running)}} {
			c.Times = append(c.Times, s.At.Unix())
			c.Series[0].Values = append(c.Series[0].Values, c.v)
		}
	}
	return []*chart{load, memory, slots}
}

// ranges are how long ago charts begin.
var ranges = []struct {
	Name string
	Last time.Duration
}{{"1h", time.Hour}, {"6h", 6 * time.Hour}, {"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}}

// chartsOf is how far back the charts of a page reach, as its address has it, and what leads to the others.
func (r *request) chartsOf() (time.Duration, []pill) {
	chosen := ranges[0]
	for _, x := range ranges {
		if x.Name == r.URL.Query().Get("last") {
			chosen = x
		}
	}
	var pills []pill
	for _, x := range ranges {
		pills = append(pills, pill{Label: x.Name, On: x.Name == chosen.Name, Query: r.With("last", x.Name)})
	}
	return chosen.Last, pills
}
