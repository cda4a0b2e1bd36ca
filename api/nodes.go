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

func drainNode(ctx context.Context, svc rota.Service, in *nodeRequest) (*nothing, error) {
	return done(svc.DrainNode(ctx, in.Node))
}

// DrainNode asks a node to claim nothing more, to let what runs end, and then to end itself.
func (c *Client) DrainNode(ctx context.Context, name string) error {
	return c.do(ctx, call{method: "POST", path: "/nodes/" + url.PathEscape(name) + "/drain"})
}

type nodeRequest struct {
	Node string `path:"node" doc:"the node's name"`
}

type changeNodeRequest struct {
	Node string `path:"node" doc:"the node's name"`
	Body rota.NodeChange
}

func changeNode(ctx context.Context, svc rota.Service, in *changeNodeRequest) (*body[rota.Node], error) {
	return answer(svc.ChangeNode(ctx, in.Node, in.Body))
}

// ChangeNode changes settings of a node.
func (c *Client) ChangeNode(ctx context.Context, name string, change rota.NodeChange) (rota.Node, error) {
	var out rota.Node
	err := c.do(ctx, call{method: "PATCH", path: "/nodes/" + url.PathEscape(name), in: &change, exact: true, out: &out})
	return out, err
}

func pauseNode(ctx context.Context, svc rota.Service, in *nodeRequest) (*nothing, error) {
	return done(svc.PauseNode(ctx, in.Node, true))
}

func resumeNode(ctx context.Context, svc rota.Service, in *nodeRequest) (*nothing, error) {
	return done(svc.PauseNode(ctx, in.Node, false))
}

// PauseNode asks a node to claim nothing, or to go on.
func (c *Client) PauseNode(ctx context.Context, name string, paused bool) error {
	verb := map[bool]string{true: "/pause", false: "/resume"}[paused]
	return c.do(ctx, call{method: "POST", path: "/nodes/" + url.PathEscape(name) + verb})
}

type removeNodeRequest struct {
	Node string `path:"node" doc:"the node's name"`
	Lost bool   `query:"lost" doc:"it never comes back: what it was running is tried elsewhere, whatever it tolerates"`
}

func removeNode(ctx context.Context, svc rota.Service, in *removeNodeRequest) (*nothing, error) {
	return done(svc.RemoveNode(ctx, in.Node, in.Lost))
}

// RemoveNode takes a node that is down or lost off the list.
func (c *Client) RemoveNode(ctx context.Context, name string, lost bool) error {
	return c.do(ctx, call{method: "DELETE", path: "/nodes/" + url.PathEscape(name), query: query().flag("lost", lost)})
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
