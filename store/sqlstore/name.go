package sqlstore

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rotaqueue/rota"
)

const (
	renameFix = "rota up --name ANOTHER-NAME"
	forceFix  = renameFix + ", or, if that one is never to come back, rota up --force"
)

// ownName refuses a name that is another node's, unless that one is to be ousted. A node that comes back from its own
// folder has its key, and is never refused.
func (t *tx) ownName(o rota.Opening) error {
	var key string
	var doc []byte
	var seen int64
	found, err := t.one(`SELECT key, doc, seen FROM node WHERE name = ?1`, []any{o.Node.Name}, &key, &doc, &seen)
	switch {
	case err != nil || !found || key == o.Key:
		return err
	case o.Force:
		return t.oust(o.Node.Name, key)
	}
	var other rota.Node
	if err := json.Unmarshal(doc, &other); err != nil {
		return err
	}
	return rota.Errorf(rota.ErrConflict, "node %q: another node has this name, which was last seen at %s, %v ago%s", o.Node.Name,
		fromMicros(seen).Format(time.RFC3339), duration(max(t.now-seen, 0)).D().Round(time.Second), where(&other)).WithFix(forceFix)
}

// where is where a node runs, as far as it says.
func where(n *rota.Node) string {
	text := ""
	if n.Host != "" {
		text = " on " + n.Host
	}
	if n.Folder != "" {
		text += " with the data folder " + n.Folder
	}
	return text
}

// oust takes a node's name away. Its sessions are barred: they renew and claim nothing any more, and whoever watches them
// loses them when their time is over (P4). A node of which nothing is left is forgotten; another is seen under a name of its
// own until it comes back under yet another, or is removed.
func (t *tx) oust(name, key string) error {
	left, err := t.one(`SELECT 1 FROM session WHERE key = ?1 AND state <> 2 AND state <> 3 LIMIT 1`, []any{key}, new(int))
	if err != nil {
		return err
	}
	if !left {
		_, err := t.exec(`DELETE FROM node WHERE name = ?1 AND key = ?2`, name, key)
		return err
	}
	next, err := t.freeName(name)
	if err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE session SET node = ?1, state = CASE WHEN state = 1 THEN 4 ELSE state END
		WHERE key = ?2 AND state <> 2 AND state <> 3`, next, key); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE node SET name = ?1 WHERE name = ?2 AND key = ?3`, next, name, key); err != nil {
		return err
	}
	_, err = t.exec(`UPDATE node_sample SET node = ?1 WHERE node = ?2`, next, name)
	return err
}

// freeName is the first of name.1, name.2 and so on that no node has.
func (t *tx) freeName(name string) (string, error) {
	for n := 1; ; n++ {
		end := fmt.Sprintf(".%d", n)
		next := name[:min(len(name), rota.MaxQueueName-1-len(end))] + end
		if taken, err := t.one(`SELECT 1 FROM node WHERE name = ?1`, []any{next}, new(int)); err != nil || !taken {
			return next, err
		}
	}
}
