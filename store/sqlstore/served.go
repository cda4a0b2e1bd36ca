package sqlstore

import (
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/eligible"
)

// offer is what a claim may take: lanes that have something ready and that the rules of the claim (package eligible) leave
// open to the node, in groups, and how far what is limited is used.
type offer struct {
	t      *tx
	node   eligible.Node
	queues []*offered // in the order of their names
	lanes  *lanes
	groups [][]*laneRules // those of all queues that one pattern selects are one group
	again  time.Duration
}

// offered is a queue that has something ready. It is remembered as long as its lanes are: how far it is used, and whether it
// is held, each claim finds out anew.
type offered struct {
	eligible.Queue
	lanes  []*laneRules
	across func(rank int64) int64 // a rank as it counts beside those of other queues
	flows  bool
	free   bool // nothing of it is limited
	held   bool // nobody else claims of it meanwhile
}

// offerTo is what a session may claim. Lanes of queues that have nothing ready are not looked at.
func (t *tx) offerTo(ses session, c rota.Claim) (*offer, error) {
	all, err := t.lanes()
	if err != nil {
		return nil, err
	}
	o := &offer{t: t, lanes: all}
	if o.node, err = t.claimer(ses, c); err != nil {
		return nil, err
	}
	patterns := o.node.Patterns
	ready, err := t.readyQueues()
	if err != nil {
		return nil, err
	}
	groups := make([][]*laneRules, len(patterns))
	var limited []string
	for _, name := range ready {
		place := rota.PlaceOf(name, patterns)
		if place < 0 {
			continue
		}
		q, err := o.queue(name)
		if err != nil {
			return nil, err
		}
		groups[place] = append(groups[place], q.lanes...)
		if q.Limited() {
			limited = append(limited, name)
		}
	}
	if err := o.use(limited); err != nil {
		return nil, err
	}
	for _, lanes := range groups {
		lanes = slices.DeleteFunc(lanes, func(l *laneRules) bool { return o.room(l, 1) == 0 })
		if len(lanes) > 0 {
			o.groups = append(o.groups, lanes)
		}
	}
	return o, nil
}

// claimer is who claims: the node as it is settled, with what it holds.
func (t *tx) claimer(ses session, c rota.Claim) (eligible.Node, error) {
	n := eligible.Node{Name: ses.node, Home: c.Home, Patterns: c.Queues, Held: maps.Clone(c.Held)}
	nodes, err := t.settledNodes()
	if settled := nodes[ses.node]; settled != nil {
		n.Labels, n.NoShell, n.Offers, n.Free = settled.Labels, settled.NoShell, settled.Offers, settled.Offers.Less(c.Used, 1)
		if len(settled.Queues) > 0 {
			n.Patterns = settled.Queues
		}
	}
	if len(n.Patterns) == 0 {
		n.Patterns = []string{"*"}
	}
	return n, err
}

// queue adds a queue to the offer.
func (o *offer) queue(name string) (*offered, error) {
	q := o.lanes.queue[name]
	if q == nil {
		queues, err := o.t.settledQueues()
		if err != nil {
			return nil, err
		}
		d := orderOf(queues[name])
		q = &offered{Queue: eligible.QueueOf(name, queues[name]), across: d.Across, flows: d.Flows}
		q.free = q.Slots == 0 && !q.Limited()
		o.lanes.queue[name] = q
		for _, id := range o.lanes.in[name] {
			q.lanes = append(q.lanes, o.lanes.rules(id))
		}
	}
	q.InAll, q.Taken, q.Pace, q.Now, q.held = 0, 0, eligible.Pace{}, o.t.now, false
	o.queues = append(o.queues, q)
	return q, nil
}

// readyQueues are the queues that have something ready, in the order of their names.
func (t *tx) readyQueues() (names []string, err error) {
	if t.s.engine.shared() {
		err = t.query(func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			names = append(names, name)
			return err
		}, `SELECT queue FROM queue_stripe WHERE state = 4 GROUP BY queue HAVING sum(n) > 0 ORDER BY queue`)
		return names, err
	}
	if t.w.ready == nil { // only this writer changes it
		ready := &readiness{n: map[string]int{}}
		err = t.query(func(r *sql.Rows) error {
			var name string
			var n int
			err := r.Scan(&name, &n)
			ready.add(name, n)
			return err
		}, `SELECT queue, sum(n) FROM queue_stripe WHERE state = 4 GROUP BY queue`)
		if err != nil {
			return nil, err
		}
		t.w.ready = ready
	}
	return t.w.ready.names, nil
}

