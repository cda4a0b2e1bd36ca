package server

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cron"
)

// PutSchedule creates or replaces a schedule. Its jobs are those of whoever says what they do: an operator who
// changes only when, or whether, another's schedule fires leaves it the other's, environment included.
func (s *Server) PutSchedule(ctx context.Context, sch rota.Schedule) (rota.Schedule, error) {
	p, err := s.allow(ctx, "put schedule")
	if err == nil {
		err = s.mayBring(p, "put schedule")
	}
	if err == nil {
		err = checkSchedule(&sch)
	}
	if err == nil {
		err = s.allowed(ctx, &sch.Spec)
	}
	if err != nil {
		return rota.Schedule{}, err
	}
	old, err := s.ownSchedule(ctx, p, sch.Name)
	if err != nil {
		return rota.Schedule{}, err
	}
	sch.By, sch.Last = p.Name, nil
	if old != nil && old.By != p.Name && sameWork(old.Spec, sch.Spec) {
		sch.By, sch.Spec = old.By, old.Spec
	}
	if sch.Next, err = s.firstDue(ctx, &sch); err != nil {
		return rota.Schedule{}, err
	}
	sch, err = s.store.PutSchedule(ctx, sch)
	if err != nil {
		return rota.Schedule{}, s.outward(err)
	}
	s.loops.firing.wake()
	hideScheduleEnv(p, &sch)
	return sch, nil
}

// allowed refuses now what a schedule's queue would refuse whenever it fires.
func (s *Server) allowed(ctx context.Context, spec *rota.Spec) error {
	queues, err := s.store.Queues(ctx)
	if err != nil {
		return s.outward(err)
	}
	for i := range queues {
		if queues[i].Name == spec.Queue {
			return queues[i].Limits.Refuse(spec)
		}
	}
	return nil
}

// Schedules are all schedules. Environments are left out as in Job.
func (s *Server) Schedules(ctx context.Context) ([]rota.Schedule, error) {
	p, err := s.allow(ctx, "schedules")
	if err != nil {
		return nil, err
	}
	all, err := s.store.Schedules(ctx)
	for i := range all {
		hideScheduleEnv(p, &all[i])
	}
	return all, s.outward(err)
}

// DropSchedule removes a schedule; the jobs that it fired stay.
func (s *Server) DropSchedule(ctx context.Context, name string) error {
	p, err := s.allow(ctx, "drop schedule")
	if err != nil {
		return err
	}
	if _, err := s.ownSchedule(ctx, p, name); err != nil {
		return err
	}
	return s.outward(s.store.DropSchedule(ctx, name))
}

// checkSchedule fills in what a schedule leaves to its default and refuses what is wrong.
func checkSchedule(sch *rota.Schedule) error {
	if err := checkScheduleName(sch.Name); err != nil {
		return err
	}
	if sch.Zone == "" {
		sch.Zone = "UTC"
	}
	if _, _, err := parseWhen(sch); err != nil {
		return err
	}
	switch sch.Overlap {
	case "":
		sch.Overlap = rota.OverlapSkip
	case rota.OverlapSkip, rota.OverlapAllow:
	default:
		return rota.Invalid("overlap %q: write skip or allow", sch.Overlap)
	}
	switch {
	case !sch.Spec.At.IsZero():
		return rota.Invalid("schedule %q: its job has a time of its own; the expression alone says when", sch.Name)
	case len(sch.Spec.After) > 0:
		return rota.Invalid("schedule %q: its job waits for other jobs; a schedule's job cannot", sch.Name)
	case sch.Spec.Lines:
		return rota.Invalid("schedule %q: its job needs uploaded lines; a schedule has none", sch.Name).
			WithFix("make it an array, or submit the lines from within the job")
	}
	sub := rota.Submission{Spec: sch.Spec}
	err := sub.Resolve()
	sch.Spec = sub.Spec
	return err
}

// checkScheduleName holds schedules to the rule of queues' names.
func checkScheduleName(name string) error {
	if err := rota.CheckQueueName(name); err != nil || name[0] == '@' {
		return rota.Invalid("schedule %q: a name has up to %d letters, digits, '.', '_' and '-'", name, rota.MaxQueueName)
	}
	return nil
}

// parseWhen reads a schedule's expression and zone.
func parseWhen(sch *rota.Schedule) (cron.Schedule, *time.Location, error) {
	expr, err := cron.Parse(sch.Expr)
	if err != nil {
		return expr, nil, rota.Invalid("schedule %q: %v", sch.Name, err)
	}
	zone, err := time.LoadLocation(sch.Zone)
	if err != nil || sch.Zone == "Local" {
		return expr, nil, rota.Invalid("schedule %q: zone %q is not known; write for example Europe/Berlin or UTC", sch.Name, sch.Zone)
	}
	return expr, zone, nil
}

// ownSchedule is the schedule as it stands, nil when there is none. Another's is ErrDenied to those who do not
// operate.
func (s *Server) ownSchedule(ctx context.Context, p rota.Principal, name string) (*rota.Schedule, error) {
	all, err := s.store.Schedules(ctx)
	if err != nil {
		return nil, s.outward(err)
	}
	for i := range all {
		if all[i].Name != name {
			continue
		}
		if all[i].By != p.Name && !operates(p) {
			return nil, rota.Errorf(rota.ErrDenied, "schedule %q: it is %s's, and %s has the role %s", name, all[i].By, p.Name, p.Role).
				WithFix("choose another name, or use a token with the role %s", rota.RoleOperator)
		}
		return &all[i], nil
	}
	return nil, nil
}

// firstDue is when the schedule is due next, reckoned from now; a paused one never is.
func (s *Server) firstDue(ctx context.Context, sch *rota.Schedule) (time.Time, error) {
	expr, zone, err := parseWhen(sch)
	if err != nil {
		return time.Time{}, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return time.Time{}, s.outward(err)
	}
	next := expr.Next(now.In(zone))
	if next.IsZero() {
		return next, rota.Invalid("schedule %q: %q never comes", sch.Name, sch.Expr)
	}
	if sch.Paused {
		return time.Time{}, nil
	}
	return next, nil
}

// sameWork reports whether two specs do the same, as far as somebody can tell who was not shown the environment.
func sameWork(old, now rota.Spec) bool {
	old.Env = nil
	a, errA := json.Marshal(old)
	b, errB := json.Marshal(now)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func hideScheduleEnv(p rota.Principal, sch *rota.Schedule) {
	if !seesEnv(p, sch.By) {
		sch.Spec.Env = nil
	}
}
