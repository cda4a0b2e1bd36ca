package server

import (
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
	}{
		{"in time", "0 * * * *", "UTC", "2026-03-01 10:00:00", "2026-03-01 10:00:01", "2026-03-01 11:00:00", ""},
		{"late", "0 * * * *", "UTC", "2026-03-01 10:00:00", "2026-03-01 10:40:00", "2026-03-01 11:00:00", ""},
		{"many were missed, and one is made up for", "* * * * *", "UTC", "2026-03-01 10:00:00", "2026-03-01 10:40:30", "2026-03-01 10:41:00", ""},
		{"too late", "0 0 * * *", "UTC", "2026-03-01 00:00:00", "2026-03-01 09:00:00", "2026-03-02 00:00:00", missed},
		{"too late, but a later one is not", "0 * * * *", "UTC", "2026-03-01 08:00:00", "2026-03-01 10:10:00", "2026-03-01 10:00:00", missed},
		{"in its zone", "0 3 * * *", "America/New_York", "2026-03-07 08:00:00", "2026-03-07 08:00:00", "2026-03-08 07:00:00", ""},
		{"a zone that this machine does not know", "0 3 * * *", "Mars/Olympus", "2026-03-07 08:00:00", "2026-03-07 08:00:00", "2026-03-07 09:00:00",
			`schedule "s": zone "Mars/Olympus" is not known; write for example Europe/Berlin or UTC`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sch := &rota.Schedule{Name: "s", Expr: tt.expr, Zone: tt.zone, Next: at(tt.due), Version: 7, By: "kim", Overlap: rota.OverlapAllow,
				Spec: rota.Spec{Argv: []string{"true"}, Priority: 3}}
			f := s.firing(sch, at(tt.now))
			if f.Schedule != "s" || f.Version != 7 || f.Overlap != rota.OverlapAllow || !f.Due.Equal(at(tt.due)) {
				t.Errorf("what fires: %+v", f)
			}
			if !f.Next.Equal(at(tt.next)) || f.Skipped != tt.skipped {
				t.Errorf("next %v, skipped %q; want %s, %q", f.Next.UTC(), f.Skipped, tt.next, tt.skipped)
			}
			if (f.Job == nil) != (f.Skipped != "") {
				t.Errorf("job %+v, skipped %q", f.Job, f.Skipped)
			}
			if f.Job != nil && (f.Job.Submitter != "kim" || f.Job.Schedule != "s" || f.Job.Home != "" || f.Job.Rank != -3) {
				t.Errorf("job: %+v", f.Job)
			}
		})
	}
}
