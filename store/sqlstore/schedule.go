package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/rotaqueue/rota"
)

// PutSchedule creates or replaces a schedule.
func (s *Store) PutSchedule(ctx context.Context, sch rota.Schedule) (rota.Schedule, error) {
	return written(ctx, s, "schedule", func(t *tx) (rota.Schedule, error) { return t.putSchedule(sch) })
}

func (t *tx) putSchedule(sch rota.Schedule) (rota.Schedule, error) {
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
	sch.Last = nil
	doc, err := json.Marshal(&sch)
	if err != nil {
		return sch, err
	}
	n, err := t.exec(`INSERT INTO schedule (name, doc, version, paused, next) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name)
			DO UPDATE SET doc = excluded.doc, version = excluded.version, paused = excluded.paused, next = excluded.next
			WHERE schedule.version = excluded.version - 1`,
		sch.Name, string(doc), sch.Version, flag(sch.Paused), toMicros(sch.Next))
	if err == nil && n == 0 {
		err = errAgain // somebody has just made one of this name
	}
	return sch, err
}

func noSchedule(name string) error {
	return rota.Errorf(rota.ErrNotFound, "schedule %q: there is none of this name", name).WithFix("rota cron ls")
}

// Schedules are all schedules, by name.
func (s *Store) Schedules(ctx context.Context) (all []rota.Schedule, err error) {
	err = s.query(ctx, func(r *sql.Rows) error {
		var doc []byte
		var next int64
		var due, job sql.NullInt64
		var skipped sql.NullString
		var sch rota.Schedule
		if err := r.Scan(&doc, &next, &due, &job, &skipped); err != nil {
			return err
		}
		if err := json.Unmarshal(doc, &sch); err != nil {
			return err
		}
		sch.Next = fromMicros(next)
		if due.Valid {
			sch.Last = &rota.Fire{Due: fromMicros(due.Int64), Job: rota.JobID(job.Int64), Skipped: skipped.String}
		}
		all = append(all, sch)
		return nil
	}, `SELECT s.doc, s.next, f.due, f.job, f.skipped FROM schedule s LEFT JOIN fire f ON f.schedule = s.name
		AND f.due = (SELECT max(due) FROM fire WHERE schedule = s.name) ORDER BY s.name`)
	return all, err
}

// DropSchedule removes a schedule and the record of its fires. Its jobs stay.
func (s *Store) DropSchedule(ctx context.Context, name string) error {
	return s.write(ctx, "remove schedule", func(t *tx) error {
		n, err := t.exec(`DELETE FROM schedule WHERE name = ?1`, name)
		if err == nil && n == 0 {
			err = noSchedule(name)
		}
		if err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM fire WHERE schedule = ?1`, name)
		return err
	})
}

// Fire records a fire once (P21).
func (s *Store) Fire(ctx context.Context, f rota.Firing) (rota.Fire, error) {
	return written(ctx, s, "fire", func(t *tx) (rota.Fire, error) {
		fire := rota.Fire{Due: f.Due, Skipped: f.Skipped}
		n, err := t.exec(`UPDATE schedule SET next = ?4 WHERE name = ?1 AND version = ?2 AND next = ?3 AND paused = 0`,
			f.Schedule, f.Version, toMicros(f.Due), toMicros(f.Next))
		if err == nil && n == 0 {
			err = rota.Errorf(rota.ErrConflict, "schedule %q: was fired or changed by somebody else", f.Schedule)
		}
		if err != nil {
			return fire, err
		}
		if f.Job != nil {
			if err := t.fireJob(&f, &fire); err != nil {
				return fire, err
			}
		}
		_, err = t.exec(`INSERT INTO fire (schedule, due, job, skipped) VALUES (?1, ?2, ?3, ?4)`, f.Schedule, toMicros(f.Due),
			int64(fire.Job), fire.Skipped)
		return fire, err
	})
}

// fireJob submits a fire's job, unless the job of an earlier fire is in its way.
func (t *tx) fireJob(f *rota.Firing, fire *rota.Fire) error {
	if f.Overlap == rota.OverlapSkip {
		var busy int64
		found, err := t.one(`SELECT j.id FROM fire f JOIN job j ON j.id = f.job WHERE f.schedule = ?1 AND j.tasks_left > 0
			ORDER BY f.due DESC LIMIT 1`, []any{f.Schedule}, &busy)
		if err != nil {
			return err
		}
		if found {
			fire.Skipped = "job " + rota.JobID(busy).String() + " of an earlier fire has not ended"
			return nil
		}
	}
	results, err := t.submit([]rota.NewJob{*f.Job})
	if err != nil {
		return err
	}
	if errors.Is(results[0].Err, rota.ErrTooLarge) { // the queue allows less than when the schedule was made
		fire.Skipped = results[0].Err.Error()
		return nil
	}
	if results[0].Err != nil {
		return results[0].Err
	}
	fire.Job = results[0].Job
	return nil
}
