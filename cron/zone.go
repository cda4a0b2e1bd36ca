package cron

import "time"

const (
	secondsPerDay = 24 * 60 * 60

	// lookBack bounds how long ago a clock that was put back has shown the latest time it ever did. Clocks differ from
	// UTC by less than 16 hours either way, so 32 hours are enough; a clock has been put back by a whole day.
	lookBack = 2 * secondsPerDay

	endOfTime = 1 << 60 // far beyond year 9999, and far from overflow
)

// span is a stretch of instants, start to before end, in Unix seconds, through which a zone's clock differs from
// UTC by the same number of seconds. The start is where one began to look, not always where the offset began.
//
// Times on the wall are seconds too: those which a clock that shows the same in UTC would count.
type span struct{ start, end, offset int64 }

func (s span) wallEnd() int64 { return s.end + s.offset }

// spanAt is the span from the given instant on.
//
// It relies on the end that ZoneBounds reports and never on the start, which beyond a zone's last listed
// transition need not be where the offset began. The end may come too early there as well, which does no harm except on 31 December
// of a leap year, when it is not after the instant (golang/go#81583); nothing changes on that day then.
func spanAt(at int64, loc *time.Location) span {
	t := time.Unix(at, 0).In(loc)
	_, offset := t.Zone()
	s := span{start: at, end: endOfTime, offset: int64(offset)}
	if _, end := t.ZoneBounds(); !end.IsZero() {
		s.end = end.Unix()
	}
	if s.end <= at {
		s.end = roundDown(at, secondsPerDay) + secondsPerDay
	}
	return s
}
