package sqlstore

import (
	"context"
	"database/sql"
	"math"

	"github.com/rotaqueue/rota"
)

// forEver is the tolerance, as stored, of what goes on for ever.
const forEver = math.MaxInt64

// tolerated is a tolerance as it is stored.
func tolerated(d rota.Duration) int64 {
	if d < 0 {
		return forEver
	}
	return d.Micros()
}

// tolerance is a stored tolerance.
func tolerance(us int64) rota.Duration {
	if us == forEver {
		return -1
	}
	return duration(us)
}

// Sessions are those that are watched.
func (s *Store) Sessions(ctx context.Context) (all []rota.Session, err error) {
	err = s.query(ctx, func(r *sql.Rows) error {
		var x rota.Session
		var state int
		var ttl, waited int64
		var next sql.NullInt64
		if err := r.Scan((*string)(&x.ID), &x.Node, &x.Beat, &state, &ttl, &waited, &next); err != nil {
			return err
		}
		x.TTL, x.State = duration(ttl), rota.SessionOpen
		if state == sessionTolerated {
			x.State, x.Waited, x.Next = rota.SessionLost, tolerance(waited), tolerance(next.Int64)
		}
		all = append(all, x)
		return nil
	}, `SELECT s.name, s.node, s.beat, s.state, s.ttl, s.waited, CASE WHEN s.state = 5 THEN (SELECT min(coalesce(t.tolerance, s.tolerance))
			FROM task t WHERE t.state = 5 AND t.session = s.id AND coalesce(t.tolerance, s.tolerance) > s.waited) END
		FROM session s WHERE s.state <> 2 AND s.state <> 3 ORDER BY s.id`)
	return all, err
}

// LoseSession marks a session lost whose beat is still that.
func (s *Store) LoseSession(ctx context.Context, id rota.SessionID, beat int64, most rota.Duration) (bool, error) {
	return written(ctx, s, "lose session", func(t *tx) (bool, error) { return t.loseSession(id, beat, tolerated(most)) })
}

// loseSession is a compare-and-set on beat and state: of a renewal and the loss that come at once, one finds that the
// other was first. The rescue is another transaction's (P3).
func (t *tx) loseSession(id rota.SessionID, beat, waited int64) (bool, error) {
	var node string
	lost, err := t.one(`UPDATE session SET state = 5, waited = ?3 WHERE name = ?1 AND beat = ?2 AND (state = 1 OR state = 4) RETURNING node`,
		[]any{string(id), beat, waited}, &node)
	if err != nil {
		return false, err
	}
	if !lost {
		n, err := t.exec(`UPDATE session SET waited = ?3 WHERE name = ?1 AND beat = ?2 AND state = 5 AND waited < ?3`, string(id), beat, waited)
		return n > 0, err
	}
	_, err = t.exec(`UPDATE node SET state = ?2, lost = ?3 WHERE name = ?1
		AND NOT EXISTS (SELECT 1 FROM session WHERE node = ?1 AND (state = 1 OR state = 4))`, node, string(rota.NodeLost), t.now)
	if err != nil {
		return false, err
	}
	return true, t.openHomes("", "")
}

// tolerate notes what claimed tasks tolerate whose jobs say it; all others tolerate what their session does. It is the
// number that the keeper goes by (P8).
func (t *tx) tolerate(got []rota.Assignment) error {
	var alike map[rota.OnStoreLoss][]rota.TaskID
	for i := range got {
		if says := got[i].Spec.OnStoreLoss; says != "" {
			if alike == nil {
				alike = map[rota.OnStoreLoss][]rota.TaskID{}
			}
			alike[says] = append(alike[says], got[i].Task)
		}
	}
	for says, ids := range alike {
		if _, err := t.exec(`UPDATE task SET tolerance = ?2 WHERE id IN (SELECT value FROM json_each(?1)) AND +state = 5`,
			list(ids), tolerated(says.Tolerance())); err != nil {
			return err
		}
	}
	return nil
}
