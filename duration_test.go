package rota_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"pgregory.net/rapid"
)

func TestParseDurationTable(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "45": 45 * time.Second, "1.5": 1500 * time.Millisecond, "90m": 90 * time.Minute, "1.5h": 90 * time.Minute,
		"1h30m": 90 * time.Minute, "30:00": 30 * time.Minute, "90:00": 90 * time.Minute, "01:30:00": 90 * time.Minute,
		"1:02:03": time.Hour + 2*time.Minute + 3*time.Second, "100:00:00": 100 * time.Hour, "0:05": 5 * time.Second,
		"2d": 48 * time.Hour, "2d12h": 60 * time.Hour, "1d0.5h": 24*time.Hour + 30*time.Minute, "250ms": 250 * time.Millisecond,
		"3us": 3 * time.Microsecond, "1ns": 1,
	} {
		if got, err := rota.ParseDuration(text); err != nil || got.D() != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", " ", "x", "-1", "-5m", "1x", "1:60", "1:60:00", "1:2:3:4", ":", "1:", ":1", "1:-2", "d", "1dd", "-1d", "1d-2h",
		"1.5d", "12h2d", "NaN", "Inf", "-Inf", "1e300", "99999999999", "9999999999h", "70000d", "10 m", "999999999:00:00"} {
		if got, err := rota.ParseDuration(text); !errors.Is(err, rota.ErrInvalid) || got != 0 {
			t.Errorf("ParseDuration(%q) = %v, %v; want ErrInvalid", text, got, err)
		}
	}
}

func TestDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", time.Second: "1s", time.Minute: "1m", time.Hour: "1h", 90 * time.Minute: "1h30m",
		10 * time.Minute: "10m", 100 * time.Hour: "100h", time.Hour + time.Second: "1h0m1s", 1500 * time.Millisecond: "1.5s"} {
		if got := rota.Duration(d).String(); got != want {
			t.Errorf("%d is written %q, want %q", d, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := rota.Duration(rapid.Int64Min(0).Draw(t, "duration"))
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var back rota.Duration
		if err := json.Unmarshal(text, &back); err != nil || back != d {
			t.Fatalf("%d is written %s and read as %d, %v", d, text, back, err)
		}
	})
}

func TestDurationMicros(t *testing.T) {
	if got := rota.Duration(1500 * time.Nanosecond).Micros(); got != 1 {
		t.Errorf("1.5 microseconds are %d", got)
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"90m", "1.5h", "2d12h", "45", "01:30:00", "30:00", "-1s", "1e9", "0x1p4", "106751d23h47m16.854775807s", "NaN", "d", ":"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := rota.ParseDuration(s)
		if err != nil {
			if !errors.Is(err, rota.ErrInvalid) || d != 0 {
				t.Fatalf("ParseDuration(%q) = %v, %v", s, d, err)
			}
			return
		}
		if d < 0 {
			t.Fatalf("ParseDuration(%q) = %v: never negative", s, d)
		}
		if again, err := rota.ParseDuration(d.String()); err != nil || again != d {
			t.Fatalf("ParseDuration(%q) = %v, and of that text %v, %v", s, d, again, err)
		}
	})
}
