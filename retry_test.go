package rota_test

import (
	"math"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"pgregory.net/rapid"
)

func TestRetryWaitDoublesUpToItsCap(t *testing.T) {
	r := rota.Retry{First: rota.Duration(10 * time.Second), Cap: rota.Duration(time.Hour)}
	for n, want := range map[int]time.Duration{1: 10 * time.Second, 2: 20 * time.Second, 3: 40 * time.Second, 9: 2560 * time.Second,
		10: time.Hour, 11: time.Hour, 1000: time.Hour, math.MaxInt: time.Hour} {
		if got := r.Wait(n, 0.5).D(); got != want {
			t.Errorf("wait after failure %d is %v, want %v", n, got, want)
		}
	}
	for _, c := range []struct {
		random float64
		want   time.Duration
	}{{0, 8 * time.Second}, {0.25, 9 * time.Second}, {0.75, 11 * time.Second}} {
		if got := r.Wait(1, c.random).D(); (got - c.want).Abs() > time.Microsecond {
			t.Errorf("wait with the random number %v is %v, want %v", c.random, got, c.want)
		}
	}
	if got := (rota.Retry{First: rota.Duration(time.Hour), Cap: rota.Duration(time.Minute)}).Wait(1, 0.5).D(); got != time.Minute {
		t.Errorf("a first wait over the cap is %v, want the cap", got)
	}
}

func TestRetryWaitBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rota.Retry{First: rota.Duration(rapid.Int64Range(1, int64(1000*time.Hour)).Draw(t, "first")),
			Cap: rota.Duration(rapid.Int64Range(1, int64(1000*time.Hour)).Draw(t, "cap"))}
		n := rapid.IntRange(1, 2000).Draw(t, "n")
		plain := r.Wait(n, 0.5)
		if plain < min(r.First, r.Cap) || plain > r.Cap {
			t.Fatalf("wait %v is outside %v and %v", plain, r.First, r.Cap)
		}
		if next := r.Wait(n+1, 0.5); next < plain {
			t.Fatalf("wait shrinks from %v to %v", plain, next)
		}
		got := r.Wait(n, rapid.Float64Range(0, 1).Draw(t, "random"))
		if low, high := float64(plain)*0.8, float64(plain)*1.2; float64(got) < low-1 || float64(got) > high+1 {
			t.Fatalf("wait %v is not within a fifth of %v", got, plain)
		}
		if j := r.WaitJittered(n); float64(j) < float64(plain)*0.8-1 || float64(j) > float64(plain)*1.2+1 {
			t.Fatalf("jittered wait %v is not within a fifth of %v", j, plain)
		}
	})
}

func TestRetryOr(t *testing.T) {
	d := rota.DefaultRetry()
	if got := (*rota.Retry)(nil).Or(d); got != d {
		t.Errorf("nothing said: %+v", got)
	}
	got := (&rota.Retry{}).Or(d)
	if *got.Count != rota.DefaultRetries || got.First != rota.DefaultRetryFirst || got.Cap != rota.DefaultRetryCap ||
		got.OnLost != rota.LostRetry || *got.MaxLost != rota.DefaultMaxLost {
		t.Errorf("nothing filled in: %+v", got)
	}
	none := 0
	never := 0.0
	own := rota.Retry{Count: &none, First: 1, Cap: 2, Jitter: &never, OnLost: rota.LostFail, MaxLost: &none}
	if got := own.Or(d); got != own {
		t.Errorf("what was said is overridden: %+v", got)
	}
}
