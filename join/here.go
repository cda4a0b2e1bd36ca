package join

import (
	"context"
	"time"

	"github.com/rotaqueue/rota"
)

// HereRoutes are the routes of the API that a Here answers. It has no methods for the others: see api.Elsewhere.
var HereRoutes = []string{"status", "list-nodes", "node-samples", "drain-node"}

// Here is what a node without a store says of itself, to its owner: to who asks with no token. The node's own token does
// not make its owner somebody to the servers.
type Here struct {
	rota.Service                  // nil
	Node         func() rota.Node // as it is now
	Drain        func()           // lets what runs end, and then the node
}

// Status is the node's and nobody else's: there is no store.
func (h Here) Status(ctx context.Context) (rota.Status, error) {
	p, _ := rota.PrincipalOf(ctx)
	n := h.self()
	return rota.Status{Version: rota.Version, Principal: p, Node: n.Name, Running: n.Running}, nil
}

// Nodes is the node alone.
func (h Here) Nodes(context.Context) ([]rota.Node, error) { return []rota.Node{h.self()}, nil }

// NodeSamples are not kept here.
func (h Here) NodeSamples(_ context.Context, node string, _ time.Time) ([]rota.NodeSample, error) {
	return nil, h.own(node)
}

// DrainNode drains the node. Nobody else is told, but by its renewals.
func (h Here) DrainNode(_ context.Context, name string) error {
	if err := h.own(name); err != nil {
		return err
	}
	h.Drain()
	return nil
}

func (h Here) self() rota.Node {
	n := h.Node()
	n.Joined = true
	return n
}

func (h Here) own(node string) error {
	if node == h.Node().Name {
		return nil
	}
	return rota.Errorf(rota.ErrNotFound, "node %q: this one knows only itself, %s", node, h.Node().Name).
		WithFix("ask a server: --server ADDRESS --token-file FILE")
}
