package cron

import (
	"fmt"
	"time"
)

// Odd is a change of the zone's clock that a schedule meets: some time on the wall that it names is skipped or repeated.
type Odd struct {
	Change   time.Time // the first instant after it
	Gap      bool      // the clock is put forward: the time is skipped; else put back: it comes twice
	Wall     time.Time // the first such time, as a clock in UTC shows it
	Due      time.Time // when it is due, for the first time; zero: not at all
	Interval bool      // the schedule follows real time: nothing is made up for, and both passes count
}

// maxChanges bounds how many changes of the clock are looked at.
const maxChanges = 64

// Odd are the odd times of a schedule after one instant and up to another, in the zone of the former.
func (s Schedule) Odd(after, until time.Time) (odd []Odd) {
	if s == (Schedule{}) || s.every > 0 || s.at != 0 || s.once {
		return nil
	}
	loc := after.Location()
	sp := spanAt(after.Unix(), loc)
	for range maxChanges {
		if sp.end > until.Unix() || sp.end >= endOfTime {
			break
		}
		next := spanAt(sp.end, loc)
		low, high := sp.wallEnd(), next.start+next.offset
		if wall, ok := s.nextWall(min(low, high)); ok && wall < max(low, high) {
			odd = append(odd, s.oddAt(wall, sp, next, loc))
		}
		sp = next
	}
	return odd
}

// oddAt is what becomes of a time on the wall that lies between two spans, or in both.
func (s Schedule) oddAt(wall int64, before, after span, loc *time.Location) Odd {
	o := Odd{Change: time.Unix(after.start, 0).In(loc), Gap: after.offset > before.offset, Wall: time.Unix(wall, 0).UTC(), Interval: s.isInterval()}
	switch {
	case !o.Gap:
		o.Due = time.Unix(wall-before.offset, 0).In(loc)
	case !o.Interval:
		o.Due = o.Change
	}
	return o
}

// String says it in a sentence.
func (o Odd) String() string {
	wall := o.Wall.Format("Mon 2006-01-02 15:04")
	if o.Wall.Second() != 0 {
		wall = o.Wall.Format("Mon 2006-01-02 15:04:05")
	}
	switch {
	case o.Gap && o.Interval:
		return fmt.Sprintf("%s is skipped by the clock, which goes forward: not due then", wall)
	case o.Gap:
		return fmt.Sprintf("%s is skipped by the clock, which goes forward: due once, at %s", wall, o.Due.Format("15:04:05 MST -07:00"))
	case o.Interval:
		return fmt.Sprintf("%s comes twice, as the clock goes back: due both times", wall)
	}
	return fmt.Sprintf("%s comes twice, as the clock goes back: due the first time only, at %s", wall, o.Due.Format("15:04:05 MST -07:00"))
}
