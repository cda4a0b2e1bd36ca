package web

import (
	"context"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// pastService has queues and what they held before.
type pastService struct {
	rota.Service
	ended  int
	before []rota.StoreSample
	asked  int
}

func (s *pastService) Queues(context.Context) ([]rota.Queue, error) {
	return []rota.Queue{{Name: "q", Counts: map[rota.State]int{rota.Ready: 3, rota.Running: 2, rota.Succeeded: s.ended, rota.Failed: 1}}}, nil
}

func (s *pastService) Jobs(context.Context, rota.JobQuery) ([]rota.Job, error) { return nil, nil }

func (s *pastService) StoreSamples(_ context.Context, since time.Time) (out []rota.StoreSample, err error) {
	s.asked++
	for _, x := range s.before {
		if !x.At.Before(since) {
			out = append(out, x)
		}
	}
	return out, nil
}

// TestD13ChartsBeginBeforeTheServer: what was noted before a server began is in its charts, once, and goes on in them.
func TestD13ChartsBeginBeforeTheServer(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	svc := &pastService{ended: 600}
	for ago := 10 * 24 * time.Hour; ago >= time.Minute; ago -= time.Minute { // ten tasks a minute
		svc.before = append(svc.before, rota.StoreSample{At: now.Add(-ago), Waiting: 3, Running: 2, Ended: 600 - 10*int(ago.Minutes()) + 1})
	}
	p := New(svc, Options{Now: func() time.Time { return now }})
	sample := func(n int, pause time.Duration) {
		for range n {
			queues, _ := svc.Queues(t.Context())
			p.feed.sample(t.Context(), queues)
			now = now.Add(pause)
			svc.ended += int(pause * 10 / time.Minute)
		}
	}
	sample(1, time.Minute)
	look := func(last time.Duration) {
		t.Helper()
		charts := p.storeCharts(&request{}, last)
		if len(charts) != 3 {
			t.Fatalf("%d charts", len(charts))
		}
		for _, c := range charts {
			n := len(c.Times)
			if n < 50 || n > 125 {
				t.Errorf("%s of the last %v has %d points", c.Title, last, n)
				continue
			}
			if first := time.Unix(c.Times[0], 0); now.Sub(first) > last || now.Sub(first) < last*9/10 {
				t.Errorf("%s of the last %v begins at %v, and it is %v", c.Title, last, first, now)
			}
			for i := 1; i < n; i++ {
				if c.Times[i] <= c.Times[i-1] {
					t.Fatalf("%s of the last %v goes back from %d to %d", c.Title, last, c.Times[i-1], c.Times[i])
				}
			}
		}
		for i, v := range charts[0].Series[0].Values {
			if v < 9.5 || v > 10.5 {
				t.Errorf("the last %v: %v ended a minute at point %d of %d", last, v, i, len(charts[0].Times))
			}
		}
	}
	for _, x := range ranges {
		look(x.Last)
	}
	sample(3*60, time.Minute) // it goes on by itself
	for _, x := range ranges {
		look(x.Last)
	}
	if svc.asked != 1 {
		t.Errorf("what was before was asked for %d times", svc.asked)
	}
	if n := len(p.feed.earlier); n > int(rota.StoreSamplesFor/time.Minute)+1 {
		t.Errorf("%d points are remembered", n)
	}
}

// TestD6_AnAttemptsChartsHaveItsLimits: CPU time is a sum, and its chart says of how many CPUs.
func TestD6_AnAttemptsChartsHaveItsLimits(t *testing.T) {
	begun := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var points []rota.Point
	for i := range 6 {
		x := rota.Point{At: begun.Add(time.Duration(i) * 10 * time.Second)}
		x.Memory, x.Processes, x.CPU = int64(i)<<20, 1+i%3, rota.Duration(time.Duration(i)*15*time.Second)
		points = append(points, x)
	}
	charts := pointCharts(points, rota.Limits{Memory: 8 << 20, CPUs: 2, PIDs: 10})
	for i, want := range []struct {
		points      int
		most, limit float64
	}{{6, 5 << 20, 8 << 20}, {5, 1.5, 2}, {6, 3, 10}} {
		c := charts[i]
		if len(c.Times) != want.points || len(c.Series[0].Values) != want.points || c.Most() != want.most || len(c.Marks) != 1 || c.Marks[0].Value != want.limit {
			t.Errorf("%s: %+v", c.Title, c)
		}
	}
	if charts := pointCharts(points, rota.Limits{}); len(charts) != 3 || len(charts[0].Marks)+len(charts[1].Marks)+len(charts[2].Marks) > 0 {
		t.Error("without limits there are some")
	}
}
