package sqlstore

import (
	"context"
	"database/sql"

	"github.com/rotaqueue/rota"
)

// KeepOutput keeps pieces of a running attempt's output.
func (s *Store) KeepOutput(ctx context.Context, try rota.Try, chunks []rota.Chunk) error {
	return s.write(ctx, "keep output", func(t *tx) error {
		var one int
		found, err := t.one(`SELECT 1 FROM task WHERE id = ?1 AND attempt = ?2 AND +state = 5 /*pg FOR SHARE */`, []any{int64(try.Task), try.Attempt}, &one)
		switch {
		case err != nil:
			return err
		case found:
			return t.keepPieces(try, chunks)
		}
		kept, err := t.keeps(try, chunks)
		if err == nil && !kept {
			err = rota.Errorf(rota.ErrLeaseLost, "attempt %v is not running", try)
		}
		return err
	})
}

// keeps reports whether there are pieces, and all of them are kept.
func (t *tx) keeps(try rota.Try, chunks []rota.Chunk) (kept bool, err error) {
	for i := range chunks {
		c := &chunks[i]
		kept, err = t.one(`SELECT 1 FROM output WHERE task = ?1 AND attempt = ?2 AND stream = ?3 AND start = ?4 AND total = ?5 AND data = ?6`,
			[]any{int64(try.Task), try.Attempt, streamNumber(c.Stream), c.Offset, c.Total, c.Data}, new(int))
		if err != nil || !kept {
			return false, err
		}
	}
	return kept, nil
}

func (t *tx) keepPieces(try rota.Try, chunks []rota.Chunk) error {
	return t.each(`INSERT INTO output (task, attempt, stream, start, total, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (task, attempt, stream, start) DO UPDATE SET total = excluded.total, data = excluded.data`,
		len(chunks), func(i int) []any {
			c := &chunks[i]
			return []any{int64(try.Task), try.Attempt, streamNumber(c.Stream), c.Offset, c.Total, c.Data}
		})
}

// Output is a piece of an attempt's kept output: what is kept at the offset, or behind the gap that it falls into.
func (s *Store) Output(ctx context.Context, q rota.OutputQuery) (out rota.Output, err error) {
	var latest int
	var running bool
	err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&latest, &running) }, `SELECT attempt, state = 5 FROM task WHERE id = ?1`, int64(q.Task))
	if err != nil {
		return out, err
	}
	attempt := q.Attempt
	if attempt == 0 {
		attempt = latest
	}
	stream := streamNumber(q.Stream)
	size := int64(-1)
	err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&size) },
		`SELECT total FROM output WHERE task = ?1 AND attempt = ?2 AND stream = ?3 ORDER BY start DESC LIMIT 1`, int64(q.Task), attempt, stream)
	if err == nil && size < 0 {
		err = rota.Errorf(rota.ErrNotFound, "task %v: no %s of attempt %d is kept", q.Task, q.Stream, attempt)
	}
	if err != nil {
		return out, err
	}
	from := q.Offset
	if from < 0 {
		from = max(0, size+from)
	}
	out = rota.Output{Attempt: attempt, Offset: from, Size: size, Ended: !running || attempt < latest}
	most := q.Max
	if most <= 0 {
		most = rota.MaxPartBytes
	}
	// The piece that reaches over the offset, and those behind it; a gap ends the answer, unless it begins with one.
	err = s.query(ctx, func(r *sql.Rows) error {
		var start int64
		var data []byte
		if err := r.Scan(&start, &data); err != nil {
			return err
		}
		at := out.Offset + int64(len(out.Data))
		switch {
		case start+int64(len(data)) <= at || len(out.Data) >= most:
			return nil
		case start > at && len(out.Data) > 0:
			return nil
		case start > at:
			out.Cut, out.Offset = start-from, start
			at = start
		}
		out.Data = append(out.Data, data[at-start:]...)
		return nil
	}, `SELECT start, data FROM output WHERE task = ?1 AND attempt = ?2 AND stream = ?3 AND start + length(data) > ?4
		ORDER BY start LIMIT 64`, int64(q.Task), attempt, stream, from)
	out.Data = out.Data[:min(len(out.Data), most)]
	return out, err
}
