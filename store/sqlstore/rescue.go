package sqlstore

import (
	"slices"

	"github.com/rotaqueue/rota"
)

// unattended is the condition of tasks that are to be rescued.
const unattended = `t.state = 5 AND NOT EXISTS (SELECT 1 FROM session s WHERE s.id = t.session
	AND (s.state = 1 OR s.state = 4 OR s.state = 5 AND s.waited < coalesce(t.tolerance, s.tolerance)))`

// sweepRescue ends attempts whose session is closed, missing, or lost beyond what they tolerate (P3, P8). It looks at what
// runs, not at sessions, so that no order of events leaves a task running for ever.
func (t *tx) sweepRescue() (rota.Swept, error) {
	rows, err := t.rows(`WHERE `+unattended+`
		ORDER BY t.session, t.id LIMIT ?1`, stepRows)
	if err != nil {
		return rota.Swept{}, err
	}
	if len(rows) == 0 {
		return rota.Swept{}, t.forgetLost()
	}
	out := rota.Swept{Moved: len(rows), More: len(rows) == stepRows, Ready: true}
	ends := make([]end, len(rows))
	for i, x := range rows {
		ends[i] = crashed(x)
		out.Jobs = append(out.Jobs, x.id.Job())
	}
	out.Jobs = slices.Compact(out.Jobs)
	return out, t.finish(ends)
}

// forgetLost ends the watch of lost sessions in which nothing goes on any more: they claim nothing, so nothing will.
func (t *tx) forgetLost() error {
	_, err := t.exec(`UPDATE session SET state = 2 WHERE state <> 2 AND state <> 3 AND state = 5
		AND NOT EXISTS (SELECT 1 FROM task t WHERE t.session = session.id AND t.state = 5)`)
	return err
}
