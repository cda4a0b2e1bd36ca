package api

import (
	"context"

	"github.com/rotaqueue/rota"
)

func jobPath(job rota.JobID) string { return "/jobs/" + job.String() }

func submit(ctx context.Context, svc rota.Service, in *body[rota.Submission]) (*body[rota.Submitted], error) {
	return answer(svc.Submit(ctx, in.Body))
}

// Submit returns when the job is durable. With a Key it is sent again when the connection breaks.
func (c *Client) Submit(ctx context.Context, s rota.Submission) (out rota.Submitted, err error) {
	err = c.do(ctx, call{method: "POST", path: "/jobs", in: &s, exact: true, out: &out, again: s.Key != ""})
	return out, err
}

type uploadRequest struct {
	Job  rota.JobID `path:"job" minimum:"1" doc:"the job's number"`
	Body rota.Part
}

func upload(ctx context.Context, svc rota.Service, in *uploadRequest) (*body[rota.Submitted], error) {
	return answer(svc.Upload(ctx, in.Job, in.Body))
}

// Upload adds a part to a job submitted with More.
func (c *Client) Upload(ctx context.Context, job rota.JobID, part rota.Part) (out rota.Submitted, err error) {
	err = c.do(ctx, call{method: "POST", path: jobPath(job) + "/parts", in: &part, exact: true, out: &out})
	return out, err
}

type getJobRequest struct {
	Job rota.JobID `path:"job" minimum:"1" doc:"the job's number"`
}

func getJob(ctx context.Context, svc rota.Service, in *getJobRequest) (*body[rota.Job], error) {
	return answer(svc.Job(ctx, in.Job))
}

// Job is a job.
func (c *Client) Job(ctx context.Context, id rota.JobID) (out rota.Job, err error) {
	err = c.do(ctx, call{method: "GET", path: jobPath(id), out: &out, again: true})
	return out, err
}

type listJobsRequest struct {
	FilterParams
	Before rota.JobID `query:"before" doc:"only jobs older than this one: the last of the page before"`
	After  rota.JobID `query:"after" doc:"only jobs newer than this one"`
	Oldest bool       `query:"oldest" doc:"oldest first"`
	Active bool       `query:"active" doc:"only jobs that have not ended"`
	Many   bool       `query:"many" doc:"only jobs whose tasks are elements: arrays, and those with a task a line"`
	Max    int        `query:"max" minimum:"0" doc:"at most so many; default 100"`
}

type jobList struct {
	Jobs []rota.Job `json:"jobs" nullable:"false"`
}

func listJobs(ctx context.Context, svc rota.Service, in *listJobsRequest) (*body[jobList], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	jobs, err := svc.Jobs(ctx, rota.JobQuery{Filter: f, Before: in.Before, After: in.After, Oldest: in.Oldest, Active: in.Active, Many: in.Many, Max: in.Max})
	return answer(jobList{full(jobs)}, err)
}

// Jobs are the jobs that a query selects, newest first.
func (c *Client) Jobs(ctx context.Context, q rota.JobQuery) ([]rota.Job, error) {
	var out jobList
	params := query().filter(&q.Filter).number("before", int64(q.Before)).number("after", int64(q.After)).flag("oldest", q.Oldest).
		flag("active", q.Active).flag("many", q.Many).number("max", int64(q.Max))
	err := c.do(ctx, call{method: "GET", path: "/jobs", query: params, out: &out, again: true})
	return out.Jobs, err
}

// full is a list that is written as [] rather than null when it is empty.
func full[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
