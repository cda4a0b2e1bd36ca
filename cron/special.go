package cron

import (
	"fmt"
	"strconv"
	"strings"
)

// Special days of the month are bits of one set: bit n is the n-th day before the last (L, L-n), bit nearest+n the weekday
// nearest to the n-th (nW), bit nearest+0 the last weekday (LW). A weekday is one of Monday to Friday.
//
// Special days of the week are bits 8*weekday+n: the n-th such day of a month (a#n), and for n = 0 its last (aL).
const nearest = 32

// maxBefore is how far before the last day L-n may be: the shortest month still has that day.
const maxBefore = 27

// parseSpecial reads what stands for other days in each month, if the item is such.
func (f field) parseSpecial(item string) (s set, is bool, err error) {
	switch f.also {
	case alsoDays:
		return f.specialDay(item)
	case alsoWeekdays:
		return f.specialWeekday(item)
	}
	return 0, false, nil
}

// formatSpecial writes it.
func (f field) formatSpecial(special set) []string {
	switch f.also {
	case alsoDays:
		return formatSpecialDays(special)
	case alsoWeekdays:
		return formatSpecialWeekdays(special)
	}
	return nil
}

// specialDay reads L, L-n, nW and LW.
func (f field) specialDay(item string) (s set, is bool, err error) {
	text := strings.ToUpper(item)
	if text == "L" {
		return 1 << 0, true, nil
	}
	if text == "LW" {
		return 1 << nearest, true, nil
	}
	if before, cut := strings.CutPrefix(text, "L-"); cut {
		n, err := strconv.Atoi(before)
		if err != nil || !isNumber(before) || n > maxBefore {
			return 0, true, fmt.Errorf("so many days before the last, L-n, are L-0 to L-%d", maxBefore)
		}
		return 1 << n, true, nil
	}
	day, cut := strings.CutSuffix(text, "W")
	if !cut {
		return 0, false, nil
	}
	n, err := f.parseNumber(day)
	if err != nil {
		return 0, true, err
	}
	return 1 << (nearest + n), true, nil
}

// specialWeekday reads a#n and aL.
func (f field) specialWeekday(item string) (s set, is bool, err error) {
	name, nth, hash := strings.Cut(item, "#")
	if !hash {
		var last bool
		if name, last = strings.CutSuffix(strings.ToUpper(item), "L"); !last || name == "" {
			return 0, false, nil
		}
		nth = "0"
	}
	day, err := f.parseNumber(name)
	if err != nil {
		return 0, true, err
	}
	n, err := strconv.Atoi(nth)
	if hash && (err != nil || !isNumber(nth) || n < 1 || n > 5) {
		return 0, true, fmt.Errorf("a#n is the n-th such day of the month; allowed: #1 to #5")
	}
	return 1 << (8*(day%7) + n), true, nil
}

// month is how the days of a month lie.
type month struct {
	first int // the weekday of its first day
	last  int // its last day
}

// nearWeekday is the weekday nearest to a day, within the month.
func (m month) nearWeekday(day int) int {
	switch (m.first + day - 1) % 7 {
	case 6:
		if day == 1 {
			return 3
		}
		return day - 1
	case 0:
		if day == m.last {
			return day - 2
		}
		return day + 1
	}
	return day
}

// specialDays are the days that special days of the month stand for.
func (m month) specialDays(special set) (days set) {
	for n := range maxBefore + 1 {
		if special.has(n) {
			days |= 1 << (m.last - n)
		}
	}
	if special.has(nearest) {
		last := m.last
		for wd := (m.first + last - 1) % 7; wd == 0 || wd == 6; wd = (m.first + last - 1) % 7 {
			last--
		}
		days |= 1 << last
	}
	for day := 1; day <= m.last; day++ {
		if special.has(nearest + day) {
			days |= 1 << m.nearWeekday(day)
		}
	}
	return days
}

// specialWeekdays are the days that special days of the week stand for.
func (m month) specialWeekdays(special set) (days set) {
	for weekday := range 7 {
		first := 1 + (weekday-m.first+7)%7
		for n := 1; n <= 5; n++ {
			if day := first + 7*(n-1); special.has(8*weekday+n) && day <= m.last {
				days |= 1 << day
			}
		}
		if special.has(8 * weekday) {
			days |= 1 << (first + (m.last-first)/7*7)
		}
	}
	return days
}

// formatSpecialDays writes special days of the month.
func formatSpecialDays(special set) (items []string) {
	for n := range maxBefore + 1 {
		switch {
		case special.has(n) && n == 0:
			items = append(items, "L")
		case special.has(n):
			items = append(items, "L-"+strconv.Itoa(n))
		}
	}
	for day := 1; day <= 31; day++ {
		if special.has(nearest + day) {
			items = append(items, strconv.Itoa(day)+"W")
		}
	}
	if special.has(nearest) {
		items = append(items, "LW")
	}
	return items
}

// formatSpecialWeekdays writes special days of the week.
func formatSpecialWeekdays(special set) (items []string) {
	for weekday := range 7 {
		for n := 1; n <= 5; n++ {
			if special.has(8*weekday + n) {
				items = append(items, strconv.Itoa(weekday)+"#"+strconv.Itoa(n))
			}
		}
		if special.has(8 * weekday) {
			items = append(items, strconv.Itoa(weekday)+"L")
		}
	}
	return items
}
