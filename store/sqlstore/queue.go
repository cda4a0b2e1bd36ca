package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/rotaqueue/rota"
)

// Queues are all queues, by name, with the counts that are kept of them.
func (s *Store) Queues(ctx context.Context) ([]rota.Queue, error) {
	var queues []rota.Queue
	err := s.query(ctx, func(r *sql.Rows) error { return scanQueue(r, &queues) }, queueRows+`ORDER BY q.name, c.state`)
	return queues, err
}

const queueRows = `SELECT q.name, q.discipline, q.paused, coalesce(q.limits, ''), c.state, c.n FROM queue q
	LEFT JOIN (SELECT queue, state, sum(n) AS n FROM queue_stripe GROUP BY queue, state) c ON c.queue = q.name `

// scanQueue adds a row of queueRows: a queue has one for each of its counts.
func scanQueue(r *sql.Rows, queues *[]rota.Queue) error {
	var q rota.Queue
	var limits string
	var state, n sql.NullInt64
	if err := r.Scan(&q.Name, &q.Discipline, &q.Paused, &limits, &state, &n); err != nil {
		return err
	}
	if last := len(*queues) - 1; last < 0 || (*queues)[last].Name != q.Name {
		if limits != "" {
			if err := json.Unmarshal([]byte(limits), &q.Limits); err != nil {
				return err
			}
		}
		q.Counts = map[rota.State]int{}
		*queues = append(*queues, q)
	}
	if state.Valid && n.Int64 != 0 {
		(*queues)[len(*queues)-1].Counts[rota.State(state.Int64)] = int(n.Int64)
	}
	return nil
}

// ChangeQueue changes settings of a queue, which is made if it is not there yet.
func (s *Store) ChangeQueue(ctx context.Context, name string, c rota.QueueChange) (rota.Queue, error) {
	return written(ctx, s, "change queue", func(t *tx) (q rota.Queue, err error) {
		if err := t.makeQueue(name); err != nil {
			return q, err
		}
		if q, err = t.queue(name); err != nil {
			return q, err
		}
		q.Limits = q.Limits.Changed(c.Limits)
		if err := q.Limits.Check(); err != nil {
			return q, fmt.Errorf("queue %s: %w", name, err)
		}
		var limits any
		if !q.Limits.IsZero() {
			text, err := json.Marshal(q.Limits)
			if err != nil {
				return q, err
			}
			limits = string(text)
		}
		if err := t.reshape(); err != nil {
			return q, err
		}
		_, err = t.exec(`UPDATE queue SET limits = ?2 WHERE name = ?1`, name, limits)
		return q, err
	})
}

// makeQueue makes a queue that is not there yet.
func (t *tx) makeQueue(name string) error {
	_, err := t.exec(`INSERT INTO queue (name, discipline, created) VALUES (?1, 'priority', ?2) ON CONFLICT (name) DO NOTHING`, name, t.now)
	return err
}

func (t *tx) queue(name string) (rota.Queue, error) {
	var queues []rota.Queue
	err := t.query(func(r *sql.Rows) error { return scanQueue(r, &queues) }, queueRows+`WHERE q.name = ?1`, name)
	if err != nil || len(queues) == 0 {
		return rota.Queue{}, err
	}
	return queues[0], nil
}

// allowances are what queues say of limits, by name, of those that say something. Like the lanes they change rarely, and
// a writer remembers them: neither a claim nor a submit reads them.
func (t *tx) allowances() (map[string]*rota.Allowance, error) {
	if t.w.allowances != nil {
		return t.w.allowances, nil
	}
	all := map[string]*rota.Allowance{}
	err := t.query(func(r *sql.Rows) error {
		var name string
		var limits []byte
		if err := r.Scan(&name, &limits); err != nil {
			return err
		}
		a := &rota.Allowance{}
		all[name] = a
		return json.Unmarshal(limits, a)
	}, `SELECT name, limits FROM queue WHERE limits IS NOT NULL`)
	if err == nil {
		t.w.allowances = all
	}
	return all, err
}
