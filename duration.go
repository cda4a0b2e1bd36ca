package rota

import (
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time that is written as people write it, in JSON too: "90m", "1h30m", "01:30:00".
type Duration time.Duration

// D is the duration as the standard library has it.
func (d Duration) D() time.Duration { return time.Duration(d) }

// Micros is the duration in microseconds, the unit of the store.
func (d Duration) Micros() int64 { return time.Duration(d).Microseconds() }

func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	*d = v
	return err
}

// ParseDuration reads a length of time: "90m", "1.5h", "2d12h", "45" (seconds), "30:00" (minutes:seconds) or
// "01:30:00" (hours:minutes:seconds). It is never negative.
func ParseDuration(s string) (Duration, error) {
	if d, ok := parseClock(s); ok {
		return d, nil
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 0 && n < 1e9 {
		return Duration(n * float64(time.Second)), nil
	}
	rest, days := s, time.Duration(0)
	if before, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(before, 10, 16)
		if err != nil {
			return 0, badDuration(s)
		}
		days, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest == "" && days > 0 {
		return Duration(days), nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d+days < 0 {
		return 0, badDuration(s)
	}
	return Duration(d + days), nil
}

func parseClock(s string) (Duration, bool) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	var seconds uint64
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil || (i > 0 && n > 59) {
			return 0, false
		}
		seconds = seconds*60 + n
	}
	if seconds > 1e9 {
		return 0, false
	}
	return Duration(time.Duration(seconds) * time.Second), true
}

func badDuration(s string) error {
	return Invalid("duration %q: write 90m, 1.5h, 2d12h, 45 (seconds) or 01:30:00", s)
}
