package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/rotaqueue/rota"
)

// Post writes letters.
func (s *Store) Post(ctx context.Context, letters []rota.Letter) error {
	return s.write(ctx, "post", func(t *tx) error { return t.post(letters) })
}

func (t *tx) post(letters []rota.Letter) error {
	if len(letters) == 0 {
		return nil
	}
	first, err := t.next("outbox", len(letters))
	if err != nil {
		return err
	}
	docs := make([]string, len(letters))
	for i := range letters {
		doc, err := json.Marshal(&letters[i].Event)
		if err != nil {
			return err
		}
		docs[i] = string(doc)
	}
	return t.insert(`INSERT INTO outbox (id, kind, job, place, doc, at, due)`, 7, len(letters), func(i int) []any {
		l := &letters[i]
		at := t.now
		if !l.At.IsZero() {
			at = toMicros(l.At)
		}
		return []any{first + int64(i), string(l.Kind), int64(l.Job), l.Place, docs[i], at, max(t.now, toMicros(l.Due))}
	})
}

// tells reports whether a job, who submitted it, or its queue says who is told of its end.
func (t *tx) tells(s *rota.Spec, submitter string) (bool, error) {
	queues, err := t.settledQueues()
	if err != nil {
		return false, err
	}
	users, err := t.tellers()
	q := queues[s.Queue]
	return s.Tell.Says() || users[submitter] || q != nil && q.Tell.Says(), err
}

// postEnds writes a letter for each job that ended in this transaction and of which somebody is told. Those that are known
// to be of no interest cost nothing.
func (t *tx) postEnds(changed []rota.JobID) error {
	var some []rota.JobID
	for _, id := range changed {
		if known, ok := t.s.templates.get(id, t.w.shape); !ok || known.notify {
			some = append(some, id)
		}
	}
	if len(some) == 0 {
		return nil
	}
	var letters []rota.Letter
	err := t.query(func(r *sql.Rows) error {
		var l rota.Letter
		var failed, cancelled int
		if err := r.Scan((*int64)(&l.Job), &failed, &cancelled); err != nil {
			return err
		}
		switch l.Kind = rota.EventSucceeded; {
		case failed > 0:
			l.Kind = rota.EventFailed
		case cancelled > 0:
			l.Kind = rota.EventCancelled
		}
		letters = append(letters, l)
		return nil
	}, `SELECT id, failed, cancelled FROM job WHERE id IN (SELECT value FROM json_each(?1)) AND notify <> 0 AND ended = ?2 ORDER BY id`, list(some), t.now)
	if err != nil {
		return err
	}
	return t.post(letters)
}

const letterColumns = `id, kind, job, place, doc, at, due, tries, error`

// TakeLetters takes those that are due.
func (s *Store) TakeLetters(ctx context.Context, most int, hold rota.Duration) ([]rota.Letter, error) {
	return written(ctx, s, "take letters", func(t *tx) (all []rota.Letter, err error) {
		var ids []int64
		if err := t.query(readLetters(&all, &ids), `SELECT `+letterColumns+` FROM outbox WHERE due <= ?1 ORDER BY due, id LIMIT ?2 /*pg FOR UPDATE SKIP LOCKED */`,
			t.now, most); err != nil || len(ids) == 0 {
			return all, err
		}
		_, err = t.exec(`UPDATE outbox SET due = ?2 WHERE id IN (SELECT value FROM json_each(?1))`, list(ids), t.now+hold.Micros())
		return all, err
	})
}

func readLetters(all *[]rota.Letter, ids *[]int64) func(r *sql.Rows) error {
	return func(r *sql.Rows) error {
		var l rota.Letter
		var doc []byte
		var at, due int64
		if err := r.Scan(&l.ID, &l.Kind, (*int64)(&l.Job), &l.Place, &doc, &at, &due, &l.Tries, &l.Error); err != nil {
			return err
		}
		l.At, l.Due = fromMicros(at), fromMicros(due)
		*all, *ids = append(*all, l), append(*ids, l.ID)
		return json.Unmarshal(doc, &(*all)[len(*all)-1].Event)
	}
}

// Delivered removes letters.
func (s *Store) Delivered(ctx context.Context, ids []int64, further []rota.Letter) error {
	return s.write(ctx, "deliver letters", func(t *tx) error {
		n, err := t.exec(`DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?1))`, list(ids))
		if err != nil || n == 0 {
			return err // somebody else has done so, and written what follows
		}
		return t.post(further)
	})
}

// Postpone notes a failure.
func (s *Store) Postpone(ctx context.Context, ids []int64, in rota.Duration, why string) error {
	return s.write(ctx, "postpone letters", func(t *tx) error {
		_, err := t.exec(`UPDATE outbox SET due = ?2, tries = tries + ?4, error = ?3 WHERE id IN (SELECT value FROM json_each(?1))`,
			list(ids), t.now+in.Micros(), strings.ToValidUTF8(why, "?"), flag(why != ""))
		return err
	})
}

// Letters are those that wait.
func (s *Store) Letters(ctx context.Context, most int) (all []rota.Letter, err error) {
	var ids []int64
	err = s.query(ctx, readLetters(&all, &ids), `SELECT `+letterColumns+` FROM outbox ORDER BY due, id LIMIT ?1`, most)
	return all, err
}
