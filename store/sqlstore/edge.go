package sqlstore

import (
	"context"
	"database/sql"
	"math"

	"github.com/rotaqueue/rota"
)

// Edges are which jobs run after which.
func (s *Store) Edges(ctx context.Context, q rota.EdgeQuery) (out []rota.Edge, err error) {
	before := int64(math.MaxInt64)
	if q.Before > 0 {
		before = int64(q.Before)
	}
	text, args := `SELECT job, on_job, condition FROM edge e WHERE job < ?1`, []any{before, limit(q.Max)}
	if len(q.Of) > 0 {
		text += ` AND (job IN (SELECT value FROM json_each(?3)) OR on_job IN (SELECT value FROM json_each(?3)))`
		args = append(args, list(q.Of))
	}
	err = s.query(ctx, func(r *sql.Rows) error {
		var e rota.Edge
		err := r.Scan((*int64)(&e.Job), (*int64)(&e.On), (*string)(&e.When))
		out = append(out, e)
		return err
	}, text+` AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = e.job AND j.removing = 1) ORDER BY job DESC, on_job DESC, condition LIMIT ?2`, args...)
	return out, err
}
