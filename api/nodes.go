package api

import (
	"context"

	"github.com/rotaqueue/rota"
)

type nodeList struct {
	Nodes []rota.Node `json:"nodes" nullable:"false"`
}

func listNodes(ctx context.Context, svc rota.Service, _ *nothing) (*body[nodeList], error) {
	nodes, err := svc.Nodes(ctx)
	return answer(nodeList{full(nodes)}, err)
}

// Nodes are all nodes that the store knows.
func (c *Client) Nodes(ctx context.Context) ([]rota.Node, error) {
	var out nodeList
	err := c.do(ctx, call{method: "GET", path: "/nodes", out: &out, again: true})
	return out.Nodes, err
}
