package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// copyProgress shows how far a copy is: a bar on a terminal, else a line every few seconds.
type copyProgress struct {
	a     *app
	meter meter
	drawn time.Time
	said  time.Time
}

func newCopyProgress(a *app) *copyProgress {
	now := a.now()
	return &copyProgress{a: a, said: now}
}

func (p *copyProgress) show(s rota.CopyStep) {
	now := p.a.now()
	every := sayEvery
	last := &p.said
	if p.a.screen.errTerm {
		every, last = drawEvery, &p.drawn
	}
	if now.Sub(*last) < every {
		return
	}
	*last = now
	text := copyText(s, p.meter.add(now, int(s.Rows)))
	if p.a.screen.errTerm {
		p.a.screen.draw(cut(text, p.a.screen.size()-1))
		return
	}
	p.a.note("rota: %s", text)
}

// copyText is how far a copy is, in a line.
func copyText(s rota.CopyStep, rate float64) string {
	doing := "copying"
	if s.Checking {
		doing = "checking"
	}
	parts := []string{fmt.Sprintf("%s %s", doing, s.Table)}
	if s.Of > 0 {
		parts = append(parts, fmt.Sprintf("%d%%", min(s.Rows*100/s.Of, 100)))
	}
	if text := rateText(rate); text != "" {
		parts = append(parts, strings.Replace(text, "/s", " rows/s", 1))
	}
	if rate > 0 && s.Of > s.Rows {
		parts = append(parts, "ETA "+coarse(time.Duration(float64(s.Of-s.Rows)/rate*float64(time.Second))))
	}
	return strings.Join(parts, ", ")
}

// noteCopied says what was copied, and what is not as it was.
func (a *app) noteCopied(what string, c rota.Copied) {
	a.note("rota: %s %s rows of %s to %s, and compared them; it is incarnation %d of the store", what, number(c.Rows()), c.From, c.To, c.Incarnation)
	switch {
	case c.Lost == 1:
		a.note("rota: 1 attempt that ran is lost there, and tried again as its job allows")
	case c.Lost > 1:
		a.note("rota: %s that ran are lost there, and tried again as their jobs allow", plural(c.Lost, "attempt"))
	}
	if c.Replaced > 0 {
		a.note("rota: %s had bytes that PostgreSQL cannot store; U+FFFD stands for them", plural(c.Replaced, "text"))
	}
}

// printSums prints what each table has, or all that is known as JSON.
func (a *app) printSums(all any, sums []rota.TableSum, form string) error {
	if form == formJSON {
		return a.printJSON(all)
	}
	t := table{heads: []string{"TABLE", "ROWS", "SHA256"}, right: []bool{false, true, false}, colour: a.screen.colour}
	for _, s := range sums {
		t.rows = append(t.rows, []string{s.Table, number(s.Rows), s.Sum})
	}
	_, err := a.out.Write([]byte(t.String()))
	return err
}
