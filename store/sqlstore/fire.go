package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/rotaqueue/rota"
)

// DueSchedules are schedules that are due by the store's clock.
func (s *Store) DueSchedules(ctx context.Context, max int) (out rota.DueSchedules, err error) {
	err = s.query(ctx, func(r *sql.Rows) error {
		var doc []byte
		var now, next int64
		if err := r.Scan(&now, &doc, &next); err != nil {
			return err
		}
		out.Now = fromMicros(now)
		if next > now {
			out.Next = fromMicros(next)
			return nil
		}
		var sch rota.Schedule
		if err := json.Unmarshal(doc, &sch); err != nil {
			return err
		}
		sch.Next = fromMicros(next)
		out.Due = append(out.Due, sch)
		return nil
	}, `SELECT `+s.engine.clock()+`, d.doc, d.next FROM
		(SELECT doc, next FROM schedule WHERE paused = 0 AND next > 0 ORDER BY next, name LIMIT ?1) d ORDER BY d.next`, max+1)
	if len(out.Due) > max {
		out.Due = out.Due[:max]
	}
	return out, err
}

// Fire records fires, each once (P21).
func (s *Store) Fire(ctx context.Context, fs []rota.Firing) ([]rota.FireResult, error) {
	return written(ctx, s, "fire", func(t *tx) ([]rota.FireResult, error) { return t.fire(fs) })
}

// aFire is a fire on its way into its row.
type aFire struct {
	*rota.Firing
	*rota.FireResult
	row  firedRow
	open []rota.JobID // of earlier fires
	jobs []rota.NewJob
}

// firedRow is what of a schedule's row a fire needs.
type firedRow struct{ version, next, paused, openSince, lastDue int64 }

