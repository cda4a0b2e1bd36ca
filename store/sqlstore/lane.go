package sqlstore

import (
	"database/sql"
	"iter"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/eligible"
)

// lane is a set of tasks of one queue that the same sessions may claim: the prefix of the claim's index (P16).
type lane struct {
	queue string
	home  rota.SessionID // only this transient node's session may claim; empty: any
	place string         // only the node of that name, or those with a label KEY=VALUE; empty: any
	needs string         // what each task takes of its node, as rota.Resources writes it
	shell bool           // one runs them, or may: in lanes of a schema before 61 are tasks of both kinds
}

// lanes are all lanes, as they are found.
type lanes struct {
	byID  map[int64]lane
	of    map[lane]int64       // the oldest of those that are alike
	in    map[string][]int64   // by queue, ascending
	asked map[int64]*laneRules // of those that were claimed from
	queue map[string]*offered  // likewise
}

// laneRules are what the rules of the claim ask of a lane.
type laneRules struct {
	id int64
	eligible.Lane
	queue *offered
	free  bool // any node that serves the queue may
}

func (l *lanes) add(id int64, x lane) {
	l.byID[id] = x
	if known, ok := l.of[x]; !ok || id < known {
		l.of[x] = id
	}
	l.in[x.queue] = append(l.in[x.queue], id)
}

// rules are those of a lane of an offered queue.
func (l *lanes) rules(id int64) *laneRules {
	r, ok := l.asked[id]
	if !ok {
		x := l.byID[id]
		needs, _ := rota.ParseResources(x.needs) // as it was written
		r = &laneRules{id, eligible.Lane{Queue: x.queue, Home: x.home, On: x.place, Needs: needs, Shell: x.shell}, l.queue[x.queue], x.place == "" && x.needs == ""}
		l.asked[id] = r
	}
	return r
}

// lanes change rarely, and a writer remembers them from one transaction to the next.
func (t *tx) lanes() (*lanes, error) {
	if t.w.lanes != nil {
		return t.w.lanes, nil
	}
	all := &lanes{map[int64]lane{}, map[lane]int64{}, map[string][]int64{}, map[int64]*laneRules{}, map[string]*offered{}}
	err := t.query(func(r *sql.Rows) error {
		var id int64
		var l lane
		err := r.Scan(&id, &l.queue, &l.home, &l.place, &l.needs, &l.shell)
		all.add(id, l)
		return err
	}, `SELECT id, queue, home, place, needs, shell FROM lane ORDER BY id`)
	if err == nil {
		t.w.lanes = all
	}
	return all, err
}

// laneOf is the lane of a job in a queue.
func laneOf(queue string, home rota.SessionID, s *rota.Spec) lane {
	return lane{queue, home, s.On, s.Needs.String(), s.RunsShell()}
}

// laneFor is the number of a lane; it and its queue are made if they are not there yet. A home that is no more is none.
func (t *tx) laneFor(l lane) (int64, error) {
	all, err := t.lanes()
	if err != nil {
		return 0, err
	}
	if l.home != "" {
		gone, err := t.one(`SELECT id FROM session WHERE name = ?1 AND state <> 1 /*pg FOR SHARE */`, []any{string(l.home)}, new(int64))
		if err != nil {
			return 0, err
		}
		if gone {
			l.home = ""
		}
	}
	queues, err := t.settledQueues()
	if err != nil {
		return 0, err
	}
	if found := all.of[l]; found != 0 && queues[l.queue] != nil {
		return found, nil
	}
	if _, err := t.makeQueue(l.queue); err != nil {
		return 0, err
	}
	// Others may have made it since: from here on they wait for us.
	if err := t.reshape(); err != nil {
		return 0, err
	}
	if _, err := t.exec(`INSERT INTO lane (id, queue, home, place, needs, shell) SELECT coalesce(max(id), 0) + 1, ?1, ?2, ?3, ?4, ?5 FROM lane
		HAVING count(CASE WHEN queue = ?1 AND home = ?2 AND place = ?3 AND needs = ?4 AND shell = ?5 THEN 1 END) = 0`,
		l.queue, string(l.home), l.place, l.needs, flag(l.shell)); err != nil {
		return 0, err
	}
	if all, err = t.lanes(); err != nil {
		return 0, err
	}
	return all.of[l], nil
}

// reshape says that lanes, or settings of queues, change in this transaction; no other changes them until it has ended.
func (t *tx) reshape() error {
	t.w.forget()
	_, err := t.one(`UPDATE counter SET value = value + 1 WHERE name = 'shape' RETURNING value`, nil, &t.w.shape)
	return err
}

// holdShape keeps others from changing lanes, and settings of queues, until the transaction has ended.
func (w *writer) holdShape() error {
	w.forget()
	return w.query(func(r *sql.Rows) error { return r.Scan(&w.shape) }, `SELECT value FROM counter WHERE name = 'shape' /*pg FOR UPDATE */`)
}

// laneQueues are the lanes' queues. One that is new to us, because somebody else has just made it, is read.
func (t *tx) laneQueues(of iter.Seq[int64]) (func(lane int64) string, error) {
	all, err := t.lanes()
	for id := range of {
		if err != nil {
			break
		}
		if _, known := all.byID[id]; !known {
			t.w.lanes = nil
			all, err = t.lanes()
		}
	}
	return func(lane int64) string { return all.byID[lane].queue }, err
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