// readiness is how many tasks of each queue are ready.
type readiness struct {
	n     map[string]int
	names []string // of queues with some, ascending
}

func (r *readiness) add(queue string, n int) {
	r.n[queue] += n
	at, known := slices.BinarySearch(r.names, queue)
	switch some := r.n[queue] > 0; {
	case some && !known:
		r.names = slices.Insert(r.names, at, queue)
	case known && !some:
		r.names = slices.Delete(r.names, at, at+1)
	}
}

// use reads how far queues are used that are limited.
func (o *offer) use(names []string) error {
	if len(names) == 0 {
		return nil
	}
	arg, err := json.Marshal(names)
	if err != nil {
		return err
	}
	for _, name := range names {
		q := o.lanes.queue[name]
		q.InAll, q.Pace = o.t.pending(name, rota.Running), eligible.Pace{}
	}
	if err := o.t.query(func(r *sql.Rows) error {
		var name string
		var n int
		err := r.Scan(&name, &n)
		o.lanes.queue[name].InAll += n
		return err
	}, `SELECT queue, sum(n) FROM queue_stripe WHERE state = 5 AND queue IN (SELECT CAST(value AS TEXT) FROM json_each(?1)) GROUP BY queue`, string(arg)); err != nil {
		return err
	}
	return o.t.query(func(r *sql.Rows) error {
		var name string
		var until int64
		err := r.Scan(&name, &until)
		o.lanes.queue[name].Pace.Full = until
		return err
	}, `SELECT queue, until FROM pace WHERE queue IN (SELECT CAST(value AS TEXT) FROM json_each(?1))`, string(arg))
}

// pending is by how much this transaction changes a count that it has not written yet.
func (t *tx) pending(queue string, state rota.State) (n int) {
	for k, d := range t.queues {
		if k.state == state && t.w.lanes != nil && t.w.lanes.byID[k.lane].queue == queue {
			n += d
		}
	}
	return n
}

// hold keeps others from claiming of queues that are limited in all until this transaction has ended, and reads anew how
// far they are used: what was read before may be too little. Each claim holds queues once, in ascending order.
func (o *offer) hold(names []string) error {
	if len(names) == 0 || !o.t.s.engine.shared() {
		return nil
	}
	arg, err := json.Marshal(names)
	if err != nil {
		return err
	}
	err = o.t.query(func(r *sql.Rows) error { return nil },
		`SELECT name FROM queue WHERE name IN (SELECT CAST(value AS TEXT) FROM json_each(?1)) ORDER BY name /*pg FOR NO KEY UPDATE */`, string(arg))
	if err != nil {
		return err
	}
	for _, name := range names {
		o.lanes.queue[name].held = true
	}
	return o.use(names)
}

// room is how many tasks of a lane may be taken, at most most.
func (o *offer) room(l *laneRules, most int) int {
	q := l.queue
	n, kind := eligible.Room(&l.Lane, &q.Queue, &o.node, most)
	if kind == eligible.Starts {
		if wait := max(q.Pace.Wait(q.Starts, q.Now), time.Millisecond); o.again == 0 || wait < o.again {
			o.again = wait
		}
	}
	return n
}

// take notes that n tasks of a lane are taken; fewer, if n is negative.
func (o *offer) take(l *laneRules, n int) {
	q := l.queue
	if q.free && len(l.Needs) == 0 || n == 0 {
		return
	}
	eligible.Take(&l.Lane, &q.Queue, &o.node, n)
}

// settle writes what the claim took of what is limited.
func (o *offer) settle(picks []claimed) error {
	greatest := map[string]int64{}
	for i := range picks {
		if q := o.lanes.rules(picks[i].lane).queue; q.flows {
			if rank, some := greatest[q.Name]; !some || picks[i].rank > rank {
				greatest[q.Name] = picks[i].rank
			}
		}
	}
	for name, rank := range greatest {
		o.t.wentOn(name, rank)
	}
	for _, q := range o.queues {
		if q.Starts == 0 || q.Taken == 0 {
			continue
		}
		_, err := o.t.exec(`INSERT INTO pace (queue, until) VALUES (?1, ?2) ON CONFLICT (queue) DO UPDATE SET until = excluded.until`,
			q.Name, q.Pace.Take(q.Starts, q.Now, q.Taken).Full)
		if err != nil {
			return err
		}
	}
	return nil
}
