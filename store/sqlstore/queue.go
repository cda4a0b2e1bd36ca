package sqlstore

import (
	"context"
	"database/sql"

	"github.com/rotaqueue/rota"
)

// Queues are all queues, by name, with the counts that are kept of them.
func (s *Store) Queues(ctx context.Context) ([]rota.Queue, error) {
	var queues []rota.Queue
	err := s.query(ctx, func(r *sql.Rows) error {
		var q rota.Queue
		var state sql.NullInt64
		var n sql.NullInt64
		if err := r.Scan(&q.Name, &q.Discipline, &q.Paused, &state, &n); err != nil {
			return err
		}
		if len(queues) == 0 || queues[len(queues)-1].Name != q.Name {
			q.Counts = map[rota.State]int{}
			queues = append(queues, q)
		}
		if state.Valid && n.Int64 != 0 {
			queues[len(queues)-1].Counts[rota.State(state.Int64)] = int(n.Int64)
		}
		return nil
	}, `SELECT q.name, q.discipline, q.paused, c.state, c.n FROM queue q LEFT JOIN queue_count c ON c.queue = q.name
		ORDER BY q.name, c.state`)
	return queues, err
}
