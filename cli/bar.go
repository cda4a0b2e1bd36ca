package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// view is all that a progress line shows.
type view struct {
	name     string
	progress rota.Progress
	rate     float64 // tasks that end in a second; 0: not known
	columns  int     // of the terminal
	colour   bool
}

const (
	barMost  = 30 // columns of the bar itself
	barLeast = 10
)

// bar draws one line that never wraps: what matters least is left out first where there is not room for all.
func bar(v view) string {
	done := v.progress.Tasks - v.progress.Left()
	count := fmt.Sprintf("%s/%s", number(done), number(v.progress.Tasks))
	if !v.progress.Sealed {
		count += "+"
	}
	var states []string
	for _, s := range []struct {
		n          int
		what, tint string
	}{{v.progress.Failed, "failed", tintRed}, {v.progress.Cancelled, "cancelled", ""}, {v.progress.Running, "running", ""},
		{v.progress.Held, "held", ""}, {v.progress.Blocked, "blocked", ""}, {v.progress.Scheduled, "scheduled", ""}} {
		if s.n > 0 {
			states = append(states, tint(number(s.n)+" "+s.what, s.tint, v.colour))
		}
	}
	room := v.columns - 1
	back := count
	for _, part := range append(append([]string{percent(v.progress)}, states...), eta(v), rateText(v.rate)) {
		if part != "" && plainWidth(back)+1+plainWidth(part) <= room {
			back += " " + part
		}
	}
	left := room - plainWidth(back) - 1
	switch named := left - width(v.name) - 1; {
	case named >= barLeast:
		return v.name + " " + blocks(v.progress, min(named, barMost), v.colour) + " " + back
	case left >= barLeast:
		return blocks(v.progress, min(left, barMost), v.colour) + " " + back
	}
	return cut(back, room)
}

func percent(p rota.Progress) string {
	if p.Tasks == 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", (p.Tasks-p.Left())*100/p.Tasks)
}

func rateText(rate float64) string {
	switch {
	case rate <= 0:
		return ""
	case rate < 10:
		return fmt.Sprintf("%.1f/s", rate)
	}
	return fmt.Sprintf("%s/s", number(int(rate)))
}

// eta is how long the rest takes at the present rate.
func eta(v view) string {
	left := v.progress.Left()
	if v.rate <= 0 || left == 0 || !v.progress.Sealed {
		return ""
	}
	return "ETA " + coarse(time.Duration(float64(left)/v.rate*float64(time.Second)).Round(time.Second))
}

// blocks is the bar itself: ended tasks as #, failed ones as !, running ones as >.
func blocks(p rota.Progress, columns int, colour bool) string {
	inner := columns - 2
	total := max(p.Tasks, 1)
	bad := p.Failed + p.Cancelled
	cells := func(n int) int { return n * inner / total }
	badCells := cells(bad)
	if bad > 0 && badCells == 0 {
		badCells = 1
	}
	okCells := max(cells(bad+p.Succeeded)-badCells, 0)
	runCells := cells(bad+p.Succeeded+p.Running) - okCells - badCells
	rest := max(inner-okCells-badCells-max(runCells, 0), 0)
	return "[" + tint(strings.Repeat("#", okCells), tintGreen, colour) + tint(strings.Repeat("!", badCells), tintRed, colour) +
		strings.Repeat(">", max(runCells, 0)) + strings.Repeat(" ", rest) + "]"
}

// plainLine says the same where there is no terminal.
func plainLine(v view) string {
	p := v.progress
	parts := []string{fmt.Sprintf("%s of %s done", number(p.Tasks-p.Left()), number(p.Tasks))}
	for _, s := range []struct {
		n    int
		what string
	}{{p.Failed, "failed"}, {p.Cancelled, "cancelled"}, {p.Running, "running"}, {p.Held, "held"}, {p.Blocked, "blocked"},
		{p.Scheduled, "scheduled"}} {
		if s.n > 0 {
			parts = append(parts, number(s.n)+" "+s.what)
		}
	}
	for _, part := range []string{rateText(v.rate), eta(v)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return v.name + ": " + strings.Join(parts, ", ")
}

// summary says how a job ended, in one line.
func summary(name string, p rota.Progress, took time.Duration) string {
	parts := []string{}
	for _, s := range []struct {
		n    int
		what string
	}{{p.Succeeded, "succeeded"}, {p.Failed, "failed"}, {p.Cancelled, "cancelled"}} {
		if s.n > 0 {
			parts = append(parts, number(s.n)+" "+s.what)
		}
	}
	return fmt.Sprintf("%s: %s in %s: %s", name, plural(p.Tasks, "task"), brief(took), strings.Join(parts, ", "))
}

const (
	tintRed    = "31"
	tintGreen  = "32"
	tintYellow = "33"
	tintCyan   = "36"
	tintGrey   = "90"
)

// tint gives a text a colour of the terminal.
func tint(s, code string, colour bool) string {
	if !colour || code == "" || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// plainWidth is the width of a text that tint has coloured.
func plainWidth(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if e := escapeLen(s[i:]); e > 0 {
			i += e
			continue
		}
		j := i + 1
		for j < len(s) && s[j] != 0x1b {
			j++
		}
		n += width(s[i:j])
		i = j
	}
	return n
}

// meter measures how many tasks end in a second, over the last seconds.
type meter struct {
	at   []time.Time
	done []int
}

const meterSpan = 10 * time.Second

// add notes how many have ended by now, and is the rate.
func (m *meter) add(now time.Time, done int) float64 {
	m.at, m.done = append(m.at, now), append(m.done, done)
	for len(m.at) > 2 && now.Sub(m.at[1]) >= meterSpan {
		m.at, m.done = m.at[1:], m.done[1:]
	}
	span := now.Sub(m.at[0]).Seconds()
	if span < 0.2 {
		return 0
	}
	return float64(done-m.done[0]) / span
}
