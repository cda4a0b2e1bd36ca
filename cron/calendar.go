package cron

import "time"

// searchMonths bounds the search for a matching day: the calendar repeats after 400 years, so what does
// not match in them never does.
const searchMonths = 400*12 + 1

// nextWall is the first matching second on the wall that begins at the given second or later.
func (s Schedule) nextWall(from int64) (int64, bool) {
	at := time.Unix(from, 0).UTC()
	year, month, day := at.Date()
	if s.days(year, month).has(day) {
		if hour, minute, second, ok := s.timeOfDay(at.Hour(), at.Minute(), at.Second()); ok {
			return wallTime(year, month, day, hour, minute, second), true
		}
	}
	day++
	for range searchMonths {
		if day, ok := s.days(year, month).from(day); ok {
			return wallTime(year, month, day, s.hour.set.min(), s.minute.set.min(), s.second.set.min()), true
		}
		day = 1
		if month++; month > time.December {
			year, month = year+1, time.January
		}
	}
	return 0, false
}

func wallTime(year int, month time.Month, day, hour, minute, second int) int64 {
	return time.Date(year, month, day, hour, minute, second, 0, time.UTC).Unix()
}

// timeOfDay is the first matching hour, minute and second of a day, the given ones or later.
func (s Schedule) timeOfDay(hour, minute, second int) (int, int, int, bool) {
	if s.hour.set.has(hour) {
		if s.minute.set.has(minute) {
			if sec, ok := s.second.set.from(second); ok {
				return hour, minute, sec, true
			}
		}
		if m, ok := s.minute.set.from(minute + 1); ok {
			return hour, m, s.second.set.min(), true
		}
	}
	h, ok := s.hour.set.from(hour + 1)
	return h, s.minute.set.min(), s.second.set.min(), ok
}

// days is the set of matching days of a month.
func (s Schedule) days(year int, mon time.Month) set {
	if !s.month.set.has(int(mon)) {
		return 0
	}
	end := time.Date(year, mon+1, 0, 0, 0, 0, 0, time.UTC)
	m := month{last: end.Day()}
	m.first = int(end.Weekday()+7*5-time.Weekday(m.last)+1) % 7
	week := s.dayOfWeek.set>>m.first | s.dayOfWeek.set<<(7-m.first)
	week &= 1<<7 - 1 // bit 0 is the 1st's weekday
	var ofWeek set
	for day := 1; day <= m.last; day += 7 {
		ofWeek |= week << day
	}
	ofMonth := s.dayOfMonth.set
	if s.dayOfMonth.special != 0 {
		ofMonth |= m.specialDays(s.dayOfMonth.special)
	}
	if s.dayOfWeek.special != 0 {
		ofWeek |= m.specialWeekdays(s.dayOfWeek.special)
	}
	matching := ofMonth | ofWeek
	if s.dayOfMonth.star || s.dayOfWeek.star {
		matching = ofMonth & ofWeek
	}
	return matching & progression(1, m.last, 1)
}
