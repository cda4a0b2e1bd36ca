package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"time"

	"github.com/rotaqueue/rota"
)

// Time is a time as people read it, in their zone, with all of it to be had; a page counts on from what it says.
func (r *request) Time(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	at := t.In(r.zone)
	return r.timeTag(t, r.clock(at))
}

// Ago is how long ago a time was, or how long it is until then.
func (r *request) Ago(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return r.timeTag(t, agoText(r.Now.Sub(t)))
}

func (r *request) timeTag(t time.Time, text string) template.HTML {
	at := t.In(r.zone)
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339Nano) + `" title="` +
		template.HTMLEscapeString(at.Format("Mon 2 Jan 2006 15:04:05.000 MST (-07:00)")) + `">` + template.HTMLEscapeString(text) + `</time>`)
}

// clock leaves out the day where that is today.
func (r *request) clock(at time.Time) string {
	now := r.Now.In(r.zone)
	switch {
	case at.YearDay() == now.YearDay() && at.Year() == now.Year():
		return at.Format("15:04:05 MST")
	case at.Year() == now.Year():
		return at.Format("2 Jan 15:04:05 MST")
	}
	return at.Format("2006-01-02 15:04 MST")
}

// Zone is the zone of all times of the page.
func (r *request) Zone() string { return r.zone.String() }

// Since is how long ago a time was.
func (r *request) Since(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return max(0, r.Now.Sub(t))
}

func agoText(d time.Duration) string {
	if d < 0 {
		return "in " + brief(-d)
	}
	if d < time.Second {
		return "now"
	}
	return brief(d) + " ago"
}

// brief is a length of time in its largest unit or two.
func brief(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.Itoa(int(d.Milliseconds())) + " ms"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return pair(int(d/time.Minute), "min", int(d%time.Minute/time.Second), "s", d < 10*time.Minute)
	case d < 48*time.Hour:
		return pair(int(d/time.Hour), "h", int(d%time.Hour/time.Minute), "min", d < 10*time.Hour)
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " d"
}

func pair(a int, unit string, b int, small string, both bool) string {
	if !both || b == 0 {
		return fmt.Sprintf("%d %s", a, unit)
	}
	return fmt.Sprintf("%d %s %d %s", a, unit, b, small)
}

// durationText takes what has a length: a time.Duration or a rota.Duration.
func durationText(d any) string {
	switch v := d.(type) {
	case time.Duration:
		return brief(v)
	case rota.Duration:
		return brief(v.D())
	}
	return ""
}

func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// countText is a number with its thousands apart.
func countText(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// cappedText is a number that was counted up to a cap only.
func cappedText(n int) string {
	if n >= rota.CountCap {
		return countText(rota.CountCap) + "+"
	}
	return countText(n)
}

// Capped is how many tasks there are, as far as they were counted.
func (r *request) Capped(n int) string {
	if n == 1 {
		return "1 task"
	}
	return cappedText(n) + " tasks"
}

func percent(n, of int) string {
	if of <= 0 {
		return "0"
	}
	return strconv.FormatFloat(100*float64(n)/float64(of), 'f', 2, 64)
}

func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return countText(n) + " " + one + "s"
}

func trimFloat(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) + " on average" }
