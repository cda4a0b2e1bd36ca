package api

import (
	"context"
	"strconv"
	"time"

	"github.com/rotaqueue/rota"
)

type outputRequest struct {
	Task    taskText     `path:"task"`
	Stream  rota.Stream  `query:"stream" default:"stdout"`
	Attempt int          `query:"attempt" minimum:"0" doc:"default: the latest"`
	Wait    durationText `query:"wait" doc:"how long to wait; a minute at most"`
	Offset  int64        `query:"offset" doc:"of the first byte; negative: so many before the end"`
	Max     int          `query:"max" minimum:"0" doc:"bytes at most; default: the server's choice"`
}

func output(ctx context.Context, svc rota.Service, in *outputRequest) (*body[rota.Output], error) {
	q := rota.OutputQuery{Task: in.Task.V, Attempt: in.Attempt, Stream: in.Stream, Offset: in.Offset, Max: in.Max}
	return answer(svc.Output(ctx, q, atMost(in.Wait)))
}

// Output is a piece of a task's output, live while it runs.
func (c *Client) Output(ctx context.Context, q rota.OutputQuery, wait time.Duration) (out rota.Output, err error) {
	params := query().text("stream", string(q.Stream)).number("attempt", int64(q.Attempt)).number("offset", q.Offset).
		number("max", int64(q.Max)).wait(wait)
	err = c.do(ctx, call{method: "GET", path: taskPath(q.Task) + "/output", query: params, out: &out, again: true})
	return out, err
}

type keepOutputRequest struct {
	Task    taskText `path:"task"`
	Attempt int      `path:"attempt" minimum:"1"`
	Body    chunkList
}

type chunkList struct {
	Chunks []rota.Chunk `json:"chunks" nullable:"false"`
}

func keepOutput(ctx context.Context, svc rota.Service, in *keepOutputRequest) (*nothing, error) {
	return done(svc.KeepOutput(ctx, rota.Try{Task: in.Task.V, Attempt: in.Attempt}, in.Body.Chunks))
}

// KeepOutput keeps pieces of a running attempt's output before its finish.
func (c *Client) KeepOutput(ctx context.Context, try rota.Try, chunks []rota.Chunk) error {
	path := taskPath(try.Task) + "/attempts/" + strconv.Itoa(try.Attempt) + "/output"
	return c.do(ctx, call{method: "POST", path: path, in: chunkList{full(chunks)}})
}

type shownOutput struct {
	Look   rota.Look   `json:"look"`
	Output rota.Output `json:"output"`
}

func showOutput(ctx context.Context, svc rota.Service, in *body[shownOutput]) (*nothing, error) {
	return done(svc.ShowOutput(ctx, in.Body.Look, in.Body.Output))
}

// ShowOutput answers a look that Await has told of.
func (c *Client) ShowOutput(ctx context.Context, l rota.Look, out rota.Output) error {
	return c.do(ctx, call{method: "POST", path: "/looks", in: &shownOutput{l, out}})
}
