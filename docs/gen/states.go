package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// The diagram is drawn from rota.Moves. Only where a state stands, and how far an arrow that would cross another
// bends, is said here.
const (
	width, height = 1130, 540
	boxW, boxH    = 112, 40
)

type point struct{ x, y float64 }

var places = map[rota.State]point{
	rota.Blocked:   {120, 260},
	rota.Scheduled: {330, 110},
	rota.Held:      {330, 410},
	rota.Ready:     {520, 260},
	rota.Running:   {780, 260},
	rota.Succeeded: {1040, 110},
	rota.Failed:    {1040, 260},
	rota.Cancelled: {1040, 460},
}

type pair struct{ from, to rota.State }

// bends are how far the middle of an arrow stands aside, to the left of its way.
var bends = map[pair]float64{
	{rota.Running, rota.Scheduled}: -70,
	{rota.Running, rota.Held}:      50,
	{rota.Failed, rota.Ready}:      -72,
	{rota.Cancelled, rota.Ready}:   -10,
}

// labelAt is how far along its way an arrow has its words, where the middle is taken.
var labelAt = map[pair]float64{
	{rota.Blocked, rota.Ready}:     0.25,
	{rota.Scheduled, rota.Held}:    0.66,
	{rota.Held, rota.Scheduled}:    0.66,
	{rota.Running, rota.Scheduled}: 0.4,
	{rota.Failed, rota.Ready}:      0.62,
}

// waiting are the states in the frame: what they all have in common is drawn once, from the frame.
var waiting = []rota.State{rota.Blocked, rota.Scheduled, rota.Held, rota.Ready}

var frame = struct{ x, y, w, h float64 }{40, 60, 560, 400}

const standardBend = 22

