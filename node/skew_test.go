package node

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestC8_TheClockIsComparedWithEachRenewal(t *testing.T) {
	var said strings.Builder
	in(t, 1, func(w *world) {
		w.m.look(func() { w.m.ahead = 90 * time.Minute })
		w.after(25 * time.Second) // two renewals: what the first finds the second tells
		if got := w.m.renewals[1].Skew; got != -(90 * time.Minute).Microseconds() {
			t.Errorf("told %v", got)
		}
		w.m.look(func() { w.m.ahead = -400 * time.Millisecond })
		w.after(20 * time.Second)
		if got := w.m.renewals[3].Skew; got != (400 * time.Millisecond).Microseconds() {
			t.Errorf("told %v", got)
		}
		w.after(time.Minute)
		if n, m := strings.Count(said.String(), "WARN"), strings.Count(said.String(), "is the store's again"); n != 1 || m != 1 {
			t.Errorf("warned %d times, and took it back %d times: %s", n, m, said.String())
		}
	}, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&said, nil)) })
}

func TestC8_HalfTheWayIsTakenOff(t *testing.T) {
	store := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var s skew
	log := slog.New(slog.DiscardHandler)
	for _, c := range []struct {
		now  time.Time
		trip time.Duration
		want time.Duration
	}{
		{store.Add(5*time.Second + 300*time.Millisecond), 600 * time.Millisecond, 5 * time.Second},
		{store, time.Minute, 5 * time.Second}, // says nothing
		{store.Add(-2 * time.Second), 0, -2 * time.Second},
	} {
		if s.measure(c.now, store, c.trip, log); s.ahead != c.want {
			t.Errorf("at %v after %v: %v, want %v", c.now, c.trip, s.ahead, c.want)
		}
	}
	if s.measure(store, time.Time{}, 0, log); s.ahead != -2*time.Second {
		t.Errorf("by an answer without a time: %v", s.ahead)
	}
}
