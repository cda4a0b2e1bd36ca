package api

import (
	"context"
	"net/url"
	"time"

	"github.com/rotaqueue/rota"
)

type queueList struct {
	Queues []rota.Queue `json:"queues" nullable:"false"`
}

func listQueues(ctx context.Context, svc rota.Service, _ *nothing) (*body[queueList], error) {
	queues, err := svc.Queues(ctx)
	return answer(queueList{full(queues)}, err)
}

// Queues are all queues.
func (c *Client) Queues(ctx context.Context) ([]rota.Queue, error) {
	var out queueList
	err := c.do(ctx, call{method: "GET", path: "/queues", out: &out, again: true})
	return out.Queues, err
}

type changeQueueRequest struct {
	Name string `path:"queue" doc:"the queue's name; it is made if it is not there yet"`
	Body rota.QueueChange
}

func changeQueue(ctx context.Context, svc rota.Service, in *changeQueueRequest) (*body[rota.Queue], error) {
	return answer(svc.ChangeQueue(ctx, in.Name, in.Body))
}

// ChangeQueue changes settings of a queue, which is made if it is not there yet.
func (c *Client) ChangeQueue(ctx context.Context, name string, change rota.QueueChange) (out rota.Queue, err error) {
	err = c.do(ctx, call{method: "PATCH", path: "/queues/" + url.PathEscape(name), in: &change, exact: true, out: &out})
	return out, err
}

type renameQueueRequest struct {
	Name string `path:"queue" doc:"the queue's name"`
	Body struct {
		To string `json:"to" doc:"its name from now on"`
	}
}

func renameQueue(ctx context.Context, svc rota.Service, in *renameQueueRequest) (*body[rota.Queue], error) {
	return answer(svc.RenameQueue(ctx, in.Name, in.Body.To))
}

// RenameQueue gives a queue another name.
func (c *Client) RenameQueue(ctx context.Context, name, to string) (out rota.Queue, err error) {
	var in renameQueueRequest
	in.Body.To = to
	err = c.do(ctx, call{method: "POST", path: "/queues/" + url.PathEscape(name) + "/rename", in: &in.Body, out: &out})
	return out, err
}

type dropQueueRequest struct {
	Name string `path:"queue" doc:"the queue's name"`
}

func dropQueue(ctx context.Context, svc rota.Service, in *dropQueueRequest) (*nothing, error) {
	return done(svc.DropQueue(ctx, in.Name))
}

// DropQueue removes a queue in which nothing waits or runs.
func (c *Client) DropQueue(ctx context.Context, name string) error {
	return c.do(ctx, call{method: "DELETE", path: "/queues/" + url.PathEscape(name)})
}

type storeSamplesRequest struct {
	Since time.Time `query:"since" doc:"only samples from this time on"`
}

type storeSampleList struct {
	Samples []rota.StoreSample `json:"samples" nullable:"false" doc:"oldest first"`
}

func storeSamples(ctx context.Context, svc rota.Service, in *storeSamplesRequest) (*body[storeSampleList], error) {
	all, err := svc.StoreSamples(ctx, in.Since)
	return answer(storeSampleList{full(all)}, err)
}

// StoreSamples are what all queues together held since a time, as far as it is kept.
func (c *Client) StoreSamples(ctx context.Context, since time.Time) ([]rota.StoreSample, error) {
	var out storeSampleList
	err := c.do(ctx, call{method: "GET", path: "/samples", query: query().time("since", since), out: &out, again: true})
	return out.Samples, err
}
