package sqlstore

import (
	"context"

	"github.com/rotaqueue/rota"
)

// DrainNode notes that a node is to drain.
func (s *Store) DrainNode(ctx context.Context, name string) ([]rota.SessionID, error) {
	return written(ctx, s, "drain node", func(t *tx) ([]rota.SessionID, error) { return t.drainNode(name) })
}

func (t *tx) drainNode(name string) (open []rota.SessionID, err error) {
	found, err := t.one(`SELECT 1 FROM node WHERE name = ?1`, []any{name}, new(int))
	if err == nil && !found {
		err = noNode(name)
	}
	if err != nil {
		return nil, err
	}
	open, err = t.openSessions(name)
	if err == nil && len(open) == 0 {
		err = rota.Errorf(rota.ErrConflict, "node %s does not run", name)
	}
	if err == nil {
		_, err = t.exec(`UPDATE node SET drain = 1 WHERE name = ?1 AND drain = 0`, name)
	}
	return open, err
}

// drains reports whether a node that opens a session was asked to drain. A new session that is the node's only one is
// a node that starts anew, and forgets it. It is looked for by key: a node that comes back with another name goes on.
func (t *tx) drains(o rota.Opening, again bool) (bool, error) {
	if o.Sole && !again {
		_, err := t.exec(`UPDATE node SET drain = 0 WHERE key = ?1 AND drain = 1`, o.Key)
		return false, err
	}
	return t.one(`SELECT 1 FROM node WHERE key = ?1 AND drain = 1 LIMIT 1`, []any{o.Key}, new(int))
}
