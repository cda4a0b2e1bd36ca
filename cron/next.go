package cron

import (
	"math"
	"time"
)

// lastYear is the last year that RFC 3339, the form in which times travel, can write.
const lastYear = 9999

// Next is the first time after t at which the schedule is due, in t's location. It is the zero time when there
// is none: for days that never come ("0 0 30 2 *"), and outside the years 0 to 9999.
//
// Where the zone's clock is put forward or back, this is the rule. An expression is an interval if its hour
// field allows all 24 hours (*, */1, 0-23), however its other fields look; all others are fixed.
//
//   - An interval follows real time. It is due at each instant at which the zone's clock begins a second that
//     matches: in each pass of a repeated hour, and not for times that were skipped.
//   - A fixed expression follows the clock on the wall, and each matching second of it counts once. It is due
//     at the first instant at which the zone's clock reads that time or a later one: that is the first pass of a
//     repeated hour, and the end of the gap for a time that was skipped. However many times come due
//     at one instant, skipped or not, it is one due time. (Expressions of five fields match each minute's first second.)
//
// So "*/5 * * * *" runs 12 times in every real hour, while "*/5 2 * * *" runs once, at 03:00, on the
// day on which the clock goes from 02:00 to 03:00. A gap may be a day long: on an island that moves
// across the date line, what was due on the day it leaves out is due once as the next day begins.
//
// @every follows elapsed time and knows no zone: it is due at the multiples of its duration since
// 1970-01-01T00:00:00Z. All nodes agree on them, whenever they started; hence the first wait may be
// shorter than the duration, and @every 24h is due at midnight UTC. @at is due once, at its instant.
func (s Schedule) Next(t time.Time) time.Time {
	if s == (Schedule{}) || t.Year() < 0 || t.Year() > lastYear {
		return time.Time{}
	}
	if s.at != 0 || s.once {
		return s.nextOnce(t)
	}
	var (
		next int64
		ok   bool
		unix = t.Unix() // rounded down: what is due after it in whole seconds is due after t
	)
	switch {
	case s.every > 0:
		next, ok = roundDown(unix, s.every)+s.every, true
	case s.isInterval():
		next, ok = s.nextInterval(unix, t.Location())
	default:
		next, ok = s.nextFixed(unix, t.Location())
	}
	due := time.Unix(next, 0).In(t.Location())
	if !ok || due.Year() > lastYear {
		return time.Time{}
	}
	return due
}

func (s Schedule) nextOnce(t time.Time) time.Time {
	if at := time.UnixMicro(s.at); s.at != 0 && at.After(t) {
		return at.In(t.Location())
	}
	return time.Time{}
}

// nextInterval looks for a matching second on the wall, one span of constant offset after the other. What it found
// beyond the end of a span holds for the next one too, unless that begins before where the search did or after what
// it found.
func (s Schedule) nextInterval(after int64, loc *time.Location) (int64, bool) {
	sp := spanAt(after, loc)
	low := after + sp.offset + 1
	wall, ok := s.nextWall(low)
	for ok && wall >= sp.wallEnd() {
		sp = spanAt(sp.end, loc)
		if begin := sp.start + sp.offset; begin < low || begin > wall {
			low = begin
			wall, ok = s.nextWall(low)
		}
	}
	return wall - sp.offset, ok
}

// nextFixed takes the first matching second that the wall clock has not yet reached, and waits until it has.
func (s Schedule) nextFixed(after int64, loc *time.Location) (int64, bool) {
	wall, ok := s.nextWall(firstUnreached(after, loc))
	if !ok {
		return 0, false
	}
	sp := spanAt(after, loc)
	for wall >= sp.wallEnd() {
		sp = spanAt(sp.end, loc)
	}
	return max(wall-sp.offset, sp.start), true
}

// firstUnreached is the first second on the wall that the clock has neither read nor passed until the given
// instant. After the clock was put back that is more than what it reads now.
func firstUnreached(at int64, loc *time.Location) int64 {
	first := int64(math.MinInt64)
	sp := spanAt(at-lookBack, loc)
	for sp.end <= at {
		first = max(first, sp.wallEnd())
		sp = spanAt(sp.end, loc)
	}
	return max(first, at+sp.offset+1)
}

func roundDown(n, unit int64) int64 {
	rest := n % unit
	if rest < 0 {
		rest += unit
	}
	return n - rest
}
