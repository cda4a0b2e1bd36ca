package rota

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestD6_ASeriesIsBoundedEvenAndCurrent adds samples that come about as often as nodes send them, with gaps.
func TestD6_ASeriesIsBoundedEvenAndCurrent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Series
		at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		first := at
		jitter := rapid.Int64Range(-int64(time.Second), int64(time.Second))
		for n := range rapid.IntRange(1, 3000).Draw(t, "samples") {
			p := Point{At: at.Add(time.Duration(jitter.Draw(t, "late"))), Sample: Sample{CPU: Duration(n)}}
			if n == 0 {
				first = p.At
			}
			s.Add(p)
			if len(s.Points) > MaxPoints || s.Points[len(s.Points)-1] != p || !s.Points[0].At.Equal(first) {
				t.Fatalf("after %d samples: %d points, from %v to %v", n+1, len(s.Points), s.Points[0].At, s.Points[len(s.Points)-1].At)
			}
			at = at.Add(SampleEvery)
			if rapid.IntRange(0, 200).Draw(t, "gap") == 0 {
				at = at.Add(time.Hour)
			}
		}
		for i := 1; i < len(s.Points)-1; i++ {
			if gap := s.Points[i].At.Sub(s.Points[i-1].At); gap < s.Step.D()-SampleEvery/2 {
				t.Errorf("points %d and %d of %d are %v apart, with a step of %v", i-1, i, len(s.Points), gap, s.Step)
			}
		}
	})
}

func TestD6_AWeekLongSeries(t *testing.T) {
	var s Series
	begin := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for at := time.Duration(0); at < 7*24*time.Hour; at += SampleEvery {
		s.Add(Point{At: begin.Add(at)})
	}
	if len(s.Points) < MaxPoints/2 || s.Step.D() != 256*SampleEvery {
		t.Errorf("%d points, %v apart", len(s.Points), s.Step)
	}
}
