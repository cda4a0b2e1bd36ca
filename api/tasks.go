package api

import (
	"context"

	"github.com/rotaqueue/rota"
)

func taskPath(task rota.TaskID) string { return "/tasks/" + task.String() }

// taskDetail is a task with its earlier attempts.
type taskDetail struct {
	rota.Task
	Earlier []rota.Attempt `json:"earlier" nullable:"false" doc:"its earlier attempts, oldest first"`
}

type getTaskRequest struct {
	Task taskText `path:"task"`
}

func getTask(ctx context.Context, svc rota.Service, in *getTaskRequest) (*body[taskDetail], error) {
	t, earlier, err := svc.Task(ctx, in.Task.V)
	return answer(taskDetail{t, full(earlier)}, err)
}

// Task is a task and its earlier attempts, oldest first.
func (c *Client) Task(ctx context.Context, id rota.TaskID) (rota.Task, []rota.Attempt, error) {
	var out taskDetail
	err := c.do(ctx, call{method: "GET", path: taskPath(id), out: &out, again: true})
	return out.Task, out.Earlier, err
}

type listTasksRequest struct {
	FilterParams
	After  taskText `query:"after" doc:"only tasks behind this one in the order asked for: the last of the page before"`
	Newest bool     `query:"newest" doc:"newest first"`
	Max    int      `query:"max" minimum:"0" doc:"at most so many; default 100"`
}

type taskList struct {
	Tasks []rota.Task `json:"tasks" nullable:"false"`
}

func listTasks(ctx context.Context, svc rota.Service, in *listTasksRequest) (*body[taskList], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	tasks, err := svc.Tasks(ctx, rota.TaskQuery{Filter: f, After: in.After.V, Newest: in.Newest, Max: in.Max})
	return answer(taskList{full(tasks)}, err)
}

// Tasks are the tasks that a query selects.
func (c *Client) Tasks(ctx context.Context, q rota.TaskQuery) ([]rota.Task, error) {
	var out taskList
	params := query().filter(&q.Filter).text("after", q.After.String()).flag("newest", q.Newest).number("max", int64(q.Max))
	err := c.do(ctx, call{method: "GET", path: "/tasks", query: params, out: &out, again: true})
	return out.Tasks, err
}

type samplesRequest struct {
	Task    taskText `path:"task"`
	Attempt int      `query:"attempt" minimum:"0" doc:"default: the latest"`
}

func samples(ctx context.Context, svc rota.Service, in *samplesRequest) (*body[rota.Series], error) {
	series, err := svc.Samples(ctx, in.Task.V, in.Attempt)
	series.Points = full(series.Points)
	return answer(series, err)
}

// Samples are what an attempt of a task used over time.
func (c *Client) Samples(ctx context.Context, task rota.TaskID, attempt int) (out rota.Series, err error) {
	err = c.do(ctx, call{method: "GET", path: taskPath(task) + "/samples", query: query().number("attempt", int64(attempt)), out: &out, again: true})
	return out, err
}

type whyRequest struct {
	Task taskText `path:"task"`
}

func why(ctx context.Context, svc rota.Service, in *whyRequest) (*body[rota.Why], error) {
	w, err := svc.Why(ctx, in.Task.V)
	w.Reasons = full(w.Reasons)
	return answer(w, err)
}

// Why says what keeps a task from starting, what would change that, and when it is expected to start.
func (c *Client) Why(ctx context.Context, id rota.TaskID) (out rota.Why, err error) {
	err = c.do(ctx, call{method: "GET", path: taskPath(id) + "/why", out: &out, again: true})
	return out, err
}
