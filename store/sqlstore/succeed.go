package sqlstore

import "github.com/rotaqueue/rota"

// succeed ends the attempts that succeeded, without reading their rows: what an end without consequences needs to know
// stands in its job's template, and the update demands that everything else is as it was at the claim. It returns
// what it did not end, which is to be read: other outcomes, jobs that are not remembered, and all of them if they are of many
// lanes and flows in a database that is asked over a connection. When a single one is not as expected (a cancelled one, a repeat,
// one of another session), the transaction is tried again, and all are read.
func (t *tx) succeed(ses session, finished []rota.Finish) (rest []rota.Finish, err error) {
	if t.wary {
		return finished, nil
	}
	type alike struct {
		lane, flow, bound int64
		attempt           int
	}
	groups, order := map[alike]*pairs{}, []alike{}
	var some []*rota.Finish
	var jobs []template
	for i := range finished {
		f := &finished[i]
		job, known := t.s.templates.get(f.Task.Job(), t.w.shape)
		if !known || f.Outcome != rota.OutcomeSucceeded || f.Exit == nil || *f.Exit != 0 || f.Signal != 0 || f.Reason != "" {
			rest = append(rest, *f)
			continue
		}
		k := alike{job.lane, job.flow, job.gates.flow, f.Attempt}
		if groups[k] == nil {
			groups[k] = &pairs{}
			order = append(order, k)
		}
		groups[k].add(int64(f.Task), took(f))
		some, jobs = append(some, f), append(jobs, job)
	}
	switch {
	case len(some) == 0:
		return rest, nil
	case t.s.engine.shared() && len(order) > 1 && len(order) > len(some)/4:
		return finished, nil // reading them is one more way to the database and back, and there are as many for each kind
	}
	for _, k := range order {
		// A + keeps the engine from looking for rows by that column instead of by their number, which young statistics tempt it to.
		err := t.expect(groups[k].n, `UPDATE task SET state = 6, run_at = NULL, ended = ?2, outcome = 1, exit = 0, signal = NULL, reason = NULL,
			took = f.value FROM json_each(?1) f WHERE task.id = CAST(f.key AS BIGINT) AND +task.state = 5 AND +task.session = ?3
			AND +task.attempt = ?4 AND +task.lane = ?5 AND coalesce(task.flow, 0) = ?6
			AND coalesce(task.flow_gate, 0) = ?7 AND task.gate = 0 AND task.ending IS NULL`,
			groups[k].String(), t.now, ses.id, k.attempt, k.lane, k.flow, k.bound)
		if err != nil {
			return nil, err
		}
	}
	for i, f := range some {
		t.account(&row{id: f.Task, lane: jobs[i].lane, state: rota.Running, gates: jobs[i].gates}, rota.Succeeded)
		if err := t.keepPieces(f.Try, f.Output); err != nil {
			return nil, err
		}
	}
	return rest, nil
}
