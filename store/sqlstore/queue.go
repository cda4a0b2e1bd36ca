package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/discipline"
)

// Queues are all queues, by name, with the counts that are kept of them.
func (s *Store) Queues(ctx context.Context) ([]rota.Queue, error) {
	var queues []rota.Queue
	err := s.query(ctx, func(r *sql.Rows) error { return scanQueue(r, &queues) }, queueRows+`ORDER BY q.name, c.state`)
	return queues, err
}

// Oldest says which job of each queue has waited longest. It goes from rank to rank of each lane, by the index that claims
// go by, twenty of them at most.
func (s *Store) Oldest(ctx context.Context) (map[string]rota.Oldest, error) {
	all := map[string]rota.Oldest{}
	err := s.query(ctx, func(r *sql.Rows) error {
		var o rota.Oldest
		var name string
		var since int64
		err := r.Scan(&name, (*int64)(&o.Job), &since)
		o.Since = fromMicros(since)
		all[name] = o
		return err
	}, `WITH RECURSIVE r (queue, lane, rank, n) AS (
			SELECT l.queue, l.id, (SELECT min(t.rank) FROM task t WHERE t.lane = l.id AND t.state = 4 AND t.gate = 0), 1 FROM lane l
				WHERE l.queue IN (SELECT queue FROM queue_stripe WHERE state = 4 GROUP BY queue HAVING sum(n) > 0)
			UNION ALL
			SELECT r.queue, r.lane, (SELECT min(t.rank) FROM task t WHERE t.lane = r.lane AND t.state = 4 AND t.gate = 0 AND t.rank > r.rank), r.n + 1
				FROM r WHERE r.rank IS NOT NULL AND r.n < 20)
		SELECT o.queue, j.id, CASE WHEN j.run_at > j.submitted THEN j.run_at ELSE j.submitted END FROM (
			SELECT r.queue AS queue, min((SELECT min(t.id) FROM task t WHERE t.lane = r.lane AND t.rank = r.rank AND t.state = 4 AND t.gate = 0)) AS first
				FROM r WHERE r.rank IS NOT NULL GROUP BY r.queue) o
			JOIN job j ON j.id = o.first >> 24`)
	return all, err
}

const queueColumns = `q.name, q.discipline, q.paused, q.draining, coalesce(q.limits, ''), coalesce(q.settings, '')`

const queueRows = `SELECT ` + queueColumns + `, c.state, c.n FROM queue q
	LEFT JOIN (SELECT queue, state, sum(n) AS n FROM queue_stripe GROUP BY queue, state) c ON c.queue = q.name `

// scanQueue adds a row of queueRows: a queue has one for each of its counts.
func scanQueue(r *sql.Rows, queues *[]rota.Queue) error {
	var state, n sql.NullInt64
	q, err := scanSettled(r, &state, &n)
	if err != nil {
		return err
	}
	if last := len(*queues) - 1; last < 0 || (*queues)[last].Name != q.Name {
		q.Counts = map[rota.State]int{}
		*queues = append(*queues, q)
	}
	if state.Valid && n.Int64 != 0 {
		(*queues)[len(*queues)-1].Counts[rota.State(state.Int64)] = int(n.Int64)
	}
	return nil
}

// scanSettled reads queueColumns, and what follows them.
func scanSettled(r *sql.Rows, more ...any) (q rota.Queue, err error) {
	var order, limits, settings string
	if err = r.Scan(append([]any{&q.Name, &order, &q.Paused, &q.Draining, &limits, &settings}, more...)...); err != nil {
		return q, err
	}
	if settings != "" {
		err = json.Unmarshal([]byte(settings), &q.QueueSettings)
	}
	if limits != "" && err == nil {
		err = json.Unmarshal([]byte(limits), &q.Limits)
	}
	q.Discipline = order
	return q, err
}

// settled are the texts in which a queue's limits and its other settings are stored.
func settled(s rota.QueueSettings) (limits, settings any, err error) {
	if !s.Limits.IsZero() {
		if limits, err = jsonText(s.Limits); err != nil {
			return nil, nil, err
		}
	}
	s.Limits, s.Discipline = rota.Allowance{}, ""
	settings, err = jsonText(s)
	return limits, settings, err
}

