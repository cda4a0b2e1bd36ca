package sqlstore

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/discipline"
)

// unranked is the rank of a task whose discipline goes by flows, until it becomes ready (P22).
const unranked = math.MaxInt64

// flow is the row of a flow that this transaction holds.
type flow struct {
	id int64
	discipline.Flow
	stored int64         // the tag as it is stored
	behind sql.NullInt64 // its tasks with ranks above this are being ranked anew
	orders bool          // its queue's discipline goes by flows
}

// turns are what a transaction has of queues whose discipline goes by flows.
type turns struct {
	of      map[string]*turn
	flows   map[int64]*flow
	leaving map[int64]int64 // flows of which something left that waited: the least rank of that
}

type turn struct {
	discipline.Turn
	stored discipline.Turn // of all stripes
	known  bool            // what is stored was read
}

// orderOf is a queue's discipline. Which one there is was looked at when it was set.
func orderOf(q *rota.Queue) discipline.Discipline {
	if q != nil {
		if d, err := discipline.Of(q.Discipline); err == nil {
			return d
		}
	}
	d, _ := discipline.Of(discipline.Default)
	return d
}

// hasFlows reports whether tasks of the queue belong to flows: to share fairly, or since each may have only so many places.
func hasFlows(q *rota.Queue) bool { return q != nil && (orderOf(q).Flows || q.FlowRunning > 0) }

// flowsOf are the numbers of flows of a queue, by name; those that are not there yet are made. They are held by this
// transaction, in ascending order of their names.
func (t *tx) flowsOf(q *rota.Queue, names []string) (map[string]int64, error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	ids := make(map[string]int64, len(names))
	arg, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	read := func() error {
		return t.query(func(r *sql.Rows) error {
			var name string
			f := &flow{}
			if err := r.Scan(&f.id, &name, &f.Tag, &f.behind); err != nil {
				return err
			}
			f.stored, f.Weight, f.orders, ids[name] = f.Tag, q.Weights[name], orderOf(q).Flows, f.id
			if t.turns.flows == nil {
				t.turns.flows = map[int64]*flow{}
			}
			if t.turns.flows[f.id] == nil {
				t.turns.flows[f.id] = f
			}
			return nil
		}, `SELECT id, name, tag, behind FROM flow WHERE queue = ?1 AND name IN (SELECT CAST(value AS TEXT) FROM json_each(?2)) ORDER BY name /*pg FOR UPDATE */`,
			q.Name, string(arg))
	}
	if err := read(); err != nil || len(ids) == len(names) {
		return ids, err
	}
	missing := slices.DeleteFunc(names, func(n string) bool { _, there := ids[n]; return there })
	first, err := t.next("gate", len(missing))
	if err != nil {
		return nil, err
	}
	if err := t.insert(`INSERT INTO flow (id, queue, name)`, 3, len(missing), func(i int) []any {
		return []any{first + int64(i), q.Name, missing[i]}
	}, `ON CONFLICT DO NOTHING`); err != nil {
		return nil, err
	}
	return ids, read()
}

// holdFlows reads the rows of flows, and holds them, in ascending order.
func (t *tx) holdFlows(ids []int64) error {
	ids = slices.DeleteFunc(ids, func(id int64) bool { return t.turns.flows[id] != nil })
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	queues, err := t.settledQueues()
	if err != nil {
		return err
	}
	if t.turns.flows == nil {
		t.turns.flows = map[int64]*flow{}
	}
	return t.query(func(r *sql.Rows) error {
		var queue, name string
		f := &flow{}
		if err := r.Scan(&f.id, &queue, &name, &f.Tag, &f.behind); err != nil {
			return err
		}
		f.stored = f.Tag
		if q := queues[queue]; q != nil {
			f.Weight, f.orders = q.Weights[name], orderOf(q).Flows
		}
		t.turns.flows[f.id] = f
		return nil
	}, `SELECT id, queue, name, tag, behind FROM flow WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id /*pg FOR UPDATE */`, list(slices.Compact(ids)))
}

