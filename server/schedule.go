package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
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
	if err == nil {
		err = inScope(p, sch.Spec.Queue, "put schedule")
	}
	if err == nil {
		err = s.checkProgram(ctx, &sch.Spec)
	}
	if err == nil {
		err = s.checkArtifacts(&sch.Spec)
	}
	if err != nil {
		return rota.Schedule{}, err
	}
	old, err := s.ownSchedule(ctx, p, sch.Name)
	if err != nil {
		return rota.Schedule{}, err
	}
	if err := s.stamp(p, &sch.Spec); err != nil {
		return rota.Schedule{}, err
	}
	sch.By, sch.Last, sch.Result, sch.Failures, sch.Alarms = p.Name, nil, "", 0, nil
	if old != nil && old.By != p.Name && sameWork(old.Spec, sch.Spec) {
		sch.By, sch.Spec = old.By, old.Spec
	}
	if sch.Next, err = s.firstDue(ctx, &sch); err != nil {
		return rota.Schedule{}, err
	}
	sch, err = s.store.PutSchedule(by(ctx, p, "put schedule", "schedule "+sch.Name, sch.Expr), sch)
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
	all = slices.DeleteFunc(all, func(sch rota.Schedule) bool { return !rota.InQueues(p.Queues, sch.Spec.Queue) })
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
	return s.outward(s.store.DropSchedule(by(ctx, p, "drop schedule", "schedule "+name, ""), name))
}

// Schedule is a schedule with its latest fires and alarms.
func (s *Server) Schedule(ctx context.Context, name string) (rota.ScheduleRecord, error) {
	p, err := s.allow(ctx, "schedule")
	if err != nil {
		return rota.ScheduleRecord{}, err
	}
	r, err := s.store.Schedule(ctx, name)
	if err == nil {
		if err := inScope(p, r.Schedule.Spec.Queue, "schedule "+name); err != nil {
			return rota.ScheduleRecord{}, err
		}
	}
	hideScheduleEnv(p, &r.Schedule)
	return r, s.outward(err)
}

// FireSchedule fires a schedule now, whatever its expression says.
func (s *Server) FireSchedule(ctx context.Context, name string) (rota.Fire, error) {
	p, err := s.allow(ctx, "fire schedule")
	if err == nil {
		err = s.mayBring(p, "fire schedule")
	}
	if err != nil {
		return rota.Fire{}, err
	}
	sch, err := s.ownSchedule(ctx, p, name)
	if err == nil && sch == nil {
		err = rota.Errorf(rota.ErrNotFound, "schedule %q: there is none of this name", name).WithFix("rota cron ls")
	}
	if err != nil {
		return rota.Fire{}, err
	}
	nodes, err := s.nodesOf(ctx, []rota.Schedule{*sch})
	if err != nil {
		return rota.Fire{}, s.outward(err)
	}
	f := rota.Firing{Schedule: sch.Name, Version: sch.Version, ByHand: true, Overlap: sch.Overlap}
	now := *sch
	now.Jitter, now.Spread, now.Next = 0, 0, time.Time{}
	f.Jobs, f.Skipped = s.firedJobs(&now, time.Time{}, nodes)
	results, err := s.store.Fire(by(ctx, p, "fire schedule", "schedule "+name, ""), []rota.Firing{f})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return rota.Fire{}, s.outward(err)
	}
	s.fired(&f, &results[0])
	s.loops.following.wake()
	return results[0].Fire, nil
}

// checkSchedule fills in what a schedule leaves to its default and refuses what is wrong.
func checkSchedule(sch *rota.Schedule) error {
	if err := checkScheduleName(strings.TrimSuffix(sch.Name, "#")); err != nil {
		return err
	}
	sch.Zone = cmp.Or(sch.Zone, "UTC")
	sch.Overlap = cmp.Or(sch.Overlap, rota.OverlapSkip)
	sch.Missed = cmp.Or(sch.Missed, rota.MissedOnce)
	sch.Deadline = cmp.Or(sch.Deadline, rota.MissedWithin)
	if _, err := sch.Timing(); err != nil {
		return err
	}
	for _, check := range []func(*rota.Schedule) error{checkChoices, checkTimes, checkAlarm, checkScheduleJob} {
		if err := check(sch); err != nil {
			return err
		}
	}
	if sch.Spec.Retry == nil {
		sch.Spec.Retry = &rota.Retry{}
	}
	if sch.Spec.Retry.Count == nil { // the next fire is the retry
		none, retry := 0, *sch.Spec.Retry
		retry.Count = &none
		sch.Spec.Retry = &retry
	}
	sub := rota.Submission{Spec: sch.Spec}
	err := sub.Resolve()
	sch.Spec = sub.Spec
	return err
}