func (t *tx) fire(fs []rota.Firing) ([]rota.FireResult, error) {
	results := make([]rota.FireResult, len(fs))
	all := make([]*aFire, len(fs))
	for i := range fs {
		results[i].Fire = rota.Fire{Due: fs[i].Due, Skipped: fs[i].Skipped}
		all[i] = &aFire{Firing: &fs[i], FireResult: &results[i], jobs: fs[i].Jobs}
	}
	mine, err := t.takeDue(all)
	if err != nil {
		return nil, err
	}
	for _, step := range []func([]*aFire) error{t.findOpen, t.overlap, t.pace, t.submitFired, t.recordFires} {
		if len(mine) == 0 {
			break
		}
		if err := step(mine); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// takeDue locks the schedules and leaves those whose fire is this one's. Of many at once, those that somebody else has
// at this moment are left to it.
func (t *tx) takeDue(all []*aFire) (mine []*aFire, err error) {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.Schedule
	}
	arg, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	rows := map[string]firedRow{}
	q := `SELECT s.name, s.version, s.next, s.paused, s.open_since, s.last_due FROM schedule s
		WHERE s.name IN (SELECT CAST(value AS TEXT) FROM json_each(?1)) ORDER BY s.name`
	if len(all) == 1 {
		q += ` /*pg FOR UPDATE */`
	} else {
		q += ` /*pg FOR UPDATE SKIP LOCKED */`
	}
	err = t.query(func(r *sql.Rows) error {
		var name string
		var row firedRow
		err := r.Scan(&name, &row.version, &row.next, &row.paused, &row.openSince, &row.lastDue)
		rows[name] = row
		return err
	}, q, string(arg))
	for _, f := range all {
		row, found := rows[f.Schedule]
		switch {
		case !found || row.version != int64(f.Version), !f.ByHand && (row.next != toMicros(f.Firing.Due) || row.paused != 0):
			f.Err = rota.Errorf(rota.ErrConflict, "schedule %q: was fired or changed by somebody else", f.Schedule)
			continue
		case f.ByHand:
			f.Fire.Due = fromMicros(max(t.now, row.lastDue+1))
		}
		delete(rows, f.Schedule) // of two fires of one schedule in a call the first is it
		f.row = row
		mine = append(mine, f)
	}
	return mine, err
}

// findOpen finds the jobs of earlier fires that have not ended, where it matters. The list leads: SQLite would begin with all
// fires that there ever were.
func (t *tx) findOpen(fires []*aFire) error {
	var asked [][2]any
	at := map[string]*aFire{}
	for _, f := range fires {
		if f.Overlap != rota.OverlapAllow && len(f.jobs) > 0 {
			asked = append(asked, [2]any{f.Schedule, f.row.openSince})
			at[f.Schedule] = f
			f.row.openSince = toMicros(f.Fire.Due)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	arg, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	return t.query(func(r *sql.Rows) error {
		var name string
		var due int64
		var job rota.JobID
		if err := r.Scan(&name, &due, (*int64)(&job)); err != nil {
			return err
		}
		f := at[name]
		if len(f.open) == 0 {
			f.row.openSince = due
		}
		f.open = append(f.open, job)
		return nil
	}, `SELECT f.schedule, f.due, j.id FROM json_each(?1) w CROSS JOIN fire f CROSS JOIN job j
		WHERE f.schedule = w.value->>0 AND f.due >= CAST(w.value->>1 AS BIGINT) AND f.job > 0
		AND j.id BETWEEN f.job AND f.job + f.jobs - 1 AND j.tasks_left > 0 AND j.removing = 0
		ORDER BY f.schedule, f.due, j.id`, string(arg))
}

// overlap decides what becomes of fires whose earlier jobs have not ended.
func (t *tx) overlap(fires []*aFire) error {
	for _, f := range fires {
		if len(f.open) == 0 {
			continue
		}
		first := f.open[0].String()
		switch {
		case f.Overlap == rota.OverlapSkip:
			f.jobs, f.Fire.Skipped = nil, "job "+first+" of an earlier fire has not ended"
			continue
		case f.Overlap == rota.OverlapReplace:
			if err := t.cancelOpen(f); err != nil {
				return err
			}
		case len(f.open) >= rota.MaxQueued:
			f.jobs, f.Fire.Skipped = nil, "too many jobs of earlier fires wait, from job "+first+" on"
			continue
		}
		// A fire's own jobs are copied: the transaction may be tried again.
		f.jobs = slices.Clone(f.jobs)
		for i := range f.jobs {
			after := slices.Clone(f.jobs[i].Spec.After)
			for _, id := range f.open {
				after = append(after, rota.Dependency{Job: id, When: rota.AfterAny})
			}
			f.jobs[i].Spec.After = after
		}
	}
	return nil
}

// cancelOpen cancels the jobs of earlier fires.
func (t *tx) cancelOpen(f *aFire) error {
	op := rota.Operation{Act: rota.ActCancel, By: f.jobs[0].Submitter, Reason: "schedule " + f.Schedule + " was due again, and replaces what has not ended"}
	op.Filter.Tasks = rota.SpansOf(f.open)
	_, err := t.operate(op)
	return err
}

// pace spreads the starts of what is made up for, whichever schedules and servers it is of.
func (t *tx) pace(fires []*aFire) error {
	paced := slices.ContainsFunc(fires, func(f *aFire) bool { return f.Pace > 0 && len(f.jobs) > 0 })
	if !paced {
		return nil
	}
	var free int64
	if _, err := t.one(`SELECT value FROM counter WHERE name = 'pace' /*pg FOR UPDATE */`, nil, &free); err != nil {
		return err
	}
	for _, f := range fires {
		if f.Pace == 0 || len(f.jobs) == 0 {
			continue
		}
		free = max(free, t.now)
		f.jobs = slices.Clone(f.jobs)
		for i := range f.jobs {
			if at := fromMicros(free); f.jobs[i].Spec.At.Before(at) && free > t.now {
				f.jobs[i].Spec.At = at
			}
			free += f.Pace.Micros()
		}
	}
	_, err := t.exec(`UPDATE counter SET value = ?1 WHERE name = 'pace'`, free)
	return err
}

// submitFired submits the jobs of all fires. What a queue does not allow any more, or needs what has gone, is skipped.
func (t *tx) submitFired(fires []*aFire) error {
	var jobs []rota.NewJob
	for _, f := range fires {
		jobs = append(jobs, f.jobs...)
	}
	if len(jobs) == 0 {
		return nil
	}
	results, err := t.submit(jobs)
	if err != nil {
		return err
	}
	for _, f := range fires {
		if len(f.jobs) == 0 {
			continue
		}
		first := results[0]
		results = results[len(f.jobs):]
		if first.Err != nil {
			f.jobs, f.Fire.Skipped = nil, first.Err.Error()
			continue
		}
		f.Fire.Job, f.Fire.Jobs = first.Job, len(f.jobs)
	}
	return nil
}

// recordFires writes the fires down, in the order of their schedules' names.
func (t *tx) recordFires(fires []*aFire) error {
	slices.SortFunc(fires, func(a, b *aFire) int { return cmp.Compare(a.Schedule, b.Schedule) })
	err := t.each(`UPDATE schedule SET next = ?2, open_since = ?3, last_due = ?4 WHERE name = ?1`, len(fires), func(i int) []any {
		f := fires[i]
		next := toMicros(f.Next)
		if f.ByHand {
			next = f.row.next
		}
		return []any{f.Schedule, next, f.row.openSince, toMicros(f.Fire.Due)}
	})
	if err != nil {
		return err
	}
	return t.insert(`INSERT INTO fire (schedule, due, job, jobs, skipped, checked)`, 6, len(fires), func(i int) []any {
		f := fires[i]
		return []any{f.Schedule, toMicros(f.Fire.Due), int64(f.Fire.Job), max(f.Fire.Jobs, 1), f.Fire.Skipped, t.now}
	}, `ON CONFLICT DO NOTHING`)
}
