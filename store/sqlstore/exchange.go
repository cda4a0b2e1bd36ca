package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/rotaqueue/rota"
)

// Exchange finishes and claims in one transaction. If that fails for a reason that nobody expected, the finishes are
// recorded without the claim, and if that fails too, one by one, so that only the culprit is refused (P6).
func (s *Store) Exchange(ctx context.Context, x rota.Exchange) (rota.Exchanged, error) {
	out, err := s.exchange(ctx, x)
	if err == nil || !errors.Is(err, rota.ErrInternal) || len(x.Finished) == 0 {
		return out, err
	}
	alone := x
	alone.Claim.Max = 0
	if x.Claim.Max > 0 {
		if out, again := s.exchange(ctx, alone); again == nil {
			return out, nil
		}
	}
	var refused []rota.Refusal
	for i := range x.Finished {
		one := x.Finished[i : i+1]
		some, err := writtenSame(ctx, s, "finish", func(t *tx) ([]rota.Refusal, error) {
			ses, err := t.session(x.Session)
			if err != nil {
				return nil, err
			}
			return t.finishAll(ses, one)
		})
		refused = append(refused, some...)
		if err != nil && !errors.Is(err, rota.ErrInternal) {
			return rota.Exchanged{}, err
		}
		if err != nil {
			refused = append(refused, rota.Refusal{Try: one[0].Try, Why: err.Error()})
		}
	}
	alone.Finished = nil
	_, err = s.exchange(ctx, alone)
	return rota.Exchanged{Refused: refused}, err
}

func (s *Store) exchange(ctx context.Context, x rota.Exchange) (rota.Exchanged, error) {
	lost := false
	out, err := writtenSame(ctx, s, "exchange", func(t *tx) (out rota.Exchanged, err error) {
		lost = false
		ses, err := t.session(x.Session)
		if err != nil {
			return out, err
		}
		if x.Seq == ses.seq && x.Seq > 0 {
			return t.answerAgain(ses)
		}
		if x.Seq != ses.seq+1 && ses.state != sessionOpen { // of a store that this is a copy of, likely
			return out, sessionGone(x.Session)
		}
		if x.Seq != ses.seq+1 {
			return out, rota.Errorf(rota.ErrConflict, "exchange %d of session %s: exchange %d is next", x.Seq, x.Session, ses.seq+1)
		}
		if out.Refused, err = t.finishAll(ses, x.Finished); err != nil {
			return out, err
		}
		// Places that the finishes freed are there for the claim.
		if err := t.settleTasks(); err != nil {
			return out, err
		}
		if t.freed { // the claim looks where something is ready
			if err := t.settleQueues(); err != nil {
				return out, err
			}
		}
		if lost = ses.state != sessionOpen && x.Claim.Max > 0; lost {
			return out, nil
		}
		var again time.Duration
		if out.Claimed, again, err = t.claim(ses, x.Seq, x.Claim); err != nil {
			return out, err
		}
		out.Again = rota.Duration(again)
		out.Freed = t.freed
		return out, t.endExchange(ses, x.Seq, out.Refused)
	})
	if err == nil && lost {
		err = sessionGone(x.Session)
	}
	return out, err
}

// endExchange remembers the exchange, so that it can be answered again.
func (t *tx) endExchange(ses session, seq int64, refused []rota.Refusal) error {
	var doc any
	if len(refused) > 0 {
		b, err := json.Marshal(refused)
		if err != nil {
			return err
		}
		doc = string(b)
	}
	var read int
	return t.w.later(expectation{q: `UPDATE session SET seq = ?2, refused = ?3 WHERE id = ?1
		/*pg RETURNING pg_stat_get_xact_tuples_returned('task_ready'::regclass) */`, args: []any{ses.id, seq, doc}, dest: []any{&read},
		met: func() error { t.passedOver(t.picks, read); return nil }})
}

// answerAgain gives the answer of the session's last exchange once more (P5).
func (t *tx) answerAgain(ses session) (out rota.Exchanged, err error) {
	if ses.refused.Valid {
		if err := json.Unmarshal([]byte(ses.refused.String), &out.Refused); err != nil {
			return out, err
		}
	}
	var got []claimed
	err = t.query(func(r *sql.Rows) error {
		c, err := scanClaimed(r)
		got = append(got, c)
		return err
	}, `SELECT `+claimedColumns+` FROM task WHERE session = ?1 AND state = 5 AND claim_seq = ?2 ORDER BY rank, id`, ses.id, ses.seq)
	if err != nil {
		return out, err
	}
	jobs, err := t.lookUpJobs(got)
	if err == nil {
		out.Claimed, err = t.assign(got, jobs)
	}
	return out, err
}

// finishAll records finishes and says which were refused. A finish that was recorded before is recorded.
func (t *tx) finishAll(ses session, finished []rota.Finish) (refused []rota.Refusal, err error) {
	if finished, err = t.succeed(ses, finished); err != nil || len(finished) == 0 {
		return nil, err
	}
	ids := make([]rota.TaskID, len(finished))
	for i := range finished {
		ids[i] = finished[i].Task
	}
	rows, err := t.rows(`WHERE t.id IN (SELECT value FROM json_each(?1)) ORDER BY t.id`, list(ids))
	if err != nil {
		return nil, err
	}
	at := make(map[rota.TaskID]row, len(rows))
	for _, x := range rows {
		at[x.id] = x
	}
	ends := make([]end, 0, len(finished))
	for _, f := range finished {
		x, found := at[f.Task]
		switch {
		case found && x.state == rota.Running && x.attempt == f.Attempt && x.session == ses.id && outcomeNumber(f.Outcome) > 0:
			e := decide(x, f)
			ends = append(ends, e)
			x.state, x.outcome = e.to, outcomeNumber(e.Outcome) // a second finish of the same call is a repeat
			x.exit = sql.NullInt64{Valid: f.Exit != nil}
			if f.Exit != nil {
				x.exit.Int64 = int64(*f.Exit)
			}
			at[f.Task] = x
		default:
			known, err := t.recorded(x, found, f)
			if err != nil {
				return nil, err
			}
			if !known {
				refused = append(refused, rota.Refusal{Try: f.Try, Why: whyRefused(x, found, f)})
			}
		}
	}
	return refused, t.finish(ends)
}

// recorded reports whether just this end of just this attempt is what the store has.
func (t *tx) recorded(x row, found bool, f rota.Finish) (bool, error) {
	if !found {
		return false, nil
	}
	outcome, exit := x.outcome, x.exit
	if x.attempt != f.Attempt {
		ok, err := t.one(`SELECT outcome, exit FROM attempt WHERE task = ?1 AND attempt = ?2`, []any{int64(f.Task), f.Attempt}, &outcome, &exit)
		if !ok || err != nil {
			return false, err
		}
	} else if x.state == rota.Running {
		return false, nil
	}
	same := exit.Valid == (f.Exit != nil) && (f.Exit == nil || exit.Int64 == int64(*f.Exit))
	return same && (outcome == outcomeNumber(f.Outcome) || outcomes[outcome] == rota.OutcomeEnded), nil
}

func whyRefused(x row, found bool, f rota.Finish) string {
	switch {
	case !found:
		return "there is no such task any more"
	case outcomeNumber(f.Outcome) <= 0:
		return "outcome \"" + string(f.Outcome) + "\" is unknown"
	case x.attempt != f.Attempt:
		return "the attempt is not the task's latest"
	case x.state == rota.Running:
		return "the attempt is another session's"
	}
	return "the attempt has ended otherwise: the task is " + x.state.String()
}
