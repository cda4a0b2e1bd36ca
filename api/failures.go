package api

import (
	"context"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

type listFailuresRequest struct {
	FilterParams
	By  string `query:"by" enum:",error,queue,name,node,user" doc:"what they are grouped by; default error"`
	Max int    `query:"max" minimum:"0" doc:"at most so many groups; default 100"`
}

type failureList struct {
	Groups []rota.FailureGroup `json:"groups" nullable:"false"`
}

func listFailures(ctx context.Context, svc rota.Service, in *listFailuresRequest) (*body[failureList], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	groups, err := svc.Failures(ctx, rota.FailureQuery{Filter: f, By: rota.By(in.By), Max: in.Max})
	return answer(failureList{full(groups)}, err)
}

// Failures are failed tasks in groups.
func (c *Client) Failures(ctx context.Context, q rota.FailureQuery) ([]rota.FailureGroup, error) {
	var out failureList
	params := query().filter(&q.Filter).text("by", string(q.By)).number("max", int64(q.Max))
	err := c.do(ctx, call{method: "GET", path: "/failures", query: params, out: &out, again: true})
	return out.Groups, err
}

type usageRequest struct {
	By    string    `query:"by" doc:"user, queue, name, node and schedule, by commas; default user"`
	Since time.Time `query:"since" doc:"only attempts that ended from this time on; default: seven days ago"`
}

type usageList struct {
	Rows []rota.UsageRow `json:"rows" nullable:"false" doc:"most CPU time first"`
}

func usage(ctx context.Context, svc rota.Service, in *usageRequest) (*body[usageList], error) {
	q := rota.UsageQuery{Since: in.Since}
	if in.By != "" {
		for by := range strings.SplitSeq(in.By, ",") {
			q.By = append(q.By, rota.By(by))
		}
	}
	rows, err := svc.Usage(ctx, q)
	return answer(usageList{full(rows)}, err)
}

// Usage is what attempts took, and how long they waited.
func (c *Client) Usage(ctx context.Context, q rota.UsageQuery) ([]rota.UsageRow, error) {
	var out usageList
	by := make([]string, len(q.By))
	for i := range q.By {
		by[i] = string(q.By[i])
	}
	params := query().text("by", strings.Join(by, ",")).time("since", q.Since)
	err := c.do(ctx, call{method: "GET", path: "/usage", query: params, out: &out, again: true})
	return out.Rows, err
}
