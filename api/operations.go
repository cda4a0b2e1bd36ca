package api

import (
	"context"
	"strconv"

	"github.com/rotaqueue/rota"
)

// operationRequest is what of an operation its giver decides; the rest is the server's.
type operationRequest struct {
	Act    rota.Act    `json:"act"`
	Filter rota.Filter `json:"filter"`
	Edit   *rota.Edit  `json:"edit,omitempty" doc:"of the act edit: what it changes"`
	Reason string      `json:"reason,omitempty" doc:"kept with the tasks"`
	DryRun bool        `json:"dry_run,omitempty" doc:"only count"`
}

func operate(ctx context.Context, svc rota.Service, in *body[operationRequest]) (*body[rota.Operation], error) {
	o := in.Body
	return answer(svc.Operate(ctx, rota.Operation{Act: o.Act, Filter: o.Filter, Edit: o.Edit, Reason: o.Reason, DryRun: o.DryRun}))
}

// Operate acts on many tasks; small operations are done when it returns.
func (c *Client) Operate(ctx context.Context, op rota.Operation) (out rota.Operation, err error) {
	in := operationRequest{op.Act, op.Filter, op.Edit, op.Reason, op.DryRun}
	err = c.do(ctx, call{method: "POST", path: "/operations", in: &in, exact: op.Edit != nil, out: &out, again: op.DryRun})
	return out, err
}

type getOperationRequest struct {
	ID int64 `path:"operation" doc:"the operation's number"`
}

func getOperation(ctx context.Context, svc rota.Service, in *getOperationRequest) (*body[rota.Operation], error) {
	return answer(svc.Operation(ctx, in.ID))
}

// Operation is an operation and how far it is.
func (c *Client) Operation(ctx context.Context, id int64) (out rota.Operation, err error) {
	err = c.do(ctx, call{method: "GET", path: "/operations/" + strconv.FormatInt(id, 10), out: &out, again: true})
	return out, err
}
