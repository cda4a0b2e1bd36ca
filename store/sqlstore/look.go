package sqlstore

import (
	"context"
	"database/sql"

	"github.com/rotaqueue/rota"
)

// Look notes a wish to see a piece of a running attempt's output.
func (s *Store) Look(ctx context.Context, l rota.Look) (int64, error) {
	return written(ctx, s, "look", func(t *tx) (int64, error) { return t.look(l) })
}

func (t *tx) look(l rota.Look) (number int64, err error) {
	var session int64
	runs, err := t.one(`SELECT session FROM task WHERE id = ?1 AND attempt = ?2 AND state = 5`, []any{int64(l.Task), l.Attempt}, &session)
	if err == nil && !runs {
		err = rota.Errorf(rota.ErrConflict, "attempt %v does not run", l.Try)
	}
	if err != nil {
		return 0, err
	}
	until := t.now + rota.LookFor.Microseconds()
	again, err := t.one(`UPDATE look SET asked = asked + 1, until = ?5, session = ?6, most = ?7
		WHERE task = ?1 AND attempt = ?2 AND stream = ?3 AND start = ?4 RETURNING asked`,
		[]any{int64(l.Task), l.Attempt, streamNumber(l.Stream), l.Offset, until, session, l.Max}, &number)
	if err != nil || again {
		return number, err
	}
	var others int
	if _, err := t.one(`SELECT count(*) FROM look WHERE session = ?1 AND until > ?2`, []any{session, t.now}, &others); err != nil {
		return 0, err
	}
	if others >= rota.MaxLooks {
		return 0, rota.Errorf(rota.ErrUnavailable, "attempt %v: %d looks at what its node runs are under way, and no more are possible", l.Try, others).
			WithFix("try again, or ask a server of its node")
	}
	_, err = t.one(`INSERT INTO look (task, attempt, stream, start, session, most, until, asked) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)
		ON CONFLICT (task, attempt, stream, start) DO UPDATE SET asked = look.asked + 1, until = excluded.until RETURNING asked`,
		[]any{int64(l.Task), l.Attempt, streamNumber(l.Stream), l.Offset, session, l.Max, until}, &number)
	return number, err
}

// Looks are the wishes to see what a session runs that were not answered.
func (s *Store) Looks(ctx context.Context, id rota.SessionID) (all []rota.Look, err error) {
	err = s.query(ctx, func(r *sql.Rows) error {
		var l rota.Look
		var stream int
		err := r.Scan((*int64)(&l.Task), &l.Attempt, &stream, &l.Offset, &l.Max, &l.Number)
		l.Stream = streams[stream]
		all = append(all, l)
		return err
	}, `SELECT task, attempt, stream, start, most, asked FROM look WHERE session = (SELECT id FROM session WHERE name = ?1)
		AND answered < asked AND until > `+s.engine.clock()+` ORDER BY task, attempt, stream, start`, string(id))
	return all, err
}

var streams = []rota.Stream{1: rota.Stdout, 2: rota.Stderr}

// ShowOutput answers a look, as long as somebody waits for it. A later answer to the same wish takes the place of the first.
func (s *Store) ShowOutput(ctx context.Context, l rota.Look, out rota.Output) error {
	return s.write(ctx, "show output", func(t *tx) error {
		data := out.Data
		if data == nil {
			data = []byte{}
		}
		_, err := t.exec(`UPDATE look SET answered = ?5, shown = ?6, total = ?7, data = ?8
			WHERE task = ?1 AND attempt = ?2 AND stream = ?3 AND start = ?4 AND asked >= ?5 AND answered <= ?5 AND until > ?9`,
			int64(l.Task), l.Attempt, streamNumber(l.Stream), l.Offset, l.Number, out.Offset, out.Size, data, t.now)
		return err
	})
}

// Shown is the answer to a look, or to a later one at the same place; ErrNotFound while there is none.
func (s *Store) Shown(ctx context.Context, l rota.Look) (out rota.Output, err error) {
	found := false
	err = s.query(ctx, func(r *sql.Rows) error {
		found = true
		out.Attempt = l.Attempt
		return r.Scan(&out.Offset, &out.Size, &out.Data)
	}, `SELECT shown, total, data FROM look WHERE task = ?1 AND attempt = ?2 AND stream = ?3 AND start = ?4 AND answered >= ?5`,
		int64(l.Task), l.Attempt, streamNumber(l.Stream), l.Offset, l.Number)
	if err == nil && !found {
		err = rota.Errorf(rota.ErrNotFound, "attempt %v: nothing is shown yet of %s from %d on", l.Try, l.Stream, l.Offset)
	}
	return out, err
}

// forgetLooks removes what nobody waits for any more.
func (t *tx) forgetLooks() error {
	_, err := t.exec(`DELETE FROM look WHERE until < ?1`, t.now)
	return err
}
