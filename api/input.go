package api

import (
	"context"

	"github.com/rotaqueue/rota"
)

type inputRequest struct {
	Job    rota.JobID `path:"job" minimum:"1" doc:"the job's number"`
	Offset int64      `query:"offset" minimum:"0" doc:"of the first byte"`
	Max    int        `query:"max" minimum:"0" doc:"bytes at most; default: the server's choice"`
}

type inputPiece struct {
	Data []byte `json:"data"`
	Size int64  `json:"size" doc:"length of the whole"`
}

func input(ctx context.Context, svc rota.Service, in *inputRequest) (*body[inputPiece], error) {
	data, size, err := svc.Input(ctx, in.Job, in.Offset, in.Max)
	return answer(inputPiece{data, size}, err)
}

// Input is a piece of a job's uploaded standard input, and its whole length.
func (c *Client) Input(ctx context.Context, job rota.JobID, offset int64, max int) ([]byte, int64, error) {
	var out inputPiece
	params := query().number("offset", offset).number("max", int64(max))
	err := c.do(ctx, call{method: "GET", path: jobPath(job) + "/input", query: params, out: &out, again: true})
	return out.Data, out.Size, err
}
