package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"

	"github.com/rotaqueue/rota"
)

// settledNode is what a node says of itself, with what was settled for it.
func settledNode(name string, doc []byte, settings string) (n rota.Node, s rota.NodeSettings, err error) {
	if err = json.Unmarshal(doc, &n); err == nil && settings != "" {
		err = json.Unmarshal([]byte(settings), &s)
	}
	n.Name = name
	return n.With(s), s, err
}

// settledNodes are what the nodes offer, by name. Like the lanes they change rarely, and a writer remembers them.
func (t *tx) settledNodes() (map[string]*rota.Node, error) {
	if t.w.nodes != nil {
		return t.w.nodes, nil
	}
	all := map[string]*rota.Node{}
	err := t.query(func(r *sql.Rows) error {
		var name, settings string
		var doc []byte
		if err := r.Scan(&name, &doc, &settings); err != nil {
			return err
		}
		n, s, err := settledNode(name, doc, settings)
		if len(s.Queues) == 0 {
			n.Queues = nil // those of each claim hold
		}
		all[name] = &n
		return err
	}, `SELECT name, doc, coalesce(settings, '') FROM node`)
	if err == nil {
		t.w.nodes = all
	}
	return all, err
}

// offersAnew forgets what is remembered of a node that is about to say something else of itself.
func (t *tx) offersAnew(n *rota.Node) error {
	var doc []byte
	var was rota.Node
	found, err := t.one(`SELECT doc FROM node WHERE name = ?1`, []any{n.Name}, &doc)
	if err == nil && found {
		err = json.Unmarshal(doc, &was)
	}
	if err != nil || found && maps.Equal(was.Labels, n.Labels) && maps.Equal(was.Offers, n.Offers) && was.NoShell == n.NoShell {
		return err
	}
	if !found && len(n.Labels) == 0 && len(n.Offers) == 0 && !n.NoShell {
		return nil
	}
	return t.reshape()
}

// ChangeNode changes settings of a node.
func (s *Store) ChangeNode(ctx context.Context, name string, c rota.NodeChange) (rota.Node, error) {
	err := s.write(ctx, "change node", func(t *tx) error {
		var text string
		found, err := t.one(`SELECT coalesce(settings, '') FROM node WHERE name = ?1 /*pg FOR UPDATE */`, []any{name}, &text)
		if err == nil && !found {
			err = noNode(name)
		}
		if err != nil {
			return err
		}
		var old rota.NodeSettings
		if text != "" {
			if err := json.Unmarshal([]byte(text), &old); err != nil {
				return err
			}
		}
		settings, err := jsonText(old.Changed(c))
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE node SET settings = ?2 WHERE name = ?1`, name, settings); err != nil {
			return err
		}
		return t.reshape()
	})
	if err != nil {
		return rota.Node{}, err
	}
	all, err := s.Nodes(ctx)
	for _, n := range all {
		if n.Name == name {
			return n, err
		}
	}
	return rota.Node{}, err
}
