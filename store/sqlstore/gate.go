package sqlstore

import (
	"maps"
	"slices"
)

// newGate makes a gate that lets so many tasks through at once (P16).
func (t *tx) newGate(limit int) (int64, error) {
	id, err := t.next("gate", 1)
	if err != nil {
		return 0, err
	}
	_, err = t.exec(`INSERT INTO gate (id, max) VALUES (?1, ?2)`, id, limit)
	return id, err
}

// settleGates admits to the places that became free whoever waits behind the gates they belong to. Tasks that become
// ready always come to stand behind their job's gate first; here they are let through.
func (t *tx) settleGates() error {
	ids := slices.Sorted(maps.Keys(t.gates))
	deltas := t.gates
	t.gates = nil
	for _, id := range ids {
		var limit, open int
		found, err := t.one(`UPDATE gate SET open = open + ?2 WHERE id = ?1 RETURNING max, open`, []any{id, deltas[id]}, &limit, &open)
		if err != nil {
			return err
		}
		if !found || open >= limit {
			continue
		}
		n, err := t.exec(`UPDATE task SET gate = 0 WHERE id IN (SELECT id FROM task WHERE state = 4 AND gate <> 0 AND gate = ?1
			ORDER BY rank, id LIMIT ?2 /*pg FOR UPDATE */)`, id, min(limit-open, scanRows))
		if err == nil && n > 0 {
			t.freed = true
			_, err = t.exec(`UPDATE gate SET open = open + ?2 WHERE id = ?1`, id, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
