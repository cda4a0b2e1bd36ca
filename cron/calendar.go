package cron

import "time"

// searchMonths bounds the search for a matching day: the calendar repeats after 400 years, so what does
// not match in them never does.
const searchMonths = 400*12 + 1

// nextWall is the first matching minute on the wall that begins at the given second or later.
func (s Schedule) nextWall(from int64) (int64, bool) {
	at := time.Unix(roundDown(from+59, 60), 0).UTC()
	year, month, day := at.Date()
	if s.days(year, month).has(day) {
		if hour, minute, ok := s.timeOfDay(at.Hour(), at.Minute()); ok {
			return wallTime(year, month, day, hour, minute), true
		}
	}
	day++
	for range searchMonths {
		if day, ok := s.days(year, month).from(day); ok {
			return wallTime(year, month, day, s.hour.set.min(), s.minute.set.min()), true
		}
		day = 1
		if month++; month > time.December {
			year, month = year+1, time.January
		}
	}
	return 0, false
}

func wallTime(year int, month time.Month, day, hour, minute int) int64 {
	return time.Date(year, month, day, hour, minute, 0, 0, time.UTC).Unix()
}

// timeOfDay is the first matching hour and minute of a day, the given ones or later.
func (s Schedule) timeOfDay(hour, minute int) (int, int, bool) {
	if s.hour.set.has(hour) {
		if m, ok := s.minute.set.from(minute); ok {
			return hour, m, true
		}
	}
	h, ok := s.hour.set.from(hour + 1)
	return h, s.minute.set.min(), ok
}

// days is the set of matching days of a month.
func (s Schedule) days(year int, month time.Month) set {
	if !s.month.set.has(int(month)) {
		return 0
	}
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
	first := int(last.Weekday()+7*5-time.Weekday(last.Day())+1) % 7 // the weekday of the 1st
	week := s.dayOfWeek.set>>first | s.dayOfWeek.set<<(7-first)
	week &= 1<<7 - 1 // bit 0 is the 1st's weekday
	var ofWeek set
	for day := 1; day <= last.Day(); day += 7 {
		ofWeek |= week << day
	}
	matching := s.dayOfMonth.set | ofWeek
	if s.dayOfMonth.star || s.dayOfWeek.star {
		matching = s.dayOfMonth.set & ofWeek
	}
	return matching & progression(1, last.Day(), 1)
}
