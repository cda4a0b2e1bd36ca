package sqlstore

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/rotaqueue/rota"
)

const (
	checkEvery = 2 * time.Second // how often a fire is looked at whose jobs have not ended
	checkRows  = 500             // fires of a step
)

// openFire is a fire that nobody knows the end of yet.
type openFire struct {
	schedule         string
	due, job, jobs   int64
	skipped          string
	alarm            rota.Alarm
	failures         int
	found, left      int64 // of its jobs, and tasks that have not ended
	failed, canceled int64
	started          sql.NullInt64 // the first of its tasks, as far as is known: claimed
	told             []rota.Letter // of alarms that it raised
}

// sweepFires looks at fires whose jobs had not ended, notes how those ended that have, and raises and ends alarms. Who is to
// be told of those gets letters in the same transaction.
func (t *tx) sweepFires() (out rota.Swept, err error) {
	fires, err := t.openFires()
	if err != nil {
		return out, err
	}
	out = rota.Swept{Moved: len(fires), More: len(fires) == checkRows}
	failures := map[string]int{}
	var told []rota.Letter
	for _, f := range fires {
		if n, seen := failures[f.schedule]; seen {
			f.failures = n
		}
		if err := t.checkFire(f); err != nil {
			return out, err
		}
		failures[f.schedule] = f.failures
		told = append(told, f.told...)
	}
	if err := t.post(told); err != nil {
		return out, err
	}
	var checked int64
	open, err := t.one(`SELECT checked FROM fire WHERE result = '' ORDER BY checked LIMIT 1`, nil, &checked)
	if open {
		out.Next = fromMicros(checked + checkEvery.Microseconds())
	}
	return out, err
}

// openFires are those that it is time to look at, in the order of their schedules and times.
func (t *tx) openFires() (fires []*openFire, err error) {
	err = t.query(func(r *sql.Rows) error {
		var f openFire
		var doc []byte
		if err := r.Scan(&f.schedule, &f.due, &f.job, &f.jobs, &f.skipped, &doc, &f.failures, &f.found, &f.left, &f.failed, &f.canceled); err != nil {
			return err
		}
		var sch struct{ Alarm rota.Alarm }
		if err := json.Unmarshal(doc, &sch); err != nil {
			return err
		}
		f.alarm = sch.Alarm
		fires = append(fires, &f)
		return nil
	}, `SELECT f.schedule, f.due, f.job, f.jobs, f.skipped, s.doc, s.failures, count(j.id), coalesce(sum(j.tasks_left), 0),
			coalesce(sum(j.failed), 0), coalesce(sum(j.cancelled), 0)
		FROM (SELECT schedule, due, job, jobs, skipped FROM fire WHERE result = '' AND checked <= ?1 ORDER BY checked LIMIT ?2) f
		JOIN schedule s ON s.name = f.schedule LEFT JOIN job j ON f.job > 0 AND j.id BETWEEN f.job AND f.job + f.jobs - 1
		GROUP BY f.schedule, f.due, f.job, f.jobs, f.skipped, s.doc, s.failures`, t.now-checkEvery.Microseconds(), checkRows)
	slices.SortFunc(fires, func(a, b *openFire) int {
		return cmp.Or(cmp.Compare(a.schedule, b.schedule), cmp.Compare(a.due, b.due))
	})
	return fires, err
}