// turnOf is how far a queue has come. At its first use in a transaction a queue in which nothing waits begins anew.
func (t *tx) turnOf(queue string) (*turn, error) {
	x := t.turns.of[queue]
	if x != nil && x.known {
		return x, nil
	}
	claimed := int64(0)
	if x != nil {
		claimed = x.Virtual
	}
	x = &turn{known: true}
	if _, err := t.one(`SELECT coalesce(max(claimed), 0), coalesce(max(most), 0) FROM turn WHERE queue = ?1`, []any{queue},
		&x.stored.Virtual, &x.stored.Most); err != nil {
		return nil, err
	}
	x.Turn = x.stored
	x.Claimed(claimed)
	var ready int
	if _, err := t.one(`SELECT coalesce(sum(n), 0) FROM queue_stripe WHERE queue = ?1 AND state = 4`, []any{queue}, &ready); err != nil {
		return nil, err
	}
	if ready == 0 {
		x.Idle()
	}
	if t.turns.of == nil {
		t.turns.of = map[string]*turn{}
	}
	t.turns.of[queue] = x
	return x, nil
}

// arrive gives n tasks of one job, which become ready in a queue, their ranks.
func (t *tx) arrive(q *rota.Queue, priority int, flowID int64, n int) (first, step int64, err error) {
	d := orderOf(q)
	a := discipline.Arrival{Priority: priority}
	if d.Flows {
		if err := t.holdFlows([]int64{flowID}); err != nil {
			return 0, 0, err
		}
		x, err := t.turnOf(q.Name)
		if err != nil {
			return 0, 0, err
		}
		a.Turn, a.Flow = &x.Turn, &discipline.Flow{}
		if f := t.turns.flows[flowID]; f != nil {
			a.Flow = &f.Flow
		}
	}
	first, step = d.Ranks(a, n)
	return first, step, nil
}

// rankReady gives ranks to those changes that become ready for the first time in a queue whose discipline goes by flows.
func (t *tx) rankReady(changes []change) error {
	var ranks pairs
	for i := range changes {
		c := &changes[i]
		if c.to != rota.Ready || c.rank != unranked {
			continue
		}
		var err error
		if c.rank, _, err = t.ranksOf(&c.row, c.to, 1); err != nil {
			return err
		}
		ranks.add(int64(c.id), decimal(c.rank))
	}
	return t.writeRanks(&ranks)
}

func (t *tx) writeRanks(ranks *pairs) error {
	if ranks.n == 0 {
		return nil
	}
	t.w.heads = nil
	_, err := t.exec(`UPDATE task SET rank = CAST(f.value AS BIGINT) FROM json_each(?1) f WHERE task.id = CAST(f.key AS BIGINT) AND +task.state <> 5`,
		ranks.String())
	return err
}

// wentOn notes the ranks of what was claimed of a queue whose discipline goes by flows.
func (t *tx) wentOn(queue string, rank int64) {
	if t.turns.of == nil {
		t.turns.of = map[string]*turn{}
	}
	if t.turns.of[queue] == nil { // what is stored is not read: the greatest counts
		t.turns.of[queue] = &turn{}
	}
	t.turns.of[queue].Claimed(rank)
}

// leaves notes that a task that waited, and never was claimed, is taken out of its flow's turn.
func (t *tx) leaves(x *row) {
	if x.turn == 0 || x.rank == unranked || x.attempt > 0 || x.state != rota.Ready {
		return
	}
	if t.turns.leaving == nil {
		t.turns.leaving = map[int64]int64{}
	}
	if from, some := t.turns.leaving[x.turn]; !some || x.rank < from {
		t.turns.leaving[x.turn] = x.rank
	}
}

