package api

import (
	"context"
	"strings"

	"github.com/rotaqueue/rota"
)

type listEdgesRequest struct {
	Of     string     `query:"of" doc:"only those at one of these jobs, by commas"`
	Before rota.JobID `query:"before" doc:"only those of jobs older than this one: the last of the page before"`
	Max    int        `query:"max" minimum:"0" doc:"at most so many; default 100"`
}

type edgeList struct {
	Edges []rota.Edge `json:"edges" nullable:"false"`
}

func listEdges(ctx context.Context, svc rota.Service, in *listEdgesRequest) (*body[edgeList], error) {
	q := rota.EdgeQuery{Before: in.Before, Max: in.Max}
	if in.Of != "" {
		for text := range strings.SplitSeq(in.Of, ",") {
			id, err := rota.ParseJobID(text)
			if err != nil {
				return nil, rota.Invalid("query.of: %v", err)
			}
			q.Of = append(q.Of, id)
		}
	}
	edges, err := svc.Edges(ctx, q)
	return answer(edgeList{full(edges)}, err)
}

// Edges are which jobs run, or ran, after which, newest first.
func (c *Client) Edges(ctx context.Context, q rota.EdgeQuery) ([]rota.Edge, error) {
	var out edgeList
	of := make([]string, len(q.Of))
	for i, id := range q.Of {
		of[i] = id.String()
	}
	params := query().text("of", strings.Join(of, ",")).number("before", int64(q.Before)).number("max", int64(q.Max))
	err := c.do(ctx, call{method: "GET", path: "/edges", query: params, out: &out, again: true})
	return out.Edges, err
}
