package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/rotaqueue/rota"
)

// measured is how many of the latest tasks are looked at for how long tasks take.
const measured = 200

// Standing is what keeps a task where it is.
func (s *Store) Standing(ctx context.Context, id rota.TaskID) (out rota.Standing, err error) {
	if out.Task, _, err = s.Task(ctx, id); err != nil {
		return out, err
	}
	if out.Job, err = s.Job(ctx, id.Job()); err != nil {
		return out, err
	}
	var lane, gate, rank int64
	var needs string
	err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&lane, &gate, &rank, &out.On, &needs, &out.Home, &out.Shell) },
		`SELECT t.lane, t.gate, t.rank, l.place, l.needs, l.home, l.shell FROM task t JOIN lane l ON l.id = t.lane WHERE t.id = ?1`, int64(id))
	if err == nil {
		out.Needs, err = rota.ParseResources(needs)
	}
	for _, read := range []func() error{
		func() error { return s.standingLine(ctx, &out) },
		func() error { return s.standingGate(ctx, &out, gate) },
		func() error { return s.standingWaits(ctx, &out) },
		func() error { return s.standingAhead(ctx, &out, lane, gate, rank) },
		func() error { return s.standingRuns(ctx, &out) },
		func() error { return s.standingTook(ctx, &out) },
	} {
		if err == nil {
			err = read()
		}
	}
	return out, err
}

// standingLine reads the queue.
func (s *Store) standingLine(ctx context.Context, out *rota.Standing) error {
	var queues []rota.Queue
	err := s.query(ctx, func(r *sql.Rows) error { return scanQueue(r, &queues) }, queueRows+`WHERE q.name = ?1`, out.Queue)
	out.Line = rota.Queue{Name: out.Queue}
	if len(queues) > 0 {
		out.Line = queues[0]
	}
	if err != nil {
		return err
	}
	return s.query(ctx, func(r *sql.Rows) error {
		var until, now int64
		err := r.Scan(&now, &until)
		out.Now, out.Pace = fromMicros(now), fromMicros(until)
		return err
	}, `SELECT `+s.engine.clock()+`, coalesce((SELECT until FROM pace WHERE queue = ?1), 0)`, out.Queue)
}

func (s *Store) standingGate(ctx context.Context, out *rota.Standing, gate int64) error {
	if gate == 0 {
		return nil
	}
	g := &rota.Gate{Kind: "array"}
	out.Gate = g
	return s.query(ctx, func(r *sql.Rows) error {
		var key, flow sql.NullString
		err := r.Scan(&g.Max, &g.Open, &key, &flow)
		switch {
		case key.Valid:
			g.Kind, g.Name = "key", key.String
		case flow.Valid:
			g.Kind, g.Name = "flow", flow.String
		}
		return err
	}, `SELECT g.max, g.open, g.name, f.name FROM gate g LEFT JOIN flow f ON f.id = g.id WHERE g.id = ?1`, gate)
}

func (s *Store) standingWaits(ctx context.Context, out *rota.Standing) error {
	if out.State != rota.Blocked {
		return nil
	}
	return s.query(ctx, func(r *sql.Rows) error {
		var d rota.Dependency
		err := r.Scan((*int64)(&d.Job), &d.When)
		out.Waits = append(out.Waits, d)
		return err
	}, `SELECT on_job, condition FROM dependency d WHERE job = ?1 AND NOT (condition = 'each' AND EXISTS (SELECT 1 FROM task o
		WHERE o.id = (d.on_job << 24 | (?2 & 16777215)) AND o.state = 6)) ORDER BY on_job`, int64(out.ID.Job()), int64(out.ID))
}

// standingAhead counts what comes before the task in the lanes of its queue.
func (s *Store) standingAhead(ctx context.Context, out *rota.Standing, lane, gate, rank int64) error {
	if out.State != rota.Ready || gate != 0 {
		return nil
	}
	return s.query(ctx, func(r *sql.Rows) error { return r.Scan(&out.Ahead) }, fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 FROM lane l
		JOIN task t ON t.lane = l.id AND t.state = 4 AND t.gate = 0 AND (t.rank < ?2 OR t.rank = ?2 AND t.id < ?3) WHERE l.queue = ?1 LIMIT %d) x`, rota.CountCap),
		out.Queue, rank, int64(out.ID))
}

// standingRuns reads what runs: of the queue for how long, and of each node what it uses.
func (s *Store) standingRuns(ctx context.Context, out *rota.Standing) error {
	out.Held, out.Used = map[string]int{}, map[string]rota.Resources{}
	return s.query(ctx, func(r *sql.Rows) error {
		var queue, node, needs string
		var claimed int64
		if err := r.Scan(&queue, &node, &needs, &claimed); err != nil {
			return err
		}
		if queue == out.Queue {
			out.Held[node]++
			out.Runs = append(out.Runs, max(0, rota.Duration(out.Now.Sub(fromMicros(claimed)))))
		}
		used, err := rota.ParseResources(needs)
		for name, n := range used {
			if out.Used[node] == nil {
				out.Used[node] = rota.Resources{}
			}
			out.Used[node][name] += n
		}
		return err
	}, fmt.Sprintf(`SELECT l.queue, coalesce(s.node, ''), l.needs, coalesce(t.claimed, 0) FROM task t JOIN lane l ON l.id = t.lane
		LEFT JOIN session s ON s.id = t.session WHERE t.state = 5 LIMIT %d`, rota.CountCap))
}

// standingTook reads how long tasks of late took: those of the queue with the job's name, or all of the queue when there are
// few of them.
func (s *Store) standingTook(ctx context.Context, out *rota.Standing) error {
	var named, all []rota.Duration
	err := s.query(ctx, func(r *sql.Rows) error {
		var name string
		var a rota.Attempt
		var f attemptFields
		if err := r.Scan(append([]any{&name}, f.dest(&a)...)...); err != nil {
			return err
		}
		if err := f.fill(&a); err != nil || a.Started.IsZero() {
			return err
		}
		took := rota.Duration(a.Ended.Sub(a.Claimed)) // with what it takes to start
		if name == out.Name {
			named = append(named, took)
		}
		all = append(all, took)
		return nil
	}, fmt.Sprintf(`SELECT j.name, `+fmt.Sprintf(attemptColumns, "t")+` FROM (SELECT j.id, j.name FROM job j WHERE j.ended > 0 AND j.removing = 0
			AND j.lane IN (SELECT id FROM lane WHERE queue = ?1) ORDER BY j.ended DESC LIMIT %[1]d) j
		JOIN task t ON t.id BETWEEN j.id << 24 AND (j.id << 24 | 16777215) LEFT JOIN session s ON s.id = t.session
		WHERE t.state IN (6, 7) LIMIT %[2]d`, measured, 2*measured), out.Queue)
	if out.Took = all; len(named) >= 20 {
		out.Took = named
	}
	return err
}
