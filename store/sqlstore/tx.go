package sqlstore

import (
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// tx is one transaction of the writer. What it changes of the counters is collected and settled at the end.
type tx struct {
	s      *Store
	w      *writer
	now    int64
	jobs   map[rota.JobID]*jobDelta
	queues map[queueState]int
	gates  map[int64]int // places taken (positive) or freed; settled by admitting who waits
	turns  turns
	moved  int  // rows changed so far
	freed  bool // something became ready

	over    []rota.TaskID // ended
	blocked []rota.TaskID // came to be blocked
	picks   []claimed     // what a claim took
	looked  bool          // it looked at its lane from the beginning

	learned []learned
	numbers *numbers // taken for jobs; nil: none
	wary    bool     // an earlier try found something else than it expected: what can be read first is read
}

// jobDelta is how a job's counters change in this transaction.
type jobDelta struct{ left, failed, cancelled int }

type queueState struct {
	lane  int64
	state rota.State
}

func newTx(s *Store, w *writer) *tx { return &tx{s: s, w: w, now: w.moment()} }

func (t *tx) exec(q string, args ...any) (int, error) {
	n, err := t.w.exec(q, args...)
	t.moved += n
	return n, err
}

// each runs a statement once for each of n rows of arguments.
func (t *tx) each(q string, n int, row func(i int) []any) error { return t.w.each(q, n, row) }

// insert inserts n rows, many in a statement. The text is that of an INSERT up to the values, and what follows them.
func (t *tx) insert(q string, columns, n int, row func(i int) []any, end ...string) error {
	for i := 0; i < n; {
		size := 1
		for size*4 <= n-i && size < 64 {
			size *= 4
		}
		args := make([]any, 0, size*columns)
		for k := range size {
			args = append(args, row(i+k)...)
		}
		if err := t.expect(size, q+" VALUES "+places(columns, size)+" "+strings.Join(end, ""), args...); err != nil {
			return err
		}
		i += size
	}
	return nil
}

func (t *tx) query(scan func(*sql.Rows) error, q string, args ...any) error {
	return t.w.query(scan, q, args...)
}

// one reads at most one row and reports whether there was one.
func (t *tx) one(q string, args []any, dest ...any) (bool, error) {
	found := false
	err := t.query(func(r *sql.Rows) error { found = true; return r.Scan(dest...) }, q, args...)
	return found, err
}

// next takes n numbers from a counter and returns the first.
func (t *tx) next(name string, n int) (int64, error) {
	if taken := t.numbers; taken != nil && name == "job" {
		t.numbers = nil
		<-taken.done
		return taken.first, taken.err
	}
	last, err := t.w.number(name, n)
	return last - int64(n) + 1, err
}

// count notes that n tasks of a lane came into a state, or left it when n is negative.
func (t *tx) count(lane int64, state rota.State, n int) {
	if t.queues == nil {
		t.queues = map[queueState]int{}
	}
	t.queues[queueState{lane, state}] += n
	if state == rota.Ready {
		delete(t.w.heads, lane)
	}
}

// job is the change of a job's counters.
func (t *tx) job(id rota.JobID) *jobDelta {
	if t.jobs == nil {
		t.jobs = map[rota.JobID]*jobDelta{}
	}
	d := t.jobs[id]
	if d == nil {
		d = &jobDelta{}
		t.jobs[id] = d
	}
	return d
}

// gate notes that n places of a gate were taken, or freed when n is negative.
func (t *tx) gate(id int64, n int) {
	if id == 0 {
		return
	}
	if t.gates == nil {
		t.gates = map[int64]int{}
	}
	t.gates[id] += n
}

// settle writes what the transaction collected, in the order that every transaction keeps: jobs, dependents,
// flows, gates, queues, each ascending (P15, P19).
func (t *tx) settle() error {
	if err := t.settleTasks(); err != nil {
		return err
	}
	if err := t.settleTurns(); err != nil {
		return err
	}
	return t.settleQueues()
}

// settleTasks does that for what follows for tasks. Dependents and gates move tasks, which changes counters again.
func (t *tx) settleTasks() error {
	for len(t.jobs) > 0 || len(t.gates) > 0 || len(t.turns.leaving) > 0 || len(t.blocked) > 0 {
		over := t.over
		t.over = nil
		changed, err := t.settleJobs()
		if err != nil {
			return err
		}
		if err := t.releaseDependents(changed, over); err != nil {
			return err
		}
		if err := t.settleBlocked(); err != nil {
			return err
		}
		if len(t.jobs) > 0 || len(t.blocked) > 0 {
			continue
		}
		if err := t.closeGaps(); err != nil {
			return err
		}
		if err := t.settleGates(); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) settleJobs() (ended []rota.JobID, err error) {
	ids := slices.Sorted(maps.Keys(t.jobs))
	jobs := t.jobs
	t.jobs = nil
	ids = slices.DeleteFunc(ids, func(id rota.JobID) bool { return *jobs[id] == jobDelta{} })
	if len(ids) == 0 {
		return nil, nil
	}
	alike := map[jobDelta][]rota.JobID{}
	for _, id := range ids {
		alike[*jobs[id]] = append(alike[*jobs[id]], id)
	}
	if len(alike) > 1 { // one statement takes them in order by itself
		if err := t.holdJobs(ids); err != nil {
			return nil, err
		}
	}
	for _, d := range slices.SortedFunc(maps.Keys(alike), func(a, b jobDelta) int { return compare(int64(alike[a][0]), int64(alike[b][0])) }) {
		err := t.expect(len(alike[d]), `UPDATE job SET tasks_left = tasks_left + ?2, failed = failed + ?3, cancelled = cancelled + ?4,
			ended = CASE WHEN tasks_left + ?2 = 0 AND sealed = 1 THEN CAST(?5 AS BIGINT) ELSE 0 END WHERE id IN (SELECT value FROM json_each(?1)) AND removing = 0`,
			list(alike[d]), d.left, d.failed, d.cancelled, t.now)
		if err != nil {
			return nil, err
		}
	}
	var fewer []rota.JobID // one of them may have ended
	for _, id := range ids {
		if jobs[id].left < 0 {
			fewer = append(fewer, id)
		}
	}
	return ids, t.postEnds(fewer)
}

// holdJobs holds the rows of several jobs in ascending order, where others may hold some of them (P15).
func (t *tx) holdJobs(ids []rota.JobID) error {
	if !t.s.engine.shared() {
		return nil
	}
	return t.query(func(r *sql.Rows) error { return nil },
		`SELECT id FROM job WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id FOR NO KEY UPDATE`, list(ids))
}

func (t *tx) settleQueues() error {
	if len(t.queues) == 0 {
		return nil
	}
	names, err := t.laneQueues(func(yield func(int64) bool) {
		for k := range t.queues {
			if !yield(k.lane) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	type key struct {
		queue string
		state rota.State
	}
	sums := map[key]int{}
	for k, n := range t.queues {
		sums[key{names(k.lane), k.state}] += n
	}
	t.queues = nil
	keys := make([]key, 0, len(sums))
	for k, n := range sums {
		if n != 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		if a.queue != b.queue {
			return compare(a.queue, b.queue)
		}
		return int(a.state) - int(b.state)
	})
	if t.w.ready != nil {
		for k, n := range sums {
			if k.state == rota.Ready {
				t.w.ready.add(k.queue, n)
			}
		}
	}
	if t.s.engine.shared() {
		rows := make([][3]any, len(keys))
		for i, k := range keys {
			rows[i] = [3]any{k.queue, int(k.state), sums[k]}
		}
		return t.settleShared(rows)
	}
	return t.each(`INSERT INTO queue_stripe (queue, state, stripe, n) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (queue, state, stripe) DO UPDATE SET n = queue_stripe.n + excluded.n`,
		len(keys), func(i int) []any { return []any{keys[i].queue, int(keys[i].state), t.w.stripe, sums[keys[i]]} })
}

// settleShared writes counts where another transaction may have given queues other names since this one began: it held
// the table until it had ended (holdQueues), and the shape is read after that.
func (t *tx) settleShared(rows [][3]any) error {
	if len(rows) == 0 {
		return nil
	}
	arg, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	var shape int64
	return t.w.later(expectation{q: `INSERT INTO queue_stripe (queue, state, stripe, n)
		SELECT w.value->>0, CAST(w.value->>1 AS SMALLINT), ?2, CAST(w.value->>2 AS BIGINT) FROM json_each(?1) w WHERE 1 = 1
		ON CONFLICT (queue, state, stripe) DO UPDATE SET n = queue_stripe.n + excluded.n
		RETURNING (SELECT value FROM counter WHERE name = 'shape')`, args: []any{string(arg), t.w.stripe}, dest: []any{&shape}, met: func() error {
		if shape != t.w.shape {
			return errAgain
		}
		return nil
	}})
}

func compare[T ~string | ~int64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// list writes numbers as a JSON array, the form in which sets go into a statement.
func list[T ~int64](ids []T) string {
	b := make([]byte, 0, 16*len(ids)+2)
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	return string(append(b, ']'))
}

// pairs writes a JSON object of numbers and texts: the form in which a set with one figure each goes into a statement.
// The texts need no escaping.
type pairs struct {
	b []byte
	n int
}

func (p *pairs) add(key int64, text string) {
	p.b = append(p.b, ",\""...)
	p.b = strconv.AppendInt(p.b, key, 10)
	p.b = append(append(append(p.b, "\":\""...), text...), '"')
	p.n++
}

func (p *pairs) String() string {
	if p.n == 0 {
		return "{}"
	}
	p.b[0] = '{'
	return string(append(p.b, '}'))
}
