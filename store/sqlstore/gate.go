package sqlstore

import (
	"database/sql"
	"maps"
	"slices"

	"github.com/rotaqueue/rota"
)

// newGate makes a gate that lets so many tasks through at once (P16).
func (t *tx) newGate(limit int, further bool) (int64, error) {
	id, err := t.next("gate", 1)
	if err != nil {
		return 0, err
	}
	_, err = t.exec(`INSERT INTO gate (id, max, further) VALUES (?1, ?2, ?3)`, id, limit, flag(further))
	return id, err
}

// keyGate is the gate of a key, which all jobs with that key share, whatever queues they are in. What the latest of
// them says of the limit holds for all.
func (t *tx) keyGate(key string, limit int, further bool) (int64, error) {
	var id int64
	var most, more int
	known, err := t.one(`SELECT id, max, further FROM gate WHERE name = ?1 /*pg FOR KEY SHARE */`, []any{key}, &id, &most, &more)
	if err != nil || known && most == limit && more >= flag(further) {
		return id, err
	}
	if known {
		t.gate(id, 0) // it may have become wider
		_, err := t.exec(`UPDATE gate SET max = ?2, further = CASE WHEN ?3 > further THEN ?3 ELSE further END WHERE id = ?1`, id, limit, flag(further))
		return id, err
	}
	if id, err = t.next("gate", 1); err != nil {
		return 0, err
	}
	_, err = t.one(`INSERT INTO gate (id, max, further, name) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) WHERE name IS NOT NULL
		DO UPDATE SET max = excluded.max RETURNING id`, []any{id, limit, flag(further), key}, &id)
	return id, err
}

// boundFlows makes the gates of flows of a queue that bounds them, or sets how many they let through.
func (t *tx) boundFlows(q *rota.Queue, ids []int64) error {
	return t.each(`INSERT INTO gate (id, max) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET max = excluded.max WHERE gate.max <> excluded.max`,
		len(ids), func(i int) []any { return []any{ids[i], q.FlowRunning} })
}

// gates are those that a task has to pass, in the order in which it comes to them: of its array, of its key, of its flow.
type gates struct{ array, key, flow int64 }

// first is the first gate; 0: there is none.
func (g gates) first() int64 {
	switch {
	case g.array != 0:
		return g.array
	case g.key != 0:
		return g.key
	}
	return g.flow
}

// passed calls with those gates that a task has passed that stands behind one of them, or, with 0, all.
func (g gates) passed(behind int64, with func(id int64)) {
	for _, id := range [...]int64{g.array, g.key, g.flow} {
		if id != 0 && id == behind {
			return
		}
		if id != 0 {
			with(id)
		}
	}
}

// nextGate is, in an UPDATE of tasks, the gate that comes after gate ?1.
const nextGate = `(SELECT CASE WHEN ?1 = j.gate AND j.key_gate <> 0 THEN j.key_gate WHEN ?1 <> coalesce(task.flow_gate, ?1) THEN task.flow_gate ELSE 0 END
	FROM job j WHERE j.id = task.id >> 24)`

// settleGates admits to the places that became free whoever waits behind the gates they belong to. Tasks that become
// ready always come to stand behind their first gate; here they are let through, to the next or to be claimed.
func (t *tx) settleGates() error {
	// Newest first: a job's own gate comes before those that it shares, which are older, mostly.
	ids := slices.Sorted(maps.Keys(t.gates))
	slices.Reverse(ids)
	deltas := t.gates
	t.gates = nil
	for _, id := range ids {
		var limit, open, further int
		found, err := t.one(`UPDATE gate SET open = open + ?2 WHERE id = ?1 RETURNING max, open, further`, []any{id, deltas[id]}, &limit, &open, &further)
		if err != nil {
			return err
		}
		if !found || open >= limit {
			continue
		}
		n, err := t.letThrough(id, min(limit-open, scanRows), further != 0)
		if err == nil && n > 0 {
			_, err = t.exec(`UPDATE gate SET open = open + ?2 WHERE id = ?1`, id, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// letThrough lets up to n tasks through a gate that wait behind it.
func (t *tx) letThrough(id int64, n int, further bool) (int, error) {
	const waiting = ` WHERE id IN (SELECT id FROM task WHERE state = 4 AND gate <> 0 AND gate = ?1 ORDER BY rank, id LIMIT ?2 /*pg FOR UPDATE */)`
	if !further && t.w.heads == nil {
		n, err := t.exec(`UPDATE task SET gate = 0`+waiting, id, n)
		t.freed = t.freed || n > 0
		return n, err
	}
	through := 0
	err := t.query(func(r *sql.Rows) error {
		var next, lane int64
		err := r.Scan(&next, &lane)
		through++
		delete(t.w.heads, lane)
		if next != 0 {
			t.gate(next, 0)
		}
		t.freed = t.freed || next == 0
		return err
	}, `UPDATE task SET gate = `+nextGate+waiting+` RETURNING gate, lane`, id, n)
	return through, err
}
