package sqlstore

import (
	"time"

	"github.com/rotaqueue/rota"
)

// claimIdentity makes a new job the one that is in the way of others like it, or says which job is in its way (D9). The row
// is the lock: of two that come at once the second waits for the first, and then finds it.
func (t *tx) claimIdentity(r *newRow, q *rota.Queue) (other rota.JobID, err error) {
	by := r.Spec.Unique
	window := rota.Duration(0)
	if q != nil {
		window = q.Dedupe.Window
	}
	if by == "" && window > 0 {
		by = rota.UniqueWork
	}
	identity := r.Identity(by)
	if identity == "" || r.Schedule != "" { // a fire is no submission (P20)
		return 0, nil
	}
	if _, err := t.laneFor(laneOf(r.Spec.Queue, r.Home, &r.Spec)); err != nil { // makes the queue
		return 0, err
	}
	var number int64
	if _, err := t.one(`SELECT number FROM queue WHERE name = ?1`, []any{r.Spec.Queue}, &number); err != nil {
		return 0, err
	}
	// A job that is not seen here yet, though it has the row, is one that has just been submitted.
	n, err := t.exec(`INSERT INTO identity (queue, identity, job) VALUES (?1, ?2, ?3) ON CONFLICT (queue, identity)
		DO UPDATE SET job = excluded.job, ended = 0 WHERE identity.ended > 0 AND identity.ended <= ?4
		OR EXISTS (SELECT 1 FROM job j WHERE j.id = identity.job AND j.ended > 0 AND (j.ended <= ?4 OR j.cancelled = j.tasks))`,
		number, identity, int64(r.id), t.now-window.Micros())
	if err != nil || n > 0 {
		return 0, err
	}
	_, err = t.one(`SELECT job FROM identity WHERE queue = ?1 AND identity = ?2`, []any{number, identity}, (*int64)(&other))
	return other, err
}

// repeated is the answer for a job in whose way another is: a refusal, or the other job.
func (t *tx) repeated(r *newRow, q *rota.Queue, other rota.JobID, result *rota.SubmitResult) error {
	if q == nil || q.Dedupe.Then != rota.RepeatMerge {
		result.Err = rota.Errorf(rota.ErrConflict, "queue %s: job %v is like this one, %s", r.Spec.Queue, other, whyInTheWay(q)).
			WithFix("rota show %v says how it stands; rota retry %v tries it again if it failed", other, other)
		return nil
	}
	tasks := r.tasks
	if _, err := t.one(`SELECT tasks FROM job WHERE id = ?1`, []any{int64(other)}, &tasks); err != nil {
		return err
	}
	result.Submitted = rota.Submitted{Job: other, Tasks: tasks, Existing: true, Merged: true}
	if r.Key == "" {
		return nil
	}
	_, err := t.exec(`INSERT INTO submission_key (submitter, key, hash, job, at, orphan) VALUES (?1, ?2, ?3, ?4, ?5, 1) ON CONFLICT DO NOTHING`,
		r.Submitter, r.Key, r.Hash, int64(other), t.now)
	return err
}

func whyInTheWay(q *rota.Queue) string {
	if q == nil || q.Dedupe.Window == 0 {
		return "and has not ended"
	}
	return "and has not ended, or did so less than " + q.Dedupe.Window.String() + " ago"
}

// leaveIdentity keeps of a job that is removed when it ended, as long as it may be in the way of others.
func (t *tx) leaveIdentity(id rota.JobID) error {
	_, err := t.exec(`UPDATE identity SET ended = (SELECT CASE WHEN j.cancelled = j.tasks THEN 1 ELSE j.ended END FROM job j WHERE j.id = ?1) WHERE job = ?1`, int64(id))
	return err
}

// forgetIdentities removes what is in nobody's way any more.
func (t *tx) forgetIdentities() error {
	queues, err := t.settledQueues()
	if err != nil {
		return err
	}
	longest := rota.Duration(time.Minute)
	for _, q := range queues {
		longest = max(longest, q.Dedupe.Window)
	}
	_, err = t.exec(`DELETE FROM identity WHERE ended > 0 AND ended < ?1`, t.now-longest.Micros())
	return err
}
