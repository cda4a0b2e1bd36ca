package sqlstore

import (
	"database/sql"
	"slices"

	"github.com/rotaqueue/rota"
)

// lane is a set of tasks of one queue that the same sessions may claim: the prefix of the claim's index (P16).
type lane struct {
	queue string
	home  rota.SessionID // only this transient node's session may claim; empty: any
}

// lanes are all lanes. They change rarely and only through this store's one writer, which therefore remembers them
// from one transaction to the next.
func (t *tx) lanes() (map[int64]lane, error) {
	if t.s.w.lanes != nil {
		return t.s.w.lanes, nil
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
		t.s.w.lanes = lanes
	}
	return lanes, err
}

// laneFor is the lane of a queue and home; both are made if they are not there yet.
func (t *tx) laneFor(queue string, home rota.SessionID) (int64, error) {
	lanes, err := t.lanes()
	if err != nil {
		return 0, err
	}
	var last, found int64
	for id, l := range lanes {
		last = max(last, id)
		if (l == lane{queue, home}) && (found == 0 || id < found) {
			found = id
		}
	}
	if found != 0 {
		return found, nil
	}
	if _, err := t.exec(`INSERT INTO queue (name, discipline, created) VALUES (?1, 'priority', ?2) ON CONFLICT (name) DO NOTHING`,
		queue, t.now); err != nil {
		return 0, err
	}
	if _, err := t.exec(`INSERT INTO lane (id, queue, home) VALUES (?1, ?2, ?3)`, last+1, queue, string(home)); err != nil {
		return 0, err
	}
	lanes[last+1] = lane{queue, home}
	return last + 1, nil
}

// laneQueues are the lanes' queues.
func (t *tx) laneQueues() (map[int64]string, error) {
	lanes, err := t.lanes()
	names := make(map[int64]string, len(lanes))
	for id, l := range lanes {
		names[id] = l.queue
	}
	return names, err
}

// openHomes lets every node claim what was reserved for a session that is no more. It touches lanes, not tasks.
func (t *tx) openHomes(session rota.SessionID) error {
	n, err := t.exec(`UPDATE lane SET home = '' WHERE home = ?1`, string(session))
	if n > 0 {
		t.s.w.lanes = nil
	}
	return err
}

// servedLanes are, in the order of the patterns, the lanes of each queue that has ready tasks, is not paused, and
// fits: "*" stands for every queue not named otherwise, "!x" excludes. Queues of one pattern go by name, default last.
func (t *tx) servedLanes(patterns []string, home rota.SessionID) ([][]int64, error) {
	lanes, err := t.lanes()
	if err != nil {
		return nil, err
	}
	var queues []string
	err = t.query(func(r *sql.Rows) error {
		var q string
		err := r.Scan(&q)
		queues = append(queues, q)
		return err
	}, `SELECT c.queue FROM queue_count c JOIN queue q ON q.name = c.queue WHERE c.state = 4 AND c.n > 0 AND q.paused = 0`)
	if err != nil {
		return nil, err
	}
	var served [][]int64
	for _, q := range orderQueues(queues, patterns) {
		var ids []int64
		for id, l := range lanes {
			if l.queue == q && l.home == home {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		if len(ids) > 0 {
			served = append(served, ids)
		}
	}
	return served, nil
}

// orderQueues puts the queues that the patterns select into the order in which they are served.
func orderQueues(queues, patterns []string) []string {
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	slices.SortFunc(queues, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == rota.DefaultQueue:
			return 1
		case b == rota.DefaultQueue:
			return -1
		}
		return compare(a, b)
	})
	best := make(map[string]int, len(queues)) // the place of the most exact pattern that selects the queue
	for _, q := range queues {
		best[q] = placeOf(q, patterns)
	}
	queues = slices.DeleteFunc(queues, func(q string) bool { return best[q] < 0 })
	slices.SortStableFunc(queues, func(a, b string) int { return best[a] - best[b] })
	return queues
}

// placeOf is the index of the pattern under which a queue is served, -1 for not at all. A pattern that names the
// queue itself counts before one with a wildcard.
func placeOf(queue string, patterns []string) int {
	place := -1
	for i, p := range patterns {
		if p != "" && p[0] == '!' && rota.MatchName(p[1:], queue) {
			return -1
		}
		if p == queue {
			return i
		}
		if place < 0 && rota.MatchName(p, queue) {
			place = i
		}
	}
	return place
}
