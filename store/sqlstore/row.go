package sqlstore

import (
	"database/sql"
	"fmt"

	"github.com/rotaqueue/rota"
)

// row is what a move of a task needs to know of the task and its job.
type row struct {
	id    rota.TaskID
	lane  int64
	state rota.State
	gate  int64 // that it stands behind; 0: none
	rank  int64
	turn  int64 // its flow; 0: none

	priority int
	attempt  int
	limit    int
	ending   int // 1 cancel, 2 kill
	session  int64
	lost     int
	crashes  int
	returns  int
	outcome  int
	exit     sql.NullInt64

	gates           // that it must pass to be claimable
	jobLane   int64 // that its tasks come into; another than lane: the job was moved while this one ran, or had ended
	blockers  int
	sealed    bool
	jobRunAt  int64
	jobLimit  int
	more      int // attempts beyond limit and jobLimit, or fewer: the job's policy has changed since it was submitted
	maxLost   int
	lostFails bool
}

const rowColumns = `t.id, t.lane, t.state, t.gate, t.attempt, t.attempt_limit, coalesce(t.ending, 0), coalesce(t.session, 0),
	coalesce(t.lost, 0), coalesce(t.crashes, 0), coalesce(t.returns, 0), coalesce(t.outcome, 0), t.exit, t.rank, coalesce(t.flow, 0), j.priority,
	j.gate, j.key_gate, coalesce(t.flow_gate, 0), j.lane, j.blockers, j.sealed, j.run_at,
	j.attempt_limit, j.more, j.max_lost, j.lost_fails`

const rowTables = ` FROM task t JOIN job j ON j.id = t.id >> 24 `

// rows reads the rows that a condition selects.
func (t *tx) rows(where string, args ...any) ([]row, error) {
	var rows []row
	err := t.query(func(r *sql.Rows) error {
		var x row
		err := r.Scan(&x.id, &x.lane, &x.state, &x.gate, &x.attempt, &x.limit, &x.ending, &x.session, &x.lost, &x.crashes, &x.returns,
			&x.outcome, &x.exit, &x.rank, &x.turn, &x.priority, &x.gates.array, &x.gates.key, &x.gates.flow, &x.jobLane, &x.blockers, &x.sealed, &x.jobRunAt, &x.jobLimit, &x.more, &x.maxLost, &x.lostFails)
		rows = append(rows, x)
		return err
	}, `SELECT `+rowColumns+rowTables+where+` /*pg FOR UPDATE OF t */`, args...)
	return rows, err
}

// change is where a task goes.
type change struct {
	row
	to     rota.State
	runAt  int64
	limit  int
	reason string // empty: as it was
}

// move writes changes of tasks that do not run, and of nothing but their state: a compare-and-set on the state of rows
// that were read, and are held, in this transaction. Tasks that become ready stand behind their job's gate until
// settleGates lets them through. Changes that are alike are written by one statement.
func (t *tx) move(changes []change) error {
	if err := t.moveHere(changes); err != nil {
		return err
	}
	var strays []row
	for i := range changes {
		strays = stray(strays, &changes[i].row, changes[i].to)
	}
	return t.replace(strays)
}

// moveHere moves tasks within their lanes.
func (t *tx) moveHere(changes []change) error {
	type alike struct {
		from, to    rota.State
		gate, runAt int64
		limit       int
		reason      string
		unrank      bool // its turn is over without its having had it
	}
	if err := t.rankReady(changes); err != nil {
		return err
	}
	groups, order := map[alike][]rota.TaskID{}, []alike{}
	for i := range changes {
		c := &changes[i]
		t.account(&c.row, c.to)
		k := alike{c.state, c.to, c.gateIn(c.to), c.runAt, c.limit, c.reason, c.turn != 0 && c.attempt == 0 && c.to != rota.Ready}
		if k.unrank {
			t.leaves(&c.row)
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], c.id)
	}
	for _, k := range order {
		unrank := ""
		if k.unrank {
			unrank = fmt.Sprintf("rank = %d, ", int64(unranked))
		}
		err := t.expect(len(groups[k]), `UPDATE task SET `+unrank+`state = CAST(?2 AS SMALLINT), gate = ?3, run_at = ?4, attempt_limit = ?5, reason = coalesce(?6, reason),
			ended = CASE WHEN CAST(?2 AS SMALLINT) >= 6 THEN ?7 ELSE ended END, took = CASE WHEN CAST(?2 AS SMALLINT) >= 6 THEN NULL ELSE took END
			WHERE id IN (SELECT value FROM json_each(?1)) AND state = ?8`,
			list(groups[k]), int(k.to), k.gate, nullInt(k.runAt), k.limit, nullText(k.reason), t.now, int(k.from))
		if err != nil {
			return err
		}
	}
	return nil
}

// gateIn is the gate that the task stands behind when it comes into a state.
func (x *row) gateIn(to rota.State) int64 {
	if to == rota.Ready {
		return x.gates.first()
	}
	return 0
}

// account notes what a task's move changes of the counters.
func (t *tx) account(x *row, to rota.State) {
	t.count(x.lane, x.state, -1)
	t.count(x.lane, to, 1)
	t.freed = t.freed || to == rota.Ready
	if x.state == rota.Running || x.state == rota.Ready {
		x.gates.passed(x.gate, func(id int64) { t.gate(id, -1) })
	}
	if to == rota.Ready {
		t.gate(x.gates.first(), 0)
	}
	if to == rota.Blocked {
		t.blocked = append(t.blocked, x.id)
	}
	if x.state.Ended() == to.Ended() {
		return
	}
	if to.Ended() {
		t.over = append(t.over, x.id)
	}
	d, n := t.job(x.id.Job()), 1
	ended := to
	if x.state.Ended() {
		ended, n = x.state, -1
	}
	d.left -= n
	switch ended {
	case rota.Failed:
		d.failed += n
	case rota.Cancelled:
		d.cancelled += n
	}
}

func nullInt[T ~int | ~int64](n T) any {
	if n == 0 {
		return nil
	}
	return int64(n)
}
