package sqlstore

import (
	"database/sql"
	"maps"
	"slices"

	"github.com/rotaqueue/rota"
)

// findPlaces finds out for new jobs of what flow they are, behind which gates their tasks come to stand, and the ranks of
// tasks that are ready at once. Those of an array get theirs when they are made.
func (t *tx) findPlaces(rows []*newRow) error {
	queues, err := t.settledQueues()
	if err != nil {
		return err
	}
	if err := t.findFlows(queues, rows); err != nil {
		return err
	}
	for _, r := range rows {
		q := queues[r.Spec.Queue]
		if r.Spec.LimitKey != "" {
			if r.gates.key, err = t.keyGate(r.Spec.LimitKey, r.Spec.KeyLimit, r.gates.flow != 0); err != nil {
				return err
			}
		}
		if r.Spec.Limit > 0 {
			if r.gates.array, err = t.newGate(r.Spec.Limit, r.gates.key != 0 || r.gates.flow != 0); err != nil {
				return err
			}
		}
		r.rank = unranked
		if !orderOf(q).Flows || !r.Spec.Many() && t.firstStateOf(r) == rota.Ready {
			if r.rank, _, err = t.arrive(q, r.Spec.Priority, r.flow, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// findFlows finds the flows of new jobs in queues that have some.
func (t *tx) findFlows(queues map[string]*rota.Queue, rows []*newRow) error {
	names := map[string][]string{}
	for _, r := range rows {
		if q := queues[r.Spec.Queue]; hasFlows(q) {
			names[q.Name] = append(names[q.Name], q.Flow.NameOf(r.Submitter, &r.Spec))
		}
	}
	for _, queue := range slices.Sorted(maps.Keys(names)) {
		q := queues[queue]
		ids, err := t.flowsOf(q, names[queue])
		if err != nil {
			return err
		}
		if q.FlowRunning > 0 {
			if err := t.boundFlows(q, slices.Sorted(maps.Values(ids))); err != nil {
				return err
			}
		}
		for _, r := range rows {
			if r.Spec.Queue != queue {
				continue
			}
			r.flow = ids[q.Flow.NameOf(r.Submitter, &r.Spec)]
			if q.FlowRunning > 0 {
				r.gates.flow = r.flow
			}
		}
	}
	return nil
}

// reorder gives what waits in a queue the places that its new settings give, in steps: each job is looked at anew, as by an
// edit that changes nothing. Flows begin alike.
func (t *tx) reorder(q *rota.Queue) error {
	if _, err := t.exec(`UPDATE flow SET tag = 0, behind = NULL, first = NULL WHERE queue = ?1`, q.Name); err != nil {
		return err
	}
	_, err := t.operate(rota.Operation{Act: rota.ActEdit, Filter: rota.Filter{Queue: q.Name}, Edit: &rota.Edit{}})
	return err
}

// forgetOrder forgets how far a queue has come.
func (t *tx) forgetOrder(queue string) error {
	for _, q := range []string{`DELETE FROM flow WHERE queue = ?1`, `DELETE FROM turn WHERE queue = ?1`, `DELETE FROM pace WHERE queue = ?1`} {
		if _, err := t.exec(q, queue); err != nil {
			return err
		}
	}
	return nil
}

// forgetTurns forgets keys and flows that no job that is kept has. They are held first, and looked at once more then: a job
// that is being submitted with one holds it too.
func (t *tx) forgetTurns() error {
	const (
		unkeyed = `g.name IS NOT NULL AND g.open = 0 AND (SELECT 1 FROM job j WHERE j.key_gate <> 0 AND j.key_gate = g.id LIMIT 1) IS NULL`
		empty   = `f.tag <= (SELECT coalesce(max(u.claimed), 0) FROM turn u WHERE u.queue = f.queue)
			AND (SELECT 1 FROM job j WHERE j.flow <> 0 AND j.flow = f.id LIMIT 1) IS NULL
			AND (SELECT 1 FROM task t WHERE t.flow IS NOT NULL AND t.state = 4 AND t.flow = f.id LIMIT 1) IS NULL
			AND (SELECT 1 FROM gate g WHERE g.id = f.id AND g.open <> 0 LIMIT 1) IS NULL`
	)
	keys, err := t.ids(`SELECT g.id FROM gate g WHERE `+unkeyed+` ORDER BY g.id LIMIT ?1 /*pg FOR UPDATE SKIP LOCKED */`, pruneJobs)
	if err == nil && len(keys) > 0 {
		_, err = t.exec(`DELETE FROM gate AS g WHERE g.id IN (SELECT value FROM json_each(?1)) AND `+unkeyed, list(keys))
	}
	if err != nil {
		return err
	}
	flows, err := t.ids(`SELECT f.id FROM flow f WHERE `+empty+` ORDER BY f.id LIMIT ?1 /*pg FOR UPDATE SKIP LOCKED */`, pruneJobs)
	if err != nil || len(flows) == 0 {
		return err
	}
	if _, err := t.exec(`DELETE FROM gate AS g WHERE g.id IN (SELECT f.id FROM flow f WHERE f.id IN (SELECT value FROM json_each(?1)) AND `+empty+`)`, list(flows)); err != nil {
		return err
	}
	_, err = t.exec(`DELETE FROM flow AS f WHERE f.id IN (SELECT value FROM json_each(?1)) AND `+empty, list(flows))
	return err
}

// ids are the numbers that a statement finds.
func (t *tx) ids(q string, args ...any) (all []int64, err error) {
	err = t.query(func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id)
		all = append(all, id)
		return err
	}, q, args...)
	return all, err
}
