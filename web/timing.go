package web

import (
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// timingField is a field of when and where a schedule's jobs run, and of what is told of it.
type timingField struct {
	Name, Label, Value, Help string
	Choices                  [][2]string // values and what they mean; none: a text
	Lines                    bool        // the text has some
	Required                 bool
}

var overlaps = [][2]string{{string(rota.OverlapSkip), "skip this time"}, {string(rota.OverlapQueue), "queue it behind"}, {string(rota.OverlapAllow), "allow both"},
	{string(rota.OverlapReplace), "replace the one before"}}

var missedChoices = [][2]string{{string(rota.MissedOnce), "make up for one"}, {string(rota.MissedAll), "make up for each"}, {string(rota.MissedSkip), "skip them"}}

// timingFields are a schedule's, as a form has them.
func timingFields(s *rota.Schedule) []timingField {
	length := func(d rota.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	fails := ""
	if s.Alarm.Fails > 0 {
		fails = strconv.Itoa(s.Alarm.Fails)
	}
	return []timingField{
		{Name: "expr", Label: "Expression", Value: s.Expr, Help: "*/5 * * * *, @daily, @every 90s", Required: true},
		{Name: "zone", Label: "Zone", Value: s.Zone, Required: true},
		{Name: "on", Label: "Runs on", Value: s.On, Help: "any, all, a node or KEY=VALUE"},
		{Name: "overlap", Label: "When the one before still runs", Value: string(s.Overlap), Choices: overlaps},
		{Name: "missed", Label: "Times missed while no node ran", Value: string(s.Missed), Choices: missedChoices},
		{Name: "deadline", Label: "Made up for within", Value: length(s.Deadline), Help: rota.MissedWithin.String()},
		{Name: "jitter", Label: "Jitter: each up to so much later", Value: length(s.Jitter), Help: "none"},
		{Name: "spread", Label: "Spread: all later by a part of this", Value: length(s.Spread), Help: "none"},
		{Name: "late", Label: "Alarm: not started so long after it was due", Value: length(s.Alarm.Late), Help: "none"},
		{Name: "long", Label: "Alarm: runs longer than", Value: length(s.Alarm.Long), Help: "none"},
		{Name: "fails", Label: "Alarm: failures in a row", Value: fails, Help: "none"},
		{Name: "calendar", Label: "Days off, one a line", Value: s.Calendar, Help: "2026-12-25\n12-25\n2026-12-24..2027-01-02", Lines: true},
	}
}

// readTiming puts what a form says of a schedule's timing into it. What the form does not have stays as it is.
func readTiming(r *request, s *rota.Schedule) error {
	if err := r.ParseForm(); err != nil {
		return rota.Invalid("form: %v", err)
	}
	put := func(name string, to func(text string) error) error {
		if !r.PostForm.Has(name) {
			return nil
		}
		return to(strings.TrimSpace(strings.ReplaceAll(r.PostForm.Get(name), "\r\n", "\n")))
	}
	for name, to := range map[string]*string{"expr": &s.Expr, "zone": &s.Zone, "on": &s.On, "overlap": (*string)(&s.Overlap), "missed": (*string)(&s.Missed), "calendar": &s.Calendar} {
		if err := put(name, func(text string) error { *to = text; return nil }); err != nil {
			return err
		}
	}
	for name, to := range map[string]*rota.Duration{"deadline": &s.Deadline, "jitter": &s.Jitter, "spread": &s.Spread, "late": &s.Alarm.Late, "long": &s.Alarm.Long} {
		if err := put(name, func(text string) (err error) { *to, err = lengthOf(name, text); return err }); err != nil {
			return err
		}
	}
	return put("fails", func(text string) (err error) {
		if s.Alarm.Fails = 0; text != "" {
			if s.Alarm.Fails, err = strconv.Atoi(text); err != nil {
				return rota.Invalid("failures in a row %q: not a number", text)
			}
		}
		return nil
	})
}

// lengthOf reads a length of time; nothing is none.
func lengthOf(name, text string) (rota.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := rota.ParseDuration(text)
	if err != nil {
		return 0, rota.Invalid("%s: %v", name, err)
	}
	return d, nil
}