// closeGaps closes the gaps that tasks have left in their flows.
func (t *tx) closeGaps() error {
	if len(t.turns.leaving) == 0 {
		return nil
	}
	if err := t.holdFlows(slices.Collect(maps.Keys(t.turns.leaving))); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(t.turns.leaving)) {
		from := t.turns.leaving[id]
		if f := t.turns.flows[id]; f != nil && f.orders && !(f.behind.Valid && f.behind.Int64 <= from) {
			if err := t.closeUp(f, from, from); err != nil {
				return err
			}
		}
	}
	t.turns.leaving = nil
	return nil
}

// settleTurns writes how far flows and queues have come.
func (t *tx) settleTurns() error {
	if t.turns.of == nil && t.turns.flows == nil {
		return nil
	}
	if err := t.writeTags(); err != nil {
		return err
	}
	for _, queue := range slices.Sorted(maps.Keys(t.turns.of)) {
		x := t.turns.of[queue]
		if x.Turn == x.stored {
			continue
		}
		if _, err := t.exec(`INSERT INTO turn (queue, stripe, claimed, most) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (queue, stripe) DO UPDATE SET
			claimed = CASE WHEN turn.claimed < excluded.claimed THEN excluded.claimed ELSE turn.claimed END,
			most = CASE WHEN turn.most < excluded.most THEN excluded.most ELSE turn.most END`, queue, t.w.stripe, x.Virtual, x.Most); err != nil {
			return err
		}
	}
	t.turns = turns{}
	return nil
}

func (t *tx) writeTags() error {
	var changed []*flow
	for _, f := range t.turns.flows {
		if f.Tag != f.stored {
			changed = append(changed, f)
		}
	}
	slices.SortFunc(changed, func(a, b *flow) int { return cmp.Compare(a.id, b.id) })
	return t.each(`UPDATE flow SET tag = ?2 WHERE id = ?1`, len(changed), func(i int) []any { return []any{changed[i].id, changed[i].Tag} })
}

// closeUp gives ranks anew, from first on, to the tasks of a flow that wait with ranks above behind: as many as one step
// has (P18). The sweep of operations goes on with the rest.
func (t *tx) closeUp(f *flow, behind, first int64) error {
	var ids []int64
	last := behind
	err := t.query(func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id, &last)
		ids = append(ids, id)
		return err
	}, `SELECT id, rank FROM task WHERE flow = ?1 AND state = 4 AND rank > ?2 AND attempt = 0 ORDER BY rank, id LIMIT ?3 /*pg FOR UPDATE */`,
		f.id, behind, stepRows)
	if err != nil {
		return err
	}
	was := f.Tag
	rank, step := f.Close(first, len(ids))
	var ranks pairs
	for i, id := range ids {
		ranks.add(id, decimal(rank+int64(i)*step))
	}
	if len(ids) == 0 {
		_, err = t.exec(`UPDATE flow SET behind = NULL, first = NULL WHERE id = ?1 AND behind IS NOT NULL`, f.id)
		return err
	}
	if err := t.writeRanks(&ranks); err != nil {
		return err
	}
	if len(ids) < stepRows {
		_, err = t.exec(`UPDATE flow SET behind = NULL, first = NULL WHERE id = ?1 AND behind IS NOT NULL`, f.id)
		return err
	}
	next := f.Tag
	f.Tag = max(was, next) // what comes now goes behind those that are still to follow
	_, err = t.exec(`UPDATE flow SET behind = ?2, first = ?3 WHERE id = ?1`, f.id, last, next)
	return err
}

// sweepFlows does a step of the first flow that has gaps; it reports whether there was one.
func (t *tx) sweepFlows() (bool, error) {
	var id, behind, first int64
	found, err := t.one(`SELECT id, behind, first FROM flow WHERE behind IS NOT NULL ORDER BY id LIMIT 1`, nil, &id, &behind, &first)
	if err != nil || !found {
		return false, err
	}
	if err := t.holdFlows([]int64{id}); err != nil {
		return false, err
	}
	return true, t.closeUp(t.turns.flows[id], behind, first)
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
