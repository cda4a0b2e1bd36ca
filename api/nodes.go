package api

import (
	"context"
	"net/url"
	"time"

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

type drainNodeRequest struct {
	Node string `path:"node" doc:"the node's name"`
}

func drainNode(ctx context.Context, svc rota.Service, in *drainNodeRequest) (*nothing, error) {
	return done(svc.DrainNode(ctx, in.Node))
}

// DrainNode asks a node to claim nothing more, to let what runs end, and then to end itself.
func (c *Client) DrainNode(ctx context.Context, name string) error {
	return c.do(ctx, call{method: "POST", path: "/nodes/" + url.PathEscape(name) + "/drain"})
}

type nodeSamplesRequest struct {
	Node  string    `path:"node" doc:"the node's name"`
	Since time.Time `query:"since" doc:"only samples from this time on"`
}

type nodeSampleList struct {
	Samples []rota.NodeSample `json:"samples" nullable:"false" doc:"oldest first"`
}

func nodeSamples(ctx context.Context, svc rota.Service, in *nodeSamplesRequest) (*body[nodeSampleList], error) {
	all, err := svc.NodeSamples(ctx, in.Node, in.Since)
	return answer(nodeSampleList{full(all)}, err)
}

// NodeSamples are what a node and its machine did since a time, as far as it is kept.
func (c *Client) NodeSamples(ctx context.Context, node string, since time.Time) ([]rota.NodeSample, error) {
	var out nodeSampleList
	err := c.do(ctx, call{method: "GET", path: "/nodes/" + url.PathEscape(node) + "/samples", query: query().time("since", since), out: &out, again: true})
	return out.Samples, err
}
