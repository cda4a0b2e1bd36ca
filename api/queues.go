package api

import (
	"context"
	"net/url"

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
