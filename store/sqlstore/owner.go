package sqlstore

import (
	"context"
	"database/sql"

	"github.com/rotaqueue/rota"
)

// Owner is the node of a session, also of one that is over.
func (s *Store) Owner(ctx context.Context, id rota.SessionID) (node string, err error) {
	err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&node) }, `SELECT node FROM session WHERE name = ?1`, string(id))
	if err == nil && node == "" {
		err = rota.Errorf(rota.ErrNotFound, "session %s: there is none", id)
	}
	return node, err
}

// Runs reports whether a task of a job runs in a session of a node.
func (s *Store) Runs(ctx context.Context, node string, job rota.JobID) (runs bool, err error) {
	first, last := job.Tasks()
	err = s.query(ctx, func(r *sql.Rows) error { return r.Scan(&runs) }, `SELECT EXISTS (SELECT 1 FROM session s JOIN task t
		ON t.session = s.id AND t.state = 5 AND t.id BETWEEN ?2 AND ?3 WHERE s.node = ?1)`, node, int64(first), int64(last))
	return runs, err
}