// checkFire notes what has become of a fire.
func (t *tx) checkFire(f *openFire) error {
	result := f.result()
	switch result {
	case rota.ResultSucceeded:
		f.failures = 0
	case rota.ResultFailed:
		f.failures++
	}
	if err := t.checkAlarms(f, result); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE fire SET result = ?3, checked = ?4 WHERE schedule = ?1 AND due = ?2`, f.schedule, f.due, string(result), t.now); err != nil {
		return err
	}
	if result != rota.ResultSucceeded && result != rota.ResultFailed && result != rota.ResultCancelled {
		return nil
	}
	_, err := t.exec(`UPDATE schedule SET result = ?2, failures = ?3 WHERE name = ?1`, f.schedule, string(result), f.failures)
	return err
}

// result is how the fire's jobs ended; empty while they have not.
func (f *openFire) result() rota.Result {
	switch {
	case f.job == 0:
		return rota.ResultSkipped
	case f.found == 0:
		return rota.ResultGone
	case f.left > 0:
		return ""
	case f.failed > 0:
		return rota.ResultFailed
	case f.canceled > 0:
		return rota.ResultCancelled
	}
	return rota.ResultSucceeded
}

// checkAlarms raises the alarms that the fire is a reason for, and ends those that a success is the end of.
func (t *tx) checkAlarms(f *openFire, result rota.Result) error {
	if !f.alarm.Says() {
		return nil
	}
	if result == rota.ResultSucceeded {
		_, err := t.exec(`UPDATE schedule_alarm SET until = ?2 WHERE schedule = ?1 AND until = 0`, f.schedule, t.now)
		return err
	}
	if result == "" {
		_, err := t.one(`SELECT min(claimed) FROM task WHERE id BETWEEN ?1 AND ?2 AND claimed > 0`,
			[]any{int64(rota.PlainTask(rota.JobID(f.job))), lastTask(f.job + f.jobs - 1)}, &f.started)
		if err != nil {
			return err
		}
	}
	since := func(at int64) rota.Duration { return rota.Duration(time.Duration(t.now-at) * time.Microsecond) }
	waited := result == "" && !f.started.Valid
	switch a := f.alarm; {
	case a.Late > 0 && result == rota.ResultSkipped:
		return t.raise(f, rota.AlarmLate, "it did not run: "+f.skipped)
	case a.Late > 0 && waited && since(f.due) > a.Late:
		return t.raise(f, rota.AlarmLate, fmt.Sprintf("it did not run: job %d has not started %v after it was due", f.job, a.Late))
	case a.Long > 0 && f.started.Valid && since(f.started.Int64) > a.Long:
		return t.raise(f, rota.AlarmLong, fmt.Sprintf("job %d runs longer than %v", f.job, a.Long))
	case a.Fails > 0 && result == rota.ResultFailed && f.failures >= a.Fails:
		return t.raise(f, rota.AlarmFails, fmt.Sprintf("it has failed %d times in a row, the last time as job %d", f.failures, f.job))
	}
	return nil
}

func lastTask(job int64) int64 {
	_, last := rota.JobID(job).Tasks()
	return int64(last)
}

// raise notes an alarm and that somebody is to be told, unless it holds already.
func (t *tx) raise(f *openFire, kind rota.AlarmKind, text string) error {
	var one int
	holds, err := t.one(`SELECT 1 FROM schedule_alarm WHERE schedule = ?1 AND kind = ?2 AND until = 0`, []any{f.schedule, string(kind)}, &one)
	if err != nil || holds {
		return err
	}
	n, err := t.exec(`INSERT INTO schedule_alarm (schedule, kind, since, until, due, text) VALUES (?1, ?2, ?3, 0, ?4, ?5) ON CONFLICT DO NOTHING`,
		f.schedule, string(kind), t.now, f.due, text)
	if err == nil && n > 0 {
		f.told = append(f.told, rota.Letter{Kind: rota.EventAlarm, Job: rota.JobID(f.job), Event: rota.Event{Schedule: f.schedule, Text: text}})
	}
	return err
}

// pruneFires forgets fires, and alarms that are over, past the retention of jobs. It says how many.
func (t *tx) pruneFires(keep rota.Retention) (int, error) {
	before := int64(0)
	if keep.Age > 0 {
		before = t.now - keep.Age.Micros()
	}
	if keep.Jobs > 0 {
		var due int64
		if found, err := t.one(`SELECT due FROM fire ORDER BY due DESC LIMIT 1 OFFSET ?1`, []any{keep.Jobs}, &due); err != nil {
			return 0, err
		} else if found {
			before = max(before, due)
		}
	}
	if before == 0 {
		return 0, nil
	}
	if _, err := t.exec(`DELETE FROM schedule_alarm WHERE until > 0 AND until < ?1`, before); err != nil {
		return 0, err
	}
	// The latest fire of a schedule stays.
	return t.exec(`DELETE FROM fire WHERE (schedule, due) IN (SELECT f.schedule, f.due FROM fire f JOIN schedule s ON s.name = f.schedule
		WHERE f.due < ?1 AND f.result <> '' AND f.due < s.last_due ORDER BY f.due LIMIT ?2)`, before, stepRows)
}
