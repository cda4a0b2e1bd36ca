package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/rotaqueue/rota"
)

// The states of a session, as stored. A barred one is open but renews no more: it is lost when its time is over. Of one
// that is lost by time, what tolerates more than was waited goes on.
const (
	sessionOpen      = 1
	sessionLost      = 2
	sessionClosed    = 3
	sessionBarred    = 4
	sessionTolerated = 5
)

// session is a session's row.
type session struct {
	id, seq int64
	state   int
	node    string
	refused sql.NullString
}

// session reads a session's row, which the transaction thereby holds: a claim that races a rescue either comes first,
// and is rescued, or finds the session lost (P3).
func (t *tx) session(name rota.SessionID) (ses session, err error) {
	found, err := t.one(`SELECT id, seq, state, node, refused FROM session WHERE name = ?1 /*pg FOR NO KEY UPDATE */`, []any{string(name)},
		&ses.id, &ses.seq, &ses.state, &ses.node, &ses.refused)
	if err == nil && !found {
		err = sessionGone(name)
	}
	return ses, err
}

func sessionGone(name rota.SessionID) error {
	return rota.Errorf(rota.ErrLeaseLost, "session %s is lost or closed", name)
}

// OpenSession registers a node and opens its session.
func (s *Store) OpenSession(ctx context.Context, o rota.Opening) (rota.Opened, error) {
	return written(ctx, s, "open session", func(t *tx) (rota.Opened, error) { return t.openSession(o) })
}

func (t *tx) openSession(o rota.Opening) (rota.Opened, error) {
	if err := t.ownName(o); err != nil {
		return rota.Opened{}, err
	}
	if err := t.bindToken(o.Token, o.Node.Name); err != nil {
		return rota.Opened{}, err
	}
	if err := t.rename(o); err != nil {
		return rota.Opened{}, err
	}
	opened, again, err := t.openAgain(o)
	if err != nil || opened.Lost {
		return opened, err
	}
	if opened.Pause, err = t.one(`SELECT 1 FROM node WHERE key = ?1 AND paused = 1 LIMIT 1`, []any{o.Key}, new(int)); err != nil {
		return opened, err
	}
	if opened.Drain, err = t.drains(o, again); err != nil || again && !o.Sole {
		return opened, err
	}
	if o.Sole {
		if err := t.loseOthers(o); err != nil {
			return opened, err
		}
	}
	if err := t.putNode(o, &opened); err != nil || again {
		return opened, err
	}
	opened.TTL, opened.OnStoreLoss = o.TTL, rota.StoreLossAfter(o.OnStoreLoss.Tolerance())
	_, err = t.exec(`INSERT INTO session (name, node, key, state, ttl, tolerance, opened, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)`,
		string(o.Session), o.Node.Name, o.Key, sessionOpen, o.TTL.Micros(), tolerated(o.OnStoreLoss.Tolerance()), t.now)
	return opened, err
}

// putNode writes what the node says of itself. Of two that take one name at once, the slower finds it taken.
func (t *tx) putNode(o rota.Opening, opened *rota.Opened) error {
	state := rota.NodeUp
	switch {
	case opened.Drain:
		state = rota.NodeDraining
	case opened.Pause:
		state = rota.NodePaused
	}
	o.Node.Sample = nil // comes with renewals
	if err := t.offersAnew(&o.Node); err != nil {
		return err
	}
	doc, err := json.Marshal(&o.Node)
	if err != nil {
		return err
	}
	n, err := t.exec(`INSERT INTO node (name, key, doc, state, started, seen, drain, paused) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)
		ON CONFLICT (name) DO UPDATE SET doc = excluded.doc, state = excluded.state, started = excluded.started, seen = excluded.seen,
		drain = excluded.drain, lost = 0, skew = 0 WHERE node.key = excluded.key`,
		o.Node.Name, o.Key, string(doc), string(state), t.now, flag(opened.Drain), flag(opened.Pause))
	if err == nil && n == 0 {
		err = rota.Errorf(rota.ErrConflict, "node %q: another node has just taken this name", o.Node.Name).WithFix(renameFix)
	}
	return err
}

