package rota_test

import (
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// TestWhenAStartIsExpected: a start that is expected is told as a span from now on, and as no start before now.
func TestWhenAStartIsExpected(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(from, to time.Duration, seen int) *rota.Expect {
		return &rota.Expect{From: now.Add(from), To: now.Add(to), Seen: seen}
	}
	for _, c := range []struct {
		e    *rota.Expect
		want string
	}{
		{nil, ""},
		{at(-time.Minute, 999*time.Millisecond, 5), "at once"},
		{at(-time.Minute, time.Minute, 1), "in 0s to 1m0s, as 1 task of late says"},
		{at(time.Second, time.Minute, 12), "in 1s to 1m0s, as 12 tasks of late say"},
	} {
		if got := c.e.Text(now, time.Duration.String); got != c.want {
			t.Errorf("%+v: %q, want %q", c.e, got, c.want)
		}
	}
}
