package api

import (
	"context"

	"github.com/rotaqueue/rota"
)

func status(ctx context.Context, svc rota.Service, _ *nothing) (*body[rota.Status], error) {
	return answer(svc.Status(ctx))
}

// Status is what the server says of itself and of who asks.
func (c *Client) Status(ctx context.Context) (out rota.Status, err error) {
	err = c.do(ctx, call{method: "GET", path: "/status", out: &out, again: true})
	return out, err
}
