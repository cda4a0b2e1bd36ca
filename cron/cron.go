// Package cron reads a cron expression and computes when it is due next.
//
// It promises that a due time is neither lost nor doubled where a zone changes its clocks: see
// [Schedule.Next] for the rule, and [Parse] for the text it reads.
//
// It touches values only: no clock, no files, no network, no state that changes. The zone is that of
// the time handed to Next, so loading a zone, and failing when there is none of that name, is the
// caller's part. It imports nothing else of this module.
package cron

// Schedule is a parsed cron expression: a small value that does not change and can be compared with ==.
// Other words for the same, such as "@daily" and "0 0 * * *", give equal values as long as they leave
// the same day fields unrestricted, see [Parse].
//
// The zero Schedule is never due and its text is empty.
type Schedule struct {
	second, minute, hour, dayOfMonth, month, dayOfWeek value

	// One of these other kinds is set, or the fields above count.
	every int64 // @every: the period in seconds
	at    int64 // @at: the instant in microseconds since 1970
	once  bool  // @once
}

// IsOnce reports whether the expression was @once: due when it is made, which only who makes it knows. Next has no
// time for it.
func (s Schedule) IsOnce() bool { return s.once }

// isInterval reports whether the schedule follows real time, not the clock on the wall: see Next.
func (s Schedule) isInterval() bool { return s.hour.set == hourField.every(1) }