func checkChoices(sch *rota.Schedule) error {
	switch sch.Overlap {
	case rota.OverlapSkip, rota.OverlapQueue, rota.OverlapAllow, rota.OverlapReplace:
	default:
		return rota.Invalid("overlap %q: write skip, queue, allow or replace", sch.Overlap)
	}
	switch sch.Missed {
	case rota.MissedSkip, rota.MissedOnce, rota.MissedAll:
	default:
		return rota.Invalid("missed %q: write skip, once or all", sch.Missed)
	}
	return checkOn(sch)
}

func checkTimes(sch *rota.Schedule) error {
	for _, d := range []struct {
		what  string
		value rota.Duration
		most  rota.Duration
	}{
		{"deadline", sch.Deadline, rota.MaxDeadline}, {"jitter", sch.Jitter, rota.MaxDelay}, {"spread", sch.Spread, rota.MaxDelay},
		{"alarm late", sch.Alarm.Late, rota.MaxDeadline}, {"alarm long", sch.Alarm.Long, 12 * rota.MaxDeadline},
	} {
		if d.value < 0 || d.value > d.most {
			return rota.Invalid("%s %v: from 0 to %v", d.what, d.value, d.most)
		}
	}
	if len(sch.Origin) > rota.MaxArg {
		return rota.Invalid("origin: longer than %d bytes", rota.MaxArg)
	}
	return nil
}

func checkAlarm(sch *rota.Schedule) error {
	if sch.Alarm.Fails < 0 || sch.Alarm.Fails > rota.MaxRetries {
		return rota.Invalid("alarm fails %d: from 0 to %d", sch.Alarm.Fails, rota.MaxRetries)
	}
	if len(sch.Alarm.To) > 0 && !sch.Alarm.Says() {
		return rota.Invalid("alarm to %s: there is no alarm to tell of", strings.Join(sch.Alarm.To, ", ")).
			WithFix("say late, long or fails as well (--alarm-late, --alarm-long, --alarm-fails)")
	}
	tell := sch.Tell()
	return tell.Check()
}

func checkScheduleJob(sch *rota.Schedule) error {
	switch {
	case !sch.Spec.At.IsZero():
		return rota.Invalid("schedule %q: its job has a time of its own; the expression alone says when", sch.Name)
	case len(sch.Spec.After) > 0:
		return rota.Invalid("schedule %q: its job waits for other jobs; a schedule's job cannot", sch.Name)
	case sch.Spec.Lines:
		return rota.Invalid("schedule %q: its job needs uploaded lines; a schedule has none", sch.Name).
			WithFix("make it an array, or submit the lines from within the job")
	}
	return nil
}

// checkScheduleName holds schedules to the rule of queues' names.
func checkScheduleName(name string) error {
	if err := rota.CheckQueueName(name); err != nil || name[0] == '@' {
		return rota.Invalid("schedule %q: a name has up to %d letters, digits, '.', '_' and '-'", name, rota.MaxQueueName)
	}
	return nil
}

// ownSchedule is the schedule as it stands, nil when there is none. Another's is ErrDenied to those who do not
// operate.
func (s *Server) ownSchedule(ctx context.Context, p rota.Principal, name string) (*rota.Schedule, error) {
	r, err := s.store.Schedule(ctx, name)
	if errors.Is(err, rota.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, s.outward(err)
	}
	sch := &r.Schedule
	if err := inScope(p, sch.Spec.Queue, "schedule "+name); err != nil {
		return nil, err
	}
	if sch.By != p.Name && !operates(p) {
		return nil, rota.Errorf(rota.ErrDenied, "schedule %q: it is %s's, and %s has the role %s", name, sch.By, p.Name, p.Role).
			WithFix("choose another name, or use a token with the role %s", rota.RoleOperator)
	}
	return sch, nil
}

// firstDue is when the schedule is due next, reckoned from now; a paused one never is.
func (s *Server) firstDue(ctx context.Context, sch *rota.Schedule) (time.Time, error) {
	timing, err := sch.Timing()
	if err != nil {
		return time.Time{}, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return time.Time{}, s.outward(err)
	}
	if timing.Expr.IsOnce() {
		if sch.Rests() || sch.Version > 0 { // what it is due for has been
			return time.Time{}, nil
		}
		return now, nil
	}
	next := timing.Next(now)
	if next.IsZero() && !sch.Rests() {
		return next, rota.Invalid("schedule %q: %q never comes", sch.Name, sch.Expr)
	}
	if sch.Rests() {
		return time.Time{}, nil
	}
	return next, nil
}

// sameWork reports whether two specs do the same, as far as somebody can tell who was not shown the environment.
func sameWork(old, now rota.Spec) bool {
	old.Env, old.Caller, now.Caller = nil, nil, nil // who brings it is not what it does
	a, errA := json.Marshal(old)
	b, errB := json.Marshal(now)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func hideScheduleEnv(p rota.Principal, sch *rota.Schedule) {
	if !seesEnv(p, sch.By) {
		sch.Spec.Env = nil
	}
}
