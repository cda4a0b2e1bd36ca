package sqlstore

import (
	"context"

	"github.com/rotaqueue/rota"
)

// Sweep does one bounded step of upkeep.
func (s *Store) Sweep(ctx context.Context, what rota.Sweep) (out rota.Swept, err error) {
	err = s.commit(ctx, &s.commits, &write{what: "sweep " + string(what.What), long: true, do: func(t *tx) (err error) {
		out, err = t.sweep(what)
		return err
	}})
	return out, err
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
	case rota.SweepPrune:
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
