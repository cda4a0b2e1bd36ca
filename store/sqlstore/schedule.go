package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// PutSchedule creates or replaces a schedule.
func (s *Store) PutSchedule(ctx context.Context, sch rota.Schedule) (rota.Schedule, error) {
	return written(ctx, s, "schedule", func(t *tx) (rota.Schedule, error) { return t.putSchedule(sch) })
}

func (t *tx) putSchedule(sch rota.Schedule) (rota.Schedule, error) {
	if base, open := strings.CutSuffix(sch.Name, "#"); open && sch.Version == 0 {
		n, err := t.next("schedule", 1)
		if err != nil {
			return sch, err
		}
		sch.Name = base + strconv.FormatInt(n, 10)
	}
	var version int
	found, err := t.one(`SELECT version FROM schedule WHERE name = ?1 /*pg FOR UPDATE */`, []any{sch.Name}, &version)
	switch {
	case err != nil:
		return sch, err
	case found && sch.Version == 0:
		return sch, rota.Errorf(rota.ErrConflict, "schedule %q: there is one of this name", sch.Name).WithFix("rota cron rm %s", sch.Name)
	case !found && sch.Version != 0:
		return sch, noSchedule(sch.Name)
	case version != sch.Version:
		return sch, rota.Errorf(rota.ErrConflict, "schedule %q: somebody else changed it", sch.Name).WithFix("rota cron ls")
	}
	sch.Version = version + 1
	kept := sch
	kept.Last, kept.Result, kept.Failures, kept.Alarms = nil, "", 0, nil // these have places of their own
	doc, err := json.Marshal(&kept)
	if err != nil {
		return sch, err
	}
	n, err := t.exec(`INSERT INTO schedule (name, doc, version, paused, next) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name)
			DO UPDATE SET doc = excluded.doc, version = excluded.version, paused = excluded.paused, next = excluded.next
			WHERE schedule.version = excluded.version - 1`,
		sch.Name, string(doc), sch.Version, flag(sch.Rests()), toMicros(sch.Next))
	if err == nil && n == 0 {
		err = errAgain // somebody has just made one of this name
	}
	if err == nil {
		err = t.releaseBlobs(holderOfSchedule(sch.Name))
	}
	if err == nil {
		err = t.useBlob(sch.Spec.Blob, holderOfSchedule(sch.Name))
	}
	if err == nil && !sch.Alarm.Says() { // nobody would end them any more
		_, err = t.exec(`UPDATE schedule_alarm SET until = ?2 WHERE schedule = ?1 AND until = 0`, sch.Name, t.now)
	}
	return sch, err
}

func noSchedule(name string) error {
	return rota.Errorf(rota.ErrNotFound, "schedule %q: there is none of this name", name).WithFix("rota cron ls")
}

// Schedules are all schedules, by name.
func (s *Store) Schedules(ctx context.Context) ([]rota.Schedule, error) {
	all, err := s.schedules(ctx, `ORDER BY s.name`)
	if err != nil {
		return nil, err
	}
	at := make(map[string]*rota.Schedule, len(all))
	for i := range all {
		at[all[i].Name] = &all[i]
	}
	return all, s.alarms(ctx, func(name string, a rota.Alarmed) {
		if sch := at[name]; sch != nil {
			sch.Alarms = append(sch.Alarms, a)
		}
	}, `WHERE until = 0 ORDER BY schedule, since`)
}

// Schedule is a schedule with its latest fires and alarms.
func (s *Store) Schedule(ctx context.Context, name string) (r rota.ScheduleRecord, err error) {
	found, err := s.schedules(ctx, `WHERE s.name = ?1`, name)
	if err == nil && len(found) == 0 {
		err = noSchedule(name)
	}
	if err != nil {
		return r, err
	}
	r.Schedule = found[0]
	err = s.query(ctx, func(rows *sql.Rows) error {
		f, err := scanFire(rows)
		r.Fires = append(r.Fires, f)
		return err
	}, `SELECT due, job, jobs, skipped, result FROM fire WHERE schedule = ?1 ORDER BY due DESC LIMIT ?2`, name, rota.RecordLength)
	if err != nil {
		return r, err
	}
	return r, s.alarms(ctx, func(_ string, a rota.Alarmed) {
		r.Log = append(r.Log, a)
		if a.Until.IsZero() {
			r.Alarms = append(r.Alarms, a)
		}
	}, `WHERE schedule = ?1 ORDER BY since DESC LIMIT ?2`, name, rota.RecordLength)
}

// schedules are schedules with their latest fire.
func (s *Store) schedules(ctx context.Context, which string, args ...any) (all []rota.Schedule, err error) {
	err = s.query(ctx, func(r *sql.Rows) error {
		sch, err := scanSchedule(r)
		all = append(all, sch)
		return err
	}, `SELECT s.doc, s.next, s.result, s.failures, f.due, f.job, f.jobs, f.skipped, f.result FROM schedule s
		LEFT JOIN fire f ON f.schedule = s.name AND f.due = s.last_due `+which, args...)
	return all, err
}

func scanSchedule(r *sql.Rows) (sch rota.Schedule, err error) {
	var doc []byte
	var next int64
	var failures int
	var due, job, jobs sql.NullInt64
	var result string
	var skipped, ended sql.NullString
	if err := r.Scan(&doc, &next, &result, &failures, &due, &job, &jobs, &skipped, &ended); err != nil {
		return sch, err
	}
	if err := json.Unmarshal(doc, &sch); err != nil {
		return sch, err
	}
	sch.Next, sch.Result, sch.Failures = fromMicros(next), rota.Result(result), failures
	if due.Valid {
		last := fireOf(due.Int64, job.Int64, jobs.Int64, skipped.String, ended.String)
		sch.Last = &last
	}
	return sch, nil
}

func scanFire(r *sql.Rows) (rota.Fire, error) {
	var due, job, jobs int64
	var skipped, result string
	err := r.Scan(&due, &job, &jobs, &skipped, &result)
	return fireOf(due, job, jobs, skipped, result), err
}

func fireOf(due, job, jobs int64, skipped, result string) rota.Fire {
	f := rota.Fire{Due: fromMicros(due), Job: rota.JobID(job), Skipped: skipped, Result: rota.Result(result)}
	if job != 0 {
		f.Jobs = int(jobs)
	}
	return f
}

// alarms gives alarms to somebody.
func (s *Store) alarms(ctx context.Context, to func(string, rota.Alarmed), which string, args ...any) error {
	return s.query(ctx, func(r *sql.Rows) error {
		var name string
		var a rota.Alarmed
		var due, since, until int64
		if err := r.Scan(&name, (*string)(&a.Kind), &due, &since, &until, &a.Text); err != nil {
			return err
		}
		a.Due, a.Since, a.Until = fromMicros(due), fromMicros(since), fromMicros(until)
		to(name, a)
		return nil
	}, `SELECT schedule, kind, due, since, until, text FROM schedule_alarm `+which, args...)
}

// DropSchedule removes a schedule and what is recorded of its fires. Its jobs stay.
func (s *Store) DropSchedule(ctx context.Context, name string) error {
	return s.write(ctx, "remove schedule", func(t *tx) error {
		n, err := t.exec(`DELETE FROM schedule WHERE name = ?1`, name)
		if err == nil && n == 0 {
			err = noSchedule(name)
		}
		if err != nil {
			return err
		}
		if err := t.releaseBlobs(holderOfSchedule(name)); err != nil {
			return err
		}
		if _, err = t.exec(`DELETE FROM fire WHERE schedule = ?1`, name); err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM schedule_alarm WHERE schedule = ?1`, name)
		return err
	})
}
