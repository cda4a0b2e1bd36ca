package sqlstore

import (
	"database/sql"
	"iter"
	"slices"

	"github.com/rotaqueue/rota"
)

// lane is a set of tasks of one queue that the same sessions may claim: the prefix of the claim's index (P16).
type lane struct {
	queue string
	home  rota.SessionID // only this transient node's session may claim; empty: any
}

// lanes are all lanes. They change rarely, and a writer remembers them from one transaction to the next.
func (t *tx) lanes() (map[int64]lane, error) {
	if t.w.lanes != nil {
		return t.w.lanes, nil
	}
	lanes := map[int64]lane{}
	err := t.query(func(r *sql.Rows) error {
		var id int64
		var l lane
		err := r.Scan(&id, &l.queue, &l.home)
		lanes[id] = l
		return err
	}, `SELECT id, queue, home FROM lane`)
	if err == nil {
		t.w.lanes = lanes
	}
	return lanes, err
}

// laneFor is the lane of a queue and home; both are made if they are not there yet. A home that is no more is none.
func (t *tx) laneFor(queue string, home rota.SessionID) (int64, error) {
	lanes, err := t.lanes()
	if err != nil {
		return 0, err
	}
	if home != "" {
		gone, err := t.one(`SELECT id FROM session WHERE name = ?1 AND state <> 1 /*pg FOR SHARE */`, []any{string(home)}, new(int64))
		if err != nil {
			return 0, err
		}
		if gone {
			home = ""
		}
	}
	if found := laneOf(lanes, queue, home); found != 0 {
		return found, nil
	}
	if err := t.makeQueue(queue); err != nil {
		return 0, err
	}
	// Others may have made it since: from here on they wait for us.
	if err := t.reshape(); err != nil {
		return 0, err
	}
	if _, err := t.exec(`INSERT INTO lane (id, queue, home) SELECT coalesce(max(id), 0) + 1, ?1, ?2 FROM lane
		HAVING count(CASE WHEN queue = ?1 AND home = ?2 THEN 1 END) = 0`, queue, string(home)); err != nil {
		return 0, err
	}
	if lanes, err = t.lanes(); err != nil {
		return 0, err
	}
	return laneOf(lanes, queue, home), nil
}

// reshape says that lanes, or settings of queues, change in this transaction; no other changes them until it has ended.
func (t *tx) reshape() error {
	t.w.forget()
	_, err := t.one(`UPDATE counter SET value = value + 1 WHERE name = 'shape' RETURNING value`, nil, &t.w.shape)
	return err
}

// laneOf is the oldest lane of a queue and home; 0 when there is none.
func laneOf(lanes map[int64]lane, queue string, home rota.SessionID) (found int64) {
	for id, l := range lanes {
		if (l == lane{queue, home}) && (found == 0 || id < found) {
			found = id
		}
	}
	return found
}

// laneQueues are the lanes' queues. One that is new to us, because somebody else has just made it, is read.
func (t *tx) laneQueues(of iter.Seq[int64]) (map[int64]string, error) {
	lanes, err := t.lanes()
	for id := range of {
		if _, known := lanes[id]; !known && err == nil {
			t.w.lanes = nil
			lanes, err = t.lanes()
		}
	}
	names := make(map[int64]string, len(lanes))
	for id, l := range lanes {
		names[id] = l.queue
	}
	return names, err
}

// openHomes lets every node claim what was reserved for sessions that are no more, or never came to be; except is one
// that is about to. It touches lanes, not tasks.
func (t *tx) openHomes(except rota.SessionID, node string) error {
	n, err := t.exec(`UPDATE lane SET home = '' WHERE home <> '' AND home <> ?1 AND home NOT IN (SELECT name FROM session WHERE state = 1 AND node <> ?2)`,
		string(except), node)
	if n > 0 && err == nil {
		err = t.reshape()
	}
	return err
}

// servedLanes are the lanes that a claim looks at, in groups: those of all queues that one pattern selects are one
// group, in which rank and age decide; the groups follow the order of the patterns. "!x" excludes, and a pattern that
// names a queue itself counts before one with a wildcard. Only lanes of queues that have ready tasks and are not paused
// are served.
func (t *tx) servedLanes(patterns []string, home rota.SessionID) ([][]int64, error) {
	lanes, err := t.lanes()
	if err != nil {
		return nil, err
	}
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	place := map[string]int{}
	err = t.query(func(r *sql.Rows) error {
		var q string
		err := r.Scan(&q)
		place[q] = placeOf(q, patterns)
		return err
	}, `SELECT c.queue FROM queue_stripe c JOIN queue q ON q.name = c.queue WHERE c.state = 4 AND q.paused = 0
		GROUP BY c.queue HAVING sum(c.n) > 0`)
	if err != nil {
		return nil, err
	}
	groups := make([][]int64, len(patterns))
	for id, l := range lanes {
		if at, ready := place[l.queue]; ready && at >= 0 && l.home == home {
			groups[at] = append(groups[at], id)
		}
	}
	groups = slices.DeleteFunc(groups, func(ids []int64) bool { return len(ids) == 0 })
	for _, ids := range groups {
		slices.Sort(ids)
	}
	return groups, nil
}

// placeOf is the index of the pattern under which a queue is served, -1 for not at all.
func placeOf(queue string, patterns []string) int {
	place := -1
	exact := false
	for i, p := range patterns {
		switch {
		case p != "" && p[0] == '!':
			if rota.MatchName(p[1:], queue) {
				return -1
			}
		case p == queue && !exact:
			place, exact = i, true
		case place < 0 && rota.MatchName(p, queue) && queue[0] != '@': // a node's own queue is served by its name alone
			place = i
		}
	}
	return place
}