// rename gives a node that comes back with another name the sessions that it has: the key tells that it is the same.
func (t *tx) rename(o rota.Opening) error {
	n, err := t.exec(`UPDATE session SET node = ?1 WHERE state <> 2 AND state <> 3 AND key = ?2 AND node <> ?1`, o.Node.Name, o.Key)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.exec(`UPDATE node SET state = ?3, seen = ?4, lost = 0 WHERE key = ?2 AND name <> ?1`, o.Node.Name, o.Key, string(rota.NodeDown), t.now)
	return err
}

// openAgain reports whether the session is open already, and how far it has come: the answer was lost, or another daemon
// of the same keeper goes on with it. Its beat is raised: the lease is reckoned from this opening.
func (t *tx) openAgain(o rota.Opening) (opened rota.Opened, again bool, err error) {
	again, err = t.one(`UPDATE session SET beat = beat + 1, seen = ?3, ttl = CASE WHEN ttl = 0 THEN ?4 ELSE ttl END
		WHERE name = ?1 AND key = ?2 AND state = 1 RETURNING seq`, []any{string(o.Session), o.Key, t.now, o.TTL.Micros()}, new(int64))
	if err != nil {
		return opened, false, err
	}
	var key string
	var state int
	var ttl, most int64
	found, err := t.one(`SELECT key, state, seq, ttl, tolerance FROM session WHERE name = ?1`, []any{string(o.Session)},
		&key, &state, &opened.Seq, &ttl, &most)
	if err != nil || !found {
		return opened, false, err
	}
	opened.TTL, opened.OnStoreLoss = duration(ttl), rota.StoreLossAfter(tolerance(most))
	switch {
	case again:
		return opened, true, nil
	case key != o.Key:
		return rota.Opened{}, false, rota.Errorf(rota.ErrConflict, "session %s is another node's", o.Session)
	case o.Sole || state == sessionClosed:
		return rota.Opened{}, false, sessionGone(o.Session)
	}
	opened.Lost = true
	return opened, false, nil
}

// loseOthers marks a node's other sessions lost with all that they run, and gives back what they had claimed and never
// started. What is left of those that were lost so before is not looked at: it had been started, else it would have been
// given back then.
func (t *tx) loseOthers(o rota.Opening) error {
	alive, err := json.Marshal(append([]rota.SessionID{o.Session}, o.Others...))
	if err != nil {
		return err
	}
	var lost []int64
	err = t.query(func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id)
		lost = append(lost, id)
		return err
	}, `UPDATE session SET state = 2 WHERE key = ?1 AND state <> 2 AND state <> 3 AND name NOT IN (SELECT CAST(value AS TEXT) FROM json_each(?2)) RETURNING id`,
		o.Key, string(alive))
	if err != nil {
		return err
	}
	home := rota.SessionID("")
	if o.Node.Transient {
		home = o.Session
	}
	if err := t.openHomes(home, o.Node.Name); err != nil || len(lost) == 0 {
		return err
	}
	rows, err := t.rows(`WHERE t.state = 5 AND t.session IN (SELECT value FROM json_each(?1))`, list(lost))
	if err != nil {
		return err
	}
	var ends []end
	for _, x := range rows {
		if try := (rota.Try{Task: x.id, Attempt: x.attempt}); !slices.Contains(o.Started, try) {
			ends = append(ends, decide(x, rota.Finish{Try: try, Outcome: rota.OutcomeReturned, Reason: "its node went away before it started"}))
		}
	}
	return t.finish(ends)
}

// Renew raises the sessions' beats.
func (s *Store) Renew(ctx context.Context, renewals []rota.Renewal) ([]rota.RenewResult, error) {
	var results []rota.RenewResult
	err := s.commit(ctx, s.leases, &write{what: "renew", same: true, do: func(t *tx) error {
		results = make([]rota.RenewResult, len(renewals))
		for i := range renewals {
			if err := t.renew(&renewals[i], &results[i]); err != nil {
				return err
			}
		}
		return nil
	}})
	return results, err
}