// diagram is the states and their moves as a picture.
func diagram() (string, error) {
	verbs, order := arrows()
	common, err := commonMoves(verbs)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="14">`+"\n",
		width, height, width, height)
	b.WriteString(`<title>The states of a task and the moves between them</title>
<desc>Drawn from rota.Moves by docs/gen.</desc>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L10 5L0 10z" fill="#444"/></marker></defs>
<rect width="100%" height="100%" fill="#fff"/>
`)
	fmt.Fprintf(&b, `<rect x="%g" y="%g" width="%g" height="%g" rx="14" fill="#f6f7f9" stroke="#aab" stroke-dasharray="5 4"/>`+"\n", frame.x, frame.y, frame.w, frame.h)
	fmt.Fprintf(&b, `<text x="%g" y="%g" fill="#667">waits</text>`+"\n", frame.x+14, frame.y+24)
	var labels strings.Builder
	for _, p := range order {
		if text := strings.Join(without(verbs[p], common[p.to], slices.Contains(waiting, p.from)), ", "); text != "" {
			drawArrow(&b, &labels, p, text, verbs)
		}
	}
	for to, names := range common {
		start, end := point{frame.x + frame.w, frame.y + frame.h - 40}, edge(places[to], point{frame.x + frame.w, frame.y + frame.h - 40})
		fmt.Fprintf(&b, arrowLine, start.x, start.y, (start.x+end.x)/2, (start.y+end.y)/2, end.x, end.y)
		label(&labels, point{(start.x + end.x) / 2, (start.y + end.y) / 2}, strings.Join(names, ", "))
	}
	for _, s := range rota.States {
		drawState(&b, s)
	}
	b.WriteString(labels.String())
	b.WriteString("</svg>\n")
	return b.String(), nil
}

// arrows are the verbs of each pair of states, and the pairs in the order of the moves.
func arrows() (verbs map[pair][]string, order []pair) {
	verbs = map[pair][]string{}
	for _, m := range rota.Moves {
		p := pair{m.From, m.To}
		if verbs[p] == nil {
			order = append(order, p)
		}
		verbs[p] = append(verbs[p], string(m.Verb))
	}
	return verbs, order
}

// commonMoves are verbs by which every waiting state moves to the same state. The picture has room for one such.
func commonMoves(verbs map[pair][]string) (map[rota.State][]string, error) {
	common := map[rota.State][]string{}
	for _, to := range rota.States {
		for _, v := range verbs[pair{waiting[0], to}] {
			all := true
			for _, from := range waiting {
				all = all && slices.Contains(verbs[pair{from, to}], v)
			}
			if all {
				common[to] = append(common[to], v)
			}
		}
	}
	if len(common) > 1 {
		return nil, fmt.Errorf("the waiting states have more than one state in common that they move to: draw another frame")
	}
	return common, nil
}

func without(verbs, common []string, waits bool) []string {
	return slices.DeleteFunc(slices.Clone(verbs), func(v string) bool { return waits && slices.Contains(common, v) })
}

const arrowLine = `<path d="M%.1f %.1fQ%.1f %.1f %.1f %.1f" fill="none" stroke="#444" marker-end="url(#head)"/>` + "\n"

func drawArrow(b, labels *strings.Builder, p pair, text string, verbs map[pair][]string) {
	from, to := places[p.from], places[p.to]
	bend, ok := bends[p]
	if !ok && verbs[pair{p.to, p.from}] != nil {
		bend = standardBend
	}
	dx, dy := to.x-from.x, to.y-from.y
	length := math.Hypot(dx, dy)
	// The middle of the curve is half as far aside as its control point.
	control := point{(from.x+to.x)/2 + 2*bend*dy/length, (from.y+to.y)/2 - 2*bend*dx/length}
	start, end := edge(from, control), edge(to, control)
	fmt.Fprintf(b, arrowLine, start.x, start.y, control.x, control.y, end.x, end.y)
	t, ok := labelAt[p]
	if !ok {
		t = 0.5
	}
	on := func(a, c, e float64) float64 { return (1-t)*(1-t)*a + 2*t*(1-t)*c + t*t*e }
	label(labels, point{on(start.x, control.x, end.x), on(start.y, control.y, end.y)}, text)
}

// edge is where the line from a box's middle towards a point leaves the box.
func edge(box, towards point) point {
	dx, dy := towards.x-box.x, towards.y-box.y
	scale := math.Min((boxW/2+3)/math.Max(math.Abs(dx), 1e-9), (boxH/2+3)/math.Max(math.Abs(dy), 1e-9))
	return point{box.x + dx*scale, box.y + dy*scale}
}

func label(b *strings.Builder, at point, text string) {
	w := 7*float64(len(text)) + 6
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="18" rx="3" fill="#fff" fill-opacity="0.85"/>`, at.x-w/2, at.y-9, w)
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" font-size="12.5" fill="#225">%s</text>`+"\n", at.x, at.y+4.5, html.EscapeString(text))
}

func drawState(b *strings.Builder, s rota.State) {
	p, fill := places[s], "#e4ecfb"
	switch {
	case s == rota.Running:
		fill = "#fff2cc"
	case s.Ended():
		fill = "#e6f4ea"
	}
	fmt.Fprintf(b, `<rect x="%g" y="%g" width="%d" height="%d" rx="9" fill="%s" stroke="#445"/>`, p.x-boxW/2, p.y-boxH/2, boxW, boxH, fill)
	fmt.Fprintf(b, `<text x="%g" y="%g" text-anchor="middle" font-weight="bold" fill="#112">%s</text>`+"\n", p.x, p.y+5, s)
}

// moves are the same as a table.
func moves() (string, error) {
	var rows [][]string
	for _, from := range rota.States {
		var verbs []rota.Verb
		to := map[rota.Verb][]string{}
		for _, m := range rota.Moves {
			if m.From != from {
				continue
			}
			if to[m.Verb] == nil {
				verbs = append(verbs, m.Verb)
			}
			to[m.Verb] = append(to[m.Verb], m.To.String())
		}
		for _, v := range verbs {
			rows = append(rows, []string{from.String(), string(v), strings.Join(to[v], ", ")})
		}
	}
	return table([]string{"from", "verb", "to"}, rows), nil
}
