package cli

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/rotaqueue/rota"
)

// timingFlags are the flags that say when and where a schedule's jobs run, and what is told of it.
type timingFlags struct {
	fs                             *pflag.FlagSet
	zone, on, overlap, missed, off string
	deadline, jitter, spread       rota.Duration
	late, long                     rota.Duration
	fails                          int
	to                             []string
}

func newTimingFlags(fs *pflag.FlagSet) *timingFlags {
	f := &timingFlags{fs: fs}
	fs.StringVar(&f.zone, "tz", "", "time `zone` of EXPR, such as Europe/Berlin (default: this machine's)")
	fs.StringVar(&f.on, "on", "", "`node`s to run on: any, all (one job each), a node's name, or a label K=V (default any)")
	fs.StringVar(&f.overlap, "overlap", "", "when a job before has not ended: `skip` this time, queue it, allow both, or replace the one before (default skip)")
	fs.StringVar(&f.missed, "missed", "", "of times that passed while no node ran: make up for none (`skip`), for one (once), or for all (default once)")
	fs.Var((*durationValue)(&f.deadline), "deadline", "how late a missed time is still made up for (default 1h)")
	fs.Var((*durationValue)(&f.jitter), "jitter", "start each job up to so much later, other each time")
	fs.Var((*durationValue)(&f.spread), "spread", "start all its jobs later by a part of this that NAME decides")
	fs.StringVar(&f.off, "calendar", "", "`file` with days on which it is not due, one a line: 2026-12-25, 12-25, 2026-12-24..2027-01-02; none: no such days")
	fs.Var((*durationValue)(&f.late), "alarm-late", "alarm when no job has started so long after it was due, or a time was skipped")
	fs.Var((*durationValue)(&f.long), "alarm-long", "alarm when a job runs longer than this")
	fs.IntVar(&f.fails, "alarm-fails", 0, "alarm when so many `times` in a row have failed")
	fs.StringSliceVar(&f.to, "alarm-to", nil, "`addresses` and URLs that are told of alarms, or none (default: those that are told when its jobs end)")
	return f
}

// apply writes the flags that were given into a schedule.
func (f *timingFlags) apply(s *rota.Schedule) error {
	for _, c := range []struct {
		flag, value string
		allowed     []string
	}{
		{"overlap", f.overlap, []string{string(rota.OverlapSkip), string(rota.OverlapQueue), string(rota.OverlapAllow), string(rota.OverlapReplace)}},
		{"missed", f.missed, []string{string(rota.MissedSkip), string(rota.MissedOnce), string(rota.MissedAll)}},
	} {
		if f.fs.Changed(c.flag) {
			if err := oneOf("--"+c.flag, c.value, c.allowed...); err != nil {
				return err
			}
		}
	}
	for flag, set := range map[string]func(){
		"tz": func() { s.Zone = f.zone }, "on": func() { s.On = f.on }, "overlap": func() { s.Overlap = rota.Overlap(f.overlap) },
		"missed": func() { s.Missed = rota.Missed(f.missed) }, "deadline": func() { s.Deadline = f.deadline },
		"jitter": func() { s.Jitter = f.jitter }, "spread": func() { s.Spread = f.spread }, "alarm-late": func() { s.Alarm.Late = f.late },
		"alarm-long": func() { s.Alarm.Long = f.long }, "alarm-fails": func() { s.Alarm.Fails = f.fails },
	} {
		if f.fs.Changed(flag) {
			set()
		}
	}
	if f.fs.Changed("alarm-to") {
		s.Alarm.To = f.to
	} else if !s.Alarm.Says() {
		s.Alarm.To = nil // whoever takes the last alarm away wants nobody told
	}
	return f.applyCalendar(s)
}

func (f *timingFlags) applyCalendar(s *rota.Schedule) error {
	switch {
	case !f.fs.Changed("calendar"):
		return nil
	case f.off == "none":
		s.Calendar = ""
		return nil
	}
	text, err := os.ReadFile(f.off)
	if err != nil {
		return fileError("--calendar", err)
	}
	s.Calendar = string(text)
	return nil
}
