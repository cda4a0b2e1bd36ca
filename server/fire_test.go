package server

import (
	"fmt"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func TestP21Firing(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.Parse(time.DateTime, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	s := New(nil, Options{Transient: true, Home: "home"})
	for _, tt := range []struct {
		name, expr, zone string
		due, now, next   string
		skipped          string
		missed           rota.Missed
		deadline         rota.Duration
		calendar         string
	}{
		{name: "in time", expr: "0 * * * *", zone: "UTC", due: "2026-03-01 10:00:00", now: "2026-03-01 10:00:01", next: "2026-03-01 11:00:00"},
		{name: "late", expr: "0 * * * *", zone: "UTC", due: "2026-03-01 10:00:00", now: "2026-03-01 10:40:00", next: "2026-03-01 11:00:00"},
		{name: "many were missed, and one is made up for", expr: "* * * * *", zone: "UTC", due: "2026-03-01 10:00:00", now: "2026-03-01 10:40:30", next: "2026-03-01 10:41:00"},
		{name: "too late", expr: "0 0 * * *", zone: "UTC", due: "2026-03-01 00:00:00", now: "2026-03-01 09:00:00", next: "2026-03-02 00:00:00", skipped: missed},
		{name: "too late, but a later one is not", expr: "0 * * * *", zone: "UTC", due: "2026-03-01 08:00:00", now: "2026-03-01 10:10:00", next: "2026-03-01 10:00:00", skipped: missed},
		{name: "in its zone", expr: "0 3 * * *", zone: "America/New_York", due: "2026-03-07 08:00:00", now: "2026-03-07 08:00:00", next: "2026-03-08 07:00:00"},
		{name: "missed, and skipped", expr: "0 * * * *", zone: "UTC", due: "2026-03-01 10:00:00", now: "2026-03-01 10:02:00", next: "2026-03-01 11:00:00",
			missed: rota.MissedSkip, skipped: missed},
		{name: "missed, and skipped but for what is just due", expr: "* * * * *", zone: "UTC", due: "2026-03-01 10:00:00", now: "2026-03-01 10:40:30", next: "2026-03-01 10:40:00",
			missed: rota.MissedSkip, skipped: missed},
		{name: "missed, and each made up for", expr: "* * * * *", zone: "UTC", due: "2026-03-01 10:00:00", now: "2026-03-01 10:40:30", next: "2026-03-01 10:01:00",
			missed: rota.MissedAll},
		{name: "missed beyond its own deadline", expr: "* * * * *", zone: "UTC", due: "2026-03-01 10:00:00", now: "2026-03-01 10:40:30", next: "2026-03-01 10:31:00",
			missed: rota.MissedAll, deadline: rota.Duration(10 * time.Minute), skipped: missed},
		{name: "missed within its own deadline", expr: "0 0 * * *", zone: "UTC", due: "2026-03-01 00:00:00", now: "2026-03-01 20:00:00", next: "2026-03-02 00:00:00",
			deadline: rota.Duration(24 * time.Hour)},
		{name: "not on a day off", expr: "0 0 * * *", zone: "UTC", due: "2026-03-01 00:00:00", now: "2026-03-01 00:00:00", next: "2026-03-03 00:00:00",
			calendar: "03-02"},
		{name: "a zone that this machine does not know", expr: "0 3 * * *", zone: "Mars/Olympus", due: "2026-03-07 08:00:00", now: "2026-03-07 08:00:00", next: "2026-03-07 09:00:00",
			skipped: `schedule "s": zone "Mars/Olympus" is not known; write for example Europe/Berlin or UTC`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sch := &rota.Schedule{Name: "s", Expr: tt.expr, Zone: tt.zone, Next: at(tt.due), Version: 7, By: "kim", Overlap: rota.OverlapAllow,
				Missed: tt.missed, Deadline: tt.deadline, Calendar: tt.calendar, Spec: rota.Spec{Argv: []string{"true"}, Priority: 3}}
			f := s.firing(sch, at(tt.now), nil)
			if f.Schedule != "s" || f.Version != 7 || f.Overlap != rota.OverlapAllow || !f.Due.Equal(at(tt.due)) {
				t.Errorf("what fires: %+v", f)
			}
			if !f.Next.Equal(at(tt.next)) || f.Skipped != tt.skipped {
				t.Errorf("next %v, skipped %q; want %s, %q", f.Next.UTC(), f.Skipped, tt.next, tt.skipped)
			}
			if (len(f.Jobs) == 0) != (f.Skipped != "") {
				t.Errorf("jobs %+v, skipped %q", f.Jobs, f.Skipped)
			}
			for _, job := range f.Jobs {
				if job.Submitter != "kim" || job.Schedule != "s" || job.Home != "" {
					t.Errorf("job: %+v", job)
				}
			}
		})
	}
}

// Jitter differs from time to time, spread does not, and all servers find the same.
func TestDelay(t *testing.T) {
	due := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	spread, jitter := map[time.Duration]bool{}, map[time.Duration]bool{}
	for i := range 200 {
		s := rota.Schedule{Name: fmt.Sprint("s", i), Next: due, Spread: rota.Duration(time.Hour)}
		d := delay(&s)
		s.Next = due.Add(time.Hour)
		if d < 0 || d >= time.Hour || delay(&s) != d {
			t.Fatalf("spread %v, then %v", d, delay(&s))
		}
		spread[d/time.Minute] = true
		s = rota.Schedule{Name: "s", Next: due.Add(time.Duration(i) * time.Hour), Jitter: rota.Duration(time.Hour)}
		if d = delay(&s); d < 0 || d >= time.Hour || delay(&s) != d {
			t.Fatalf("jitter %v", d)
		}
		jitter[d/time.Minute] = true
	}
	if len(spread) < 50 || len(jitter) < 50 {
		t.Errorf("of 60 minutes %d by spread and %d by jitter", len(spread), len(jitter))
	}
	s := New(nil, Options{Transient: true, Home: "home"})
	sch := &rota.Schedule{Name: "s", Expr: "@daily", Zone: "UTC", Next: due, Spread: rota.Duration(time.Hour), Overlap: rota.OverlapSkip,
		Spec: rota.Spec{Argv: []string{"true"}}}
	if f := s.firing(sch, due, nil); len(f.Jobs) != 1 || !f.Jobs[0].Spec.At.Equal(due.Add(delay(sch))) || delay(sch) == 0 {
		t.Errorf("starts at %v, want %v later", f.Jobs[0].Spec.At, delay(sch))
	}
	if f := s.firing(sch, due.Add(2*time.Hour), nil); len(f.Jobs) != 0 && !f.Jobs[0].Spec.At.IsZero() {
		t.Errorf("made up for, and late enough: starts at %v", f.Jobs[0].Spec.At)
	}
}