func jsonText(v any) (any, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// ChangeQueue changes settings of a queue, which is made if it is not there yet.
func (s *Store) ChangeQueue(ctx context.Context, name string, c rota.QueueChange) (rota.Queue, error) {
	return written(ctx, s, "change queue", func(t *tx) (rota.Queue, error) { return t.changeQueue(name, c) })
}

func (t *tx) changeQueue(name string, c rota.QueueChange) (rota.Queue, error) {
	made, err := t.makeQueue(name)
	if err == nil && c.New && !made {
		err = rota.Errorf(rota.ErrConflict, "queue %s: there is one of this name", name).WithFix("rota queue set %s changes it", name)
	}
	if err != nil {
		return rota.Queue{}, err
	}
	if err := t.reshape(); err != nil {
		return rota.Queue{}, err
	}
	old, err := t.queue(name)
	if err != nil {
		return old, err
	}
	q := old.Changed(c)
	if err := checkQueue(&q); err != nil {
		return q, fmt.Errorf("queue %s: %w", name, err)
	}
	limits, settings, err := settled(q.QueueSettings)
	if err != nil {
		return q, err
	}
	if _, err = t.exec(`UPDATE queue SET discipline = ?2, paused = ?3, draining = ?4, limits = ?5, settings = ?6 WHERE name = ?1`,
		name, q.Discipline, flag(q.Paused), flag(q.Draining), limits, settings); err != nil {
		return q, err
	}
	t.freed = t.freed || old.Paused && !q.Paused
	if !made && ((c.Retry != rota.RetryChange{}) || q.Tell.Says() && !old.Tell.Says()) {
		if err := t.repolicy(q.Name); err != nil {
			return q, err
		}
	}
	if q.Discipline != old.Discipline || q.Flow != old.Flow || q.FlowRunning != old.FlowRunning || !maps.Equal(q.Weights, old.Weights) {
		err = t.reorder(&q)
	}
	return q, err
}

func checkQueue(q *rota.Queue) error {
	if _, err := discipline.Of(q.Discipline); err != nil {
		return err
	}
	return q.Check()
}

// makeQueue makes a queue that is not there yet, and reports whether it was not.
func (t *tx) makeQueue(name string) (bool, error) {
	if there, err := t.one(`SELECT 1 FROM queue WHERE name = ?1`, []any{name}, new(int)); there || err != nil {
		return false, err
	}
	number, err := t.next("queue", 1)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO queue (name, discipline, created, number) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO NOTHING`,
		name, discipline.Default, t.now, number)
	return n > 0, err
}

// queue is a queue as it stands; one that is not there is ErrNotFound.
func (t *tx) queue(name string) (rota.Queue, error) {
	var queues []rota.Queue
	err := t.query(func(r *sql.Rows) error { return scanQueue(r, &queues) }, queueRows+`WHERE q.name = ?1`, name)
	if err == nil && len(queues) == 0 {
		err = noQueue(name)
	}
	if err != nil {
		return rota.Queue{}, err
	}
	return queues[0], nil
}

func noQueue(name string) error {
	return rota.Errorf(rota.ErrNotFound, "queue %q: there is none of this name", name).WithFix("rota queue ls")
}

// settledQueues are all queues with their settings, by name; none has counts. Like the lanes they change rarely, and a
// writer remembers them: neither a claim nor a submit reads them.
func (t *tx) settledQueues() (map[string]*rota.Queue, error) {
	if t.w.queues != nil {
		return t.w.queues, nil
	}
	all := map[string]*rota.Queue{}
	err := t.query(func(r *sql.Rows) error {
		q, err := scanSettled(r)
		all[q.Name] = &q
		return err
	}, `SELECT `+queueColumns+` FROM queue q`)
	if err == nil {
		t.w.queues = all
	}
	return all, err
}

// RenameQueue gives a queue another name. Whatever number of tasks it has, they stand in its lanes, which change with it.
func (s *Store) RenameQueue(ctx context.Context, name, to string) (rota.Queue, error) {
	return written(ctx, s, "rename queue", func(t *tx) (rota.Queue, error) { return t.renameQueue(name, to) })
}

func (t *tx) renameQueue(name, to string) (rota.Queue, error) {
	if err := t.holdQueues(); err != nil {
		return rota.Queue{}, err
	}
	if _, err := t.queue(name); err != nil {
		return rota.Queue{}, err
	}
	if _, err := t.queue(to); err == nil {
		return rota.Queue{}, rota.Errorf(rota.ErrConflict, "queue %s: there is a queue %s", name, to).
			WithFix("choose another name, or move its jobs: rota queue rm %s --move-to %s", name, to)
	}
	// There may be flows, and more, of a queue that had the new name once.
	for _, q := range []string{`DELETE FROM turn WHERE queue = ?1`, `DELETE FROM pace WHERE queue = ?1`,
		`UPDATE flow SET queue = queue || ' ' || id WHERE queue = ?1`} {
		if _, err := t.exec(q, to); err != nil {
			return rota.Queue{}, err
		}
	}
	for _, q := range []string{
		`UPDATE queue SET name = ?2 WHERE name = ?1`,
		`UPDATE flow SET queue = ?2 WHERE queue = ?1`,
		`UPDATE turn SET queue = ?2 WHERE queue = ?1`,
		`UPDATE pace SET queue = ?2 WHERE queue = ?1`,
		`UPDATE lane SET queue = ?2 WHERE queue = ?1`,
		// There may be counts of a queue that had the new name once.
		`INSERT INTO queue_stripe (queue, state, stripe, n) SELECT ?2, state, stripe, n FROM queue_stripe WHERE queue = ?1
			ON CONFLICT (queue, state, stripe) DO UPDATE SET n = queue_stripe.n + excluded.n`,
	} {
		if _, err := t.exec(q, name, to); err != nil {
			return rota.Queue{}, err
		}
	}
	if _, err := t.exec(`DELETE FROM queue_stripe WHERE queue = ?1`, name); err != nil {
		return rota.Queue{}, err
	}
	if err := t.renameInSchedules(name, to); err != nil {
		return rota.Queue{}, err
	}
	return t.queue(to)
}

// renameInSchedules makes the schedules of a renamed queue fire into it.
func (t *tx) renameInSchedules(name, to string) error {
	docs := map[string]string{}
	err := t.query(func(r *sql.Rows) error {
		var of string
		var doc []byte
		var sch rota.Schedule
		if err := r.Scan(&of, &doc); err != nil {
			return err
		}
		if err := json.Unmarshal(doc, &sch); err != nil || sch.Spec.Queue != name {
			return err
		}
		sch.Spec.Queue = to
		text, err := json.Marshal(&sch)
		docs[of] = string(text)
		return err
	}, `SELECT name, doc FROM schedule ORDER BY name /*pg FOR UPDATE */`)
	for of, doc := range docs {
		if err == nil {
			_, err = t.exec(`UPDATE schedule SET doc = ?2 WHERE name = ?1`, of, doc)
		}
	}
	return err
}

// DropQueue removes a queue with its settings. What has ended in it stays, under its name.
func (s *Store) DropQueue(ctx context.Context, name string) error {
	return s.write(ctx, "remove queue", func(t *tx) error {
		if err := t.holdQueues(); err != nil {
			return err
		}
		q, err := t.queue(name)
		if err != nil {
			return err
		}
		left := 0
		for state, n := range q.Counts {
			if !state.Ended() {
				left += n
			}
		}
		made, err := t.one(`SELECT 1 FROM job j WHERE j.lane IN (SELECT id FROM lane WHERE queue = ?1) AND j.made < j.tasks LIMIT 1`, []any{name}, new(int))
		if err != nil {
			return err
		}
		if left > 0 || made {
			return rota.Errorf(rota.ErrConflict, "queue %s: it has %s", name, leftIn(left)).
				WithFix("rota queue rm %s --move-to QUEUE, or rota queue purge %s", name, name)
		}
		if err := t.forgetOrder(name); err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM queue WHERE name = ?1`, name)
		return err
	})
}

func leftIn(n int) string {
	if n == 0 {
		return "tasks that are still to be made"
	}
	return strings.TrimSuffix(fmt.Sprintf("%d tasks", n), map[bool]string{true: "s"}[n == 1]) + " that " + map[bool]string{true: "has", false: "have"}[n == 1] + " not ended"
}

// holdQueues keeps other transactions from counting tasks under a queue's name until this one, which changes names, has
// ended; they see then that the shape has changed (settleQueues), and begin again.
func (t *tx) holdQueues() error {
	if err := t.reshape(); err != nil || !t.s.engine.shared() {
		return err
	}
	_, err := t.exec(`LOCK TABLE queue_stripe IN EXCLUSIVE MODE`)
	return err
}
