package cron

import (
	"fmt"
	"strings"
	"time"
)

// DaysOff are days on which nothing is due. The zero value has none.
type DaysOff struct {
	days   map[int]bool // by year, month and day as one number; year 0: each year
	ranges [][2]int
}

// The limits of a calendar's text.
const (
	maxCalendar = 64 << 10 // bytes
	maxDaysOff  = 4000     // days that are passed over in a row
)

// ParseDaysOff reads a calendar: a day a line, 2026-12-25, each year 12-25, or from one to another 2026-12-24..2027-01-02.
// What follows a space or a # says what day it is, and is not read.
func ParseDaysOff(text string) (DaysOff, error) {
	c := DaysOff{days: map[int]bool{}}
	if len(text) > maxCalendar {
		return c, fmt.Errorf("calendar of %d bytes: longer than the %d allowed", len(text), maxCalendar)
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err := c.read(words[0]); err != nil {
			return DaysOff{}, fmt.Errorf("calendar, line %d: %w", n, err)
		}
	}
	return c, nil
}

func (c *DaysOff) read(word string) error {
	first, last, ranged := strings.Cut(word, "..")
	from, err := parseDay(first)
	if err != nil || !ranged {
		c.days[from] = true
		return err
	}
	to, err := parseDay(last)
	switch {
	case err != nil:
		return err
	case from < yearly || to < yearly:
		return fmt.Errorf("%q: a range names years", word)
	case to < from:
		return fmt.Errorf("%q: runs backwards", word)
	}
	c.ranges = append(c.ranges, [2]int{from, to})
	return nil
}

const yearly = 10000 // numbers of days below have no year

func parseDay(text string) (int, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return dayNumber(t), nil
	}
	if t, err := time.Parse("2006-01-02", "2000-"+text); err == nil { // a leap year
		return dayNumber(t) % yearly, nil
	}
	return 0, fmt.Errorf("%q: not a day; allowed: 2026-12-25, 12-25 for each year, 2026-12-24..2027-01-02", text)
}

func dayNumber(t time.Time) int { return t.Year()*yearly + int(t.Month())*100 + t.Day() }

// Has reports whether a time is on such a day, where it is.
func (c DaysOff) Has(t time.Time) bool {
	day := dayNumber(t)
	if c.days[day] || c.days[day%yearly] {
		return true
	}
	for _, r := range c.ranges {
		if r[0] <= day && day <= r[1] {
			return true
		}
	}
	return false
}

// Next is the schedule's first due time after t that is not on such a day; see [Schedule.Next].
func (c DaysOff) Next(s Schedule, t time.Time) time.Time {
	t = s.Next(t)
	if len(c.days) == 0 && len(c.ranges) == 0 {
		return t
	}
	for range maxDaysOff {
		if t.IsZero() || !c.Has(t) {
			return t
		}
		from := time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, t.Location()).Add(-time.Second)
		if from.Before(t) { // there is no midnight
			from = t
		}
		t = s.Next(from)
	}
	return time.Time{}
}
