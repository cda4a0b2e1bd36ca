package sqlstore

import (
	"context"
	"database/sql"

	"github.com/rotaqueue/rota"
)

// addDeed adds a line to the audit, in the transaction of what it tells of. No statement of this package changes or removes
// one, and the database refuses to.
func (t *tx) addDeed(d rota.Deed) error {
	id, err := t.next("deed", 1)
	if err == nil {
		_, err = t.exec(`INSERT INTO deed (id, at, who, origin, what, target, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
			id, t.now, d.By, d.From, d.What, d.On, d.Detail)
	}
	return err
}

// recordOf adds the line of a write that has just been done, if it has one; of a submit, only when it has made a job.
func (t *tx) recordOf(w *write) error {
	if w.deed == nil {
		return nil
	}
	d := *w.deed
	if w.sub != nil {
		for _, r := range w.sub.results {
			if r.Err != nil || r.Existing {
				continue
			}
			d.On = "job " + r.Job.String()
			if err := t.addDeed(d); err != nil {
				return err
			}
		}
		return nil
	}
	return t.addDeed(d)
}

// Deeds are lines of the audit, newest first.
func (s *Store) Deeds(ctx context.Context, q rota.DeedQuery) (all []rota.Deed, err error) {
	var c condition
	if q.By != "" {
		c.and("who = %s", q.By)
	}
	if q.What != "" {
		c.and("what = %s", q.What)
	}
	if q.Before > 0 {
		c.and("id < %s", q.Before)
	}
	max := q.Max
	if max <= 0 {
		max = 100
	}
	err = s.query(ctx, func(r *sql.Rows) error {
		var d rota.Deed
		var at int64
		err := r.Scan(&d.ID, &at, &d.By, &d.From, &d.What, &d.On, &d.Detail)
		d.At = fromMicros(at)
		all = append(all, d)
		return err
	}, `SELECT id, at, who, origin, what, target, detail FROM deed`+c.where()+`ORDER BY id DESC LIMIT `+c.arg(max), c.args...)
	return all, err
}
