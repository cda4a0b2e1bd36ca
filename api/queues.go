package api

import (
	"context"

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
