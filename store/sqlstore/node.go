package sqlstore

import (
	"context"
	"database/sql"

	"github.com/rotaqueue/rota"
)

// Nodes are all nodes that ever registered and were not removed.
func (s *Store) Nodes(ctx context.Context) ([]rota.Node, error) {
	var nodes []rota.Node
	err := s.query(ctx, func(r *sql.Rows) error {
		n, err := scanNode(r)
		nodes = append(nodes, n)
		return err
	}, `SELECT name, doc, state, started, seen, lost, paused, skew, coalesce(settings, '') FROM node ORDER BY name`)
	if err == nil {
		err = s.countRunning(ctx, nodes)
	}
	if err != nil {
		return nodes, err
	}
	return nodes, s.latestSamples(ctx, nodes)
}

func scanNode(r *sql.Rows) (n rota.Node, err error) {
	var doc []byte
	var name string
	var state rota.NodeState
	var started, seen, lost, skew int64
	var paused bool
	var settings string
	if err := r.Scan(&name, &doc, &state, &started, &seen, &lost, &paused, &skew, &settings); err != nil {
		return n, err
	}
	n, _, err = settledNode(name, doc, settings)
	n.Name, n.State, n.Started, n.Seen, n.Lost, n.Paused, n.Skew = name, state, fromMicros(started), fromMicros(seen), fromMicros(lost), paused, skew
	return n, err
}

// countRunning counts what runs on each node, and for which of the patterns that it serves. A task counts from its claim
// until its end is recorded, in sessions that were lost too as long as it goes on there.
func (s *Store) countRunning(ctx context.Context, nodes []rota.Node) error {
	at := make(map[string]*rota.Node, len(nodes))
	for i := range nodes {
		at[nodes[i].Name] = &nodes[i]
	}
	running := map[string]map[string]int{} // by node and queue
	err := s.query(ctx, func(r *sql.Rows) error {
		var node, queue string
		var count int
		err := r.Scan(&node, &queue, &count)
		if n := at[node]; n != nil {
			n.Running += count
			if running[node] == nil {
				running[node] = map[string]int{}
			}
			running[node][queue] = count
		}
		return err
	}, `SELECT s.node, l.queue, count(*) FROM session s JOIN task t ON t.session = s.id AND t.state = 5 JOIN lane l ON l.id = t.lane
		WHERE s.state <> 2 AND s.state <> 3 GROUP BY s.node, l.queue`)
	for i := range nodes {
		if n := &nodes[i]; n.State != rota.NodeDown && n.State != rota.NodeLost {
			n.Serves = serves(n, running[n.Name])
		}
	}
	return err
}

func serves(n *rota.Node, running map[string]int) (all []rota.Serving) {
	patterns := n.Queues
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	counts := make([]int, len(patterns))
	for queue, count := range running {
		if i := rota.PlaceOf(queue, patterns); i >= 0 {
			counts[i] += count
		}
	}
	for i, p := range patterns {
		if p[:min(len(p), 1)] != "!" {
			all = append(all, rota.Serving{Queue: p, Slots: n.Slots, Idle: max(n.Slots-n.Running, 0), Running: counts[i]})
		}
	}
	return all
}

// PauseNode notes whether a node is to claim anything.
func (s *Store) PauseNode(ctx context.Context, name string, paused bool) ([]rota.SessionID, error) {
	return written(ctx, s, "pause node", func(t *tx) ([]rota.SessionID, error) {
		n, err := t.exec(`UPDATE node SET paused = ?2 WHERE key IN (SELECT key FROM node WHERE name = ?1)`, name, flag(paused))
		if err == nil && n == 0 {
			err = noNode(name)
		}
		if err != nil {
			return nil, err
		}
		return t.openSessions(name)
	})
}

func noNode(name string) error {
	return rota.Errorf(rota.ErrNotFound, "node %q: there is none", name).WithFix("rota node ls")
}

// openSessions are a node's sessions that are open.
func (t *tx) openSessions(node string) (open []rota.SessionID, err error) {
	err = t.query(func(r *sql.Rows) error {
		var id rota.SessionID
		err := r.Scan((*string)(&id))
		open = append(open, id)
		return err
	}, `SELECT name FROM session WHERE node = ?1 AND state = 1 ORDER BY id`, node)
	return open, err
}

// RemoveNode forgets a node.
func (s *Store) RemoveNode(ctx context.Context, name string, lost bool) error {
	return s.write(ctx, "remove node", func(t *tx) error { return t.removeNode(name, lost) })
}

// removeNode holds the node's row before it looks at its sessions: one that opens meanwhile waits for it, or is seen.
func (t *tx) removeNode(name string, lost bool) error {
	if lost {
		if _, err := t.exec(`UPDATE session SET state = 2 WHERE node = ?1 AND state = 5`, name); err != nil {
			return err
		}
	}
	n, err := t.exec(`UPDATE node SET seen = seen WHERE name = ?1`, name)
	if err == nil && n == 0 {
		err = noNode(name)
	}
	if err != nil {
		return err
	}
	if err := t.mayRun(name); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM node WHERE name = ?1`, name); err != nil {
		return err
	}
	_, err = t.exec(`DELETE FROM node_sample WHERE node = ?1`, name)
	return err
}

// mayRun refuses to forget a node that may still run something.
func (t *tx) mayRun(name string) error {
	open, err := t.one(`SELECT 1 FROM session WHERE node = ?1 AND (state = 1 OR state = 4) LIMIT 1`, []any{name}, new(int))
	if err != nil {
		return err
	}
	if open {
		return rota.Errorf(rota.ErrConflict, "node %s is neither down nor known to be lost", name).
			WithFix("rota node drain %s; or, if its machine is gone, wait until rota node ls shows it as lost", name)
	}
	var running int
	if _, err := t.one(`SELECT count(*) FROM session s JOIN task t ON t.session = s.id AND t.state = 5 WHERE s.node = ?1 AND s.state = 5`,
		[]any{name}, &running); err != nil || running == 0 {
		return err
	}
	return rota.Errorf(rota.ErrConflict, "node %s is lost, and what may go on there without the store is not given up: running: %d", name, running).
		WithFix("start it again; or, if it never comes back, rota node rm --lost %s", name)
}
