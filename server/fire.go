package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rotaqueue/rota"
)

// missed is why a due time passed without a job.
const missed = "missed"

// fireBatch is how many schedules are fired in one transaction (P18).
const fireBatch = 500

// fire is the step of the firing loop: it fires schedules that are due, and is wished again at the next due
// time. Any number of servers may do so at once: the store lets one of them fire a due time (P21).
func (s *Server) fire(ctx context.Context) (time.Duration, error) {
	due, err := s.store.DueSchedules(ctx, fireBatch)
	if err != nil {
		return 0, err
	}
	if len(due.Due) == 0 {
		if due.Next.IsZero() {
			return never, nil
		}
		return due.Next.Sub(due.Now), nil
	}
	nodes, err := s.nodesOf(ctx, due.Due)
	if err != nil {
		return 0, err
	}
	firings := make([]rota.Firing, len(due.Due))
	for i := range due.Due {
		firings[i] = s.firing(&due.Due[i], due.Now, nodes)
	}
	results, err := s.store.Fire(ctx, firings)
	if err != nil {
		return 0, fmt.Errorf("fire %d schedules, %q first: %w", len(firings), firings[0].Schedule, err)
	}
	for i := range results {
		s.fired(&firings[i], &results[i])
	}
	s.loops.following.wake()
	return shortBreath, nil // more may be due, also of these
}

// nodesOf are the nodes that there are, if a schedule is for all of them.
func (s *Server) nodesOf(ctx context.Context, all []rota.Schedule) ([]rota.Node, error) {
	if !slices.ContainsFunc(all, func(sch rota.Schedule) bool { return sch.On == rota.OnAll }) {
		return nil, nil
	}
	return s.store.Nodes(ctx)
}

// fired tells what became of a firing. One that somebody else did, or that came too late for a change, is none.
func (s *Server) fired(f *rota.Firing, r *rota.FireResult) {
	switch {
	case errors.Is(r.Err, rota.ErrConflict) || errors.Is(r.Err, rota.ErrNotFound):
		return
	case r.Err != nil:
		s.log.Error("a schedule could not be fired", "schedule", f.Schedule, "due", f.Due, "error", r.Err)
		return
	}
	s.log.Info("fired", "schedule", f.Schedule, "due", r.Due, "job", r.Job, "skipped", r.Skipped)
	if r.Job == 0 {
		return
	}
	for i := range r.Jobs {
		s.came(&f.Jobs[i], r.Job+rota.JobID(i))
	}
	if f.Pace > 0 || f.Overlap != rota.OverlapSkip { // the store may have made them wait
		s.loops.promoting.wake()
		s.loops.operating.wake()
	}
}

// firing decides what becomes of a due time. Later than MissedAfter it was missed, and the schedule says what then: it is made
// up for while the deadline is not over, once however many passed meanwhile, or each; or it is recorded as missed. One that
// is past the deadline is recorded as missed, and the next is reckoned so that a later one within it is still made up for.
func (s *Server) firing(sch *rota.Schedule, now time.Time, nodes []rota.Node) rota.Firing {
	f := rota.Firing{Schedule: sch.Name, Version: sch.Version, Due: sch.Next, Overlap: sch.Overlap}
	late := rota.Duration(now.Sub(sch.Next))
	from := later(sch.Next, now)
	deadline := cmp.Or(sch.Deadline, rota.MissedWithin)
	switch {
	case late <= rota.MissedAfter:
	case sch.Missed == rota.MissedSkip:
		f.Skipped, from = missed, later(sch.Next, now.Add(-rota.MissedAfter.D()))
	case late > deadline:
		f.Skipped, from = missed, later(sch.Next, now.Add(-deadline.D()))
	case sch.Missed == rota.MissedAll:
		from = sch.Next
	}
	if late > rota.MissedAfter && s.opts.CatchUp > 0 {
		f.Pace = rota.Duration(time.Second) / rota.Duration(s.opts.CatchUp)
	}
	timing, err := sch.Timing()
	if err != nil {
		// A zone may be unknown to this machine. The due time is not lost: it is recorded, and tried again later.
		f.Skipped, f.Next = err.Error(), now.Add(time.Hour)
		return f
	}
	f.Next = timing.Next(from)
	if f.Skipped == "" {
		f.Jobs, f.Skipped = s.firedJobs(sch, now, nodes)
	}
	return f
}

// firedJobs are the jobs of a fire at its due time, or why there are none.
func (s *Server) firedJobs(sch *rota.Schedule, now time.Time, nodes []rota.Node) ([]rota.NewJob, string) {
	spec := sch.Spec
	if at := sch.Next.Add(delay(sch)); at.After(sch.Next) && at.After(now) {
		spec.At = at
	}
	job, err := s.newJob(rota.Principal{Name: sch.By}, rota.Submission{Spec: spec})
	if err != nil {
		return nil, err.Error()
	}
	job.Schedule, job.Home = sch.Name, ""
	return placed(sch.On, job, nodes)
}

// delay is how much later than due a fire starts: the part of the spread that its name says, and of the jitter that its
// name and time say. All servers find the same.
func delay(sch *rota.Schedule) time.Duration {
	part := func(of rota.Duration, seed string) time.Duration {
		if of <= 0 {
			return 0
		}
		h := sha256.Sum256([]byte(seed))
		return time.Duration(binary.BigEndian.Uint64(h[:]) % uint64(of))
	}
	d := part(sch.Spread, sch.Name) + part(sch.Jitter, sch.Name+sch.Next.UTC().Format(time.RFC3339Nano))
	return d.Truncate(time.Microsecond)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
