package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotaqueue/rota"
)

// missed is why a due time passed without a job.
const missed = "missed"

// fire is the step of the firing loop: it fires every schedule that is due, and is wished again at the next due
// time. Any number of servers may do so at once: the store lets one of them fire a due time (P21).
func (s *Server) fire(ctx context.Context) (time.Duration, error) {
	all, err := s.store.Schedules(ctx)
	if err != nil || len(all) == 0 {
		return never, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return 0, err
	}
	wait, failed := never, error(nil)
	for i := range all {
		sch := &all[i]
		switch {
		case sch.Paused || sch.Next.IsZero():
			continue
		case sch.Next.After(now):
			wait = min(wait, sch.Next.Sub(now))
			continue
		}
		failed = errors.Join(failed, s.fireOne(ctx, sch, now))
		wait = shortBreath // its next due time may have come as well
	}
	return wait, failed
}

func (s *Server) fireOne(ctx context.Context, sch *rota.Schedule, now time.Time) error {
	f := s.firing(sch, now)
	fired, err := s.store.Fire(ctx, f)
	if errors.Is(err, rota.ErrConflict) || errors.Is(err, rota.ErrNotFound) {
		return nil // somebody else fired it, changed it, or dropped it
	}
	if err != nil {
		return fmt.Errorf("fire schedule %q: %w", sch.Name, err)
	}
	s.log.Info("fired", "schedule", sch.Name, "due", f.Due, "job", fired.Job, "skipped", fired.Skipped)
	if fired.Job != 0 {
		s.came(f.Job, fired.Job)
	}
	return nil
}

// firing decides what becomes of a due time. Later than MissedAfter it was missed: within MissedWithin it is made up
// for once, and the next is reckoned from now, however many passed meanwhile. One that is older still is recorded as
// missed, and the next is reckoned so that a later one within MissedWithin is still made up for.
func (s *Server) firing(sch *rota.Schedule, now time.Time) rota.Firing {
	f := rota.Firing{Schedule: sch.Name, Version: sch.Version, Due: sch.Next, Overlap: sch.Overlap}
	from := later(sch.Next, now)
	if now.Sub(sch.Next) > rota.MissedWithin.D() {
		f.Skipped = missed
		from = later(sch.Next, now.Add(-rota.MissedWithin.D()))
	}
	expr, zone, err := parseWhen(sch)
	if err != nil {
		// A zone may be unknown to this machine. The due time is not lost: it is recorded, and tried again later.
		f.Skipped, f.Next = err.Error(), now.Add(time.Hour)
		return f
	}
	f.Next = expr.Next(from.In(zone))
	if f.Skipped != "" {
		return f
	}
	job, err := s.newJob(rota.Principal{Name: sch.By}, rota.Submission{Spec: sch.Spec})
	if err != nil {
		f.Skipped = err.Error()
		return f
	}
	job.Schedule, job.Home = sch.Name, ""
	f.Job = &job
	return f
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
