package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/rotaqueue/rota"
)

// Sweep does one bounded step of upkeep.
func (s *Store) Sweep(ctx context.Context, what rota.Sweep) (out rota.Swept, err error) {
	if s.engine.shared() {
		if out, some, err := s.peek(ctx, what.What); err != nil || !some {
			return out, err
		}
	}
	err = s.commit(ctx, &s.commits, &write{what: "sweep " + string(what.What), same: true, long: true, do: func(t *tx) (err error) {
		if mine, err := t.alone(what.What); err != nil || !mine {
			out = rota.Swept{Now: fromMicros(t.now), Next: fromMicros(t.now + busyElsewhere.Microseconds())}
			return err
		}
		out, err = t.sweep(what)
		out.Now = fromMicros(t.now)
		return err
	}})
	return out, err
}

// busyElsewhere is when to look again at upkeep that another server does at this moment.
const busyElsewhere = 200 * time.Millisecond

// alone reports whether this transaction may do a step of an upkeep: of all servers of a store one does it at a time.
func (t *tx) alone(what rota.Upkeep) (mine bool, err error) {
	if !t.s.engine.shared() {
		return true, nil
	}
	_, err = t.one(`SELECT pg_try_advisory_xact_lock(hashtext('rota ' || current_schema()), hashtext(?1))`, []any{string(what)}, &mine)
	return mine, err
}

// peek looks whether there is upkeep to do, which costs many servers less than a step of each that finds nothing.
func (s *Store) peek(ctx context.Context, what rota.Upkeep) (out rota.Swept, some bool, err error) {
	q := map[rota.Upkeep]string{
		rota.SweepMake:    `SELECT 0 FROM job WHERE made < tasks AND sealed = 1 LIMIT 1`,
		rota.SweepOperate: `SELECT 0 WHERE EXISTS (SELECT 1 FROM operation WHERE ended = 0) OR EXISTS (SELECT 1 FROM flow WHERE behind IS NOT NULL)`,
		rota.SweepPromote: `SELECT run_at FROM task WHERE state = 2 ORDER BY run_at LIMIT 1`,
		rota.SweepFires:   fmt.Sprintf(`SELECT checked + %d FROM fire WHERE result = '' ORDER BY checked LIMIT 1`, checkEvery.Microseconds()),
		rota.SweepRescue: `SELECT 0 WHERE EXISTS (SELECT 1 FROM session WHERE state <> 2 AND state <> 3 AND state = 5)
			OR EXISTS (SELECT 1 FROM task t WHERE ` + unattended + `)`,
	}[what]
	if q == "" {
		return out, true, nil
	}
	var now, due int64
	err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&now, &due) }, `SELECT `+s.engine.clock()+`, coalesce((`+q+`), -1)`)
	out.Now = fromMicros(now)
	if due > now {
		out.Next = fromMicros(due)
	}
	return out, due >= 0 && due <= now, err
}

func (t *tx) sweep(what rota.Sweep) (rota.Swept, error) {
	switch what.What {
	case rota.SweepMake:
		return t.sweepMake()
	case rota.SweepPromote:
		return t.sweepPromote()
	case rota.SweepRescue:
		return t.sweepRescue()
	case rota.SweepOperate:
		return t.sweepOperations()
	case rota.SweepFires:
		return t.sweepFires()
	case rota.SweepPrune:
		if err := t.forgetLooks(); err != nil {
			return rota.Swept{}, err
		}
		return t.sweepPrune(what.Retention)
	}
	return rota.Swept{}, rota.Invalid("sweep %q: there is no such upkeep", what.What)
}

// sweepPromote makes those scheduled tasks ready whose time has come by the store's clock (P1).
func (t *tx) sweepPromote() (rota.Swept, error) {
	rows, err := t.rows(`WHERE t.state = 2 AND t.run_at <= ?1 ORDER BY t.run_at, t.id LIMIT ?2`, t.now, stepRows)
	if err != nil {
		return rota.Swept{}, err
	}
	out := rota.Swept{Moved: len(rows), More: len(rows) == stepRows, Ready: len(rows) > 0}
	changes := make([]change, len(rows))
	for i, x := range rows {
		changes[i] = change{row: x, to: rota.Ready, limit: x.limit}
		if j := x.id.Job(); len(out.Jobs) == 0 || out.Jobs[len(out.Jobs)-1] != j {
			out.Jobs = append(out.Jobs, j)
		}
	}
	if err := t.move(changes); err != nil {
		return out, err
	}
	var next int64
	found, err := t.one(`SELECT run_at FROM task WHERE state = 2 ORDER BY run_at LIMIT 1`, nil, &next)
	if found {
		out.Next = fromMicros(next)
	}
	return out, err
}
