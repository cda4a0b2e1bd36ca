package sqlstore

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rotaqueue/rota"
)

// keepRound is how often the history is looked through for jobs that their queue keeps for a shorter time than the node.
const keepRound = 10 * time.Minute

// outlivedInQueues are some ended jobs that are older than their queue keeps them. The history is looked through from its
// beginning to the youngest that may be too old, a piece at a time: there is no index for each queue, which every end would pay
// for. It reports whether there is more to look at now.
func (t *tx) outlivedInQueues() (ids []rota.JobID, more bool, err error) {
	before, err := t.keptBefore()
	if err != nil || len(before) == 0 {
		return nil, false, err
	}
	c := map[string]int64{}
	err = t.query(func(r *sql.Rows) error {
		var name string
		var value int64
		err := r.Scan(&name, &value)
		c[name] = value
		return err
	}, `SELECT name, value FROM counter WHERE name IN ('kept round', 'kept ended', 'kept job')`)
	if err != nil {
		return nil, false, err
	}
	if c["kept ended"] == 0 {
		if c["kept round"] > t.now-keepRound.Microseconds() && c["kept round"] <= t.now {
			return nil, false, nil
		}
		c["kept round"] = t.now
	}
	scanned := 0
	err = t.query(func(r *sql.Rows) error {
		var id, lane, ended int64
		if err := r.Scan(&id, &lane, &ended); err != nil {
			return err
		}
		scanned++
		c["kept ended"], c["kept job"] = ended, id
		if ended < before[lane] {
			ids = append(ids, rota.JobID(id))
		}
		return nil
	}, fmt.Sprintf(`SELECT id, lane, ended FROM job WHERE ended > 0 AND ended >= ?1 AND ended < ?3 AND (ended > ?1 OR id > ?2) AND removing = 0
		ORDER BY ended, id LIMIT %d`, stepRows), c["kept ended"], c["kept job"], slices.Max(slices.Collect(maps.Values(before))))
	if err != nil {
		return nil, false, err
	}
	if more = scanned == stepRows; !more {
		c["kept ended"], c["kept job"] = 0, 0
	}
	for name, value := range c {
		if _, err := t.exec(`INSERT INTO counter (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value); err != nil {
			return nil, false, err
		}
	}
	return ids, more, nil
}

// keptBefore is, of each lane whose queue says so, before which time jobs have ended that are no longer kept.
func (t *tx) keptBefore() (map[int64]int64, error) {
	queues, err := t.settledQueues()
	if err != nil {
		return nil, err
	}
	lanes, err := t.lanes()
	if err != nil {
		return nil, err
	}
	before := map[int64]int64{}
	for id, l := range lanes.byID {
		if q := queues[l.queue]; q != nil && q.Keep > 0 {
			before[id] = t.now - q.Keep.Micros()
		}
	}
	return before, nil
}