func (t *tx) renew(r *rota.Renewal, out *rota.RenewResult) error {
	var id, seq int64
	var node string
	q, args := `UPDATE session SET beat = beat + 1, seen = ?2 WHERE name = ?1 AND state = 1 RETURNING id, seq, node`, []any{string(r.Session), t.now}
	if r.Lost {
		q, args = `SELECT id, seq, node FROM session WHERE name = ?1 AND state <> 3`, args[:1]
	}
	found, err := t.one(q, args, &id, &seq, &node)
	if err != nil {
		return err
	}
	if !found {
		out.Err = sessionGone(r.Session)
		return nil
	}
	out.Now = fromMicros(t.now)
	if r.Lost {
		_, err := t.compare(id, seq, r, out)
		return err
	}
	if _, err := t.one(`UPDATE node SET seen = ?2, state = CASE WHEN ?3 = '' THEN state ELSE ?3 END,
		skew = CASE WHEN ?3 = '' THEN skew ELSE ?4 END WHERE name = ?1 RETURNING drain, paused`,
		[]any{node, t.now, string(r.State), r.Skew}, &out.Drain, &out.Pause); err != nil {
		return err
	}
	has, err := t.compare(id, seq, r, out)
	if err != nil {
		return err
	}
	if err := t.keepSamples(r.Samples, has); err != nil {
		return err
	}
	return t.keepNodeSample(node, r.Machine)
}

// compare tells a session what of its own it does not know of, and what it holds that is not its own (P5). It returns
// what is its own.
func (t *tx) compare(session, seq int64, r *rota.Renewal, out *rota.RenewResult) (has []rota.Try, err error) {
	err = t.query(func(rows *sql.Rows) error {
		var e rota.EndingTry
		var ending int
		if err := rows.Scan((*int64)(&e.Task), &e.Attempt, &ending); err != nil {
			return err
		}
		has = append(has, e.Try)
		if e.How = endings[ending]; ending > 0 {
			out.Ending = append(out.Ending, e)
		}
		return nil
	}, `SELECT id, attempt, coalesce(ending, 0) FROM task WHERE state = 5 AND session = ?1 ORDER BY id`, session)
	if err == nil && seq == r.Seq {
		out.Strays, out.Gone = without(has, r.Held), without(r.Held, has)
	}
	return has, err
}

// Endings are stored by their place here.
var endings = []rota.Ending{"", rota.EndingCancel, rota.EndingKill}

// without are the tries of a that are not in b.
func without(a, b []rota.Try) (out []rota.Try) {
	in := make(map[rota.Try]bool, len(b))
	for _, try := range b {
		in[try] = true
	}
	for _, try := range a {
		if !in[try] {
			out = append(out, try)
		}
	}
	return out
}

// Endings are the running attempts of a session that somebody asked to end.
func (s *Store) Endings(ctx context.Context, id rota.SessionID) (out []rota.EndingTry, err error) {
	err = s.query(ctx, func(r *sql.Rows) error {
		var e rota.EndingTry
		var ending int
		err := r.Scan((*int64)(&e.Task), &e.Attempt, &ending)
		e.How = endings[ending]
		out = append(out, e)
		return err
	}, `SELECT id, attempt, ending FROM task WHERE state = 5 AND session = (SELECT id FROM session WHERE name = ?1)
		AND ending IS NOT NULL ORDER BY id`, string(id))
	return out, err
}

// CloseSession ends a session. One that was lost stays so, and with it all that it still ran.
func (s *Store) CloseSession(ctx context.Context, id rota.SessionID) error {
	return s.write(ctx, "close session", func(t *tx) error {
		if n, err := t.exec(`UPDATE session SET state = ?2 WHERE name = ?1 AND state = 5`, string(id), sessionLost); err != nil || n > 0 {
			return err
		}
		n, err := t.exec(`UPDATE session SET state = ?2 WHERE name = ?1 AND (state = 1 OR state = 4)`, string(id), sessionClosed)
		if err != nil || n == 0 {
			return err
		}
		_, err = t.exec(`UPDATE node SET state = ?2, seen = ?3 WHERE name = (SELECT node FROM session WHERE name = ?1)
			AND NOT EXISTS (SELECT 1 FROM session s WHERE s.node = node.name AND (s.state = 1 OR s.state = 4))`, string(id), string(rota.NodeDown), t.now)
		if err != nil {
			return err
		}
		return t.openHomes("", "")
	})
}
