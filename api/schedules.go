package api

import (
	"context"
	"net/url"

	"github.com/rotaqueue/rota"
)

// scheduleRequest is what of a schedule its giver decides; the rest is the server's.
type scheduleRequest struct {
	Name     string        `json:"name" doc:"a # at the end of a new one's becomes a number"`
	Expr     string        `json:"expr" doc:"five or six fields as cron has them, @daily and the like, @every 90s, @at TIME, or @once"`
	Zone     string        `json:"zone,omitempty" doc:"time zone of the expression, for example Europe/Berlin"`
	Spec     rota.Spec     `json:"spec"`
	On       string        `json:"on,omitempty" doc:"where its jobs run: any (default), all, or a node's name"`
	Overlap  rota.Overlap  `json:"overlap,omitempty" doc:"when a job of an earlier fire has not ended: skip (default), queue, allow or replace"`
	Missed   rota.Missed   `json:"missed,omitempty" doc:"due times that passed while nobody fired: skip, once (default) or all are made up for"`
	Deadline rota.Duration `json:"deadline,omitempty" doc:"how late they still are; default 1h"`
	Jitter   rota.Duration `json:"jitter,omitempty" doc:"each fire starts up to so much later"`
	Spread   rota.Duration `json:"spread,omitempty" doc:"all its fires start later by a part of this that its name decides"`
	Calendar string        `json:"calendar,omitempty" doc:"days on which it is not due, one a line"`
	Alarm    rota.Alarm    `json:"alarm,omitzero"`
	Paused   bool          `json:"paused,omitempty"`
	Origin   string        `json:"origin,omitempty" doc:"the line of a crontab that it was imported from"`
	Held     bool          `json:"held,omitempty" doc:"imported, and not taken over yet"`
	Ended    bool          `json:"ended,omitempty" doc:"never due any more, and kept to be looked at"`
	By       string        `json:"by,omitempty" doc:"whose jobs they are; default: who asks"`
	Version  int           `json:"version,omitempty" doc:"of the schedule that this one replaces; 0: create"`
}

func (s *scheduleRequest) schedule() rota.Schedule {
	return rota.Schedule{Name: s.Name, Expr: s.Expr, Zone: s.Zone, Spec: s.Spec, On: s.On, Overlap: s.Overlap, Missed: s.Missed,
		Deadline: s.Deadline, Jitter: s.Jitter, Spread: s.Spread, Calendar: s.Calendar, Alarm: s.Alarm, Paused: s.Paused,
		Origin: s.Origin, Held: s.Held, Ended: s.Ended, By: s.By, Version: s.Version}
}

func requestOf(s *rota.Schedule) scheduleRequest {
	return scheduleRequest{Name: s.Name, Expr: s.Expr, Zone: s.Zone, Spec: s.Spec, On: s.On, Overlap: s.Overlap, Missed: s.Missed,
		Deadline: s.Deadline, Jitter: s.Jitter, Spread: s.Spread, Calendar: s.Calendar, Alarm: s.Alarm, Paused: s.Paused,
		Origin: s.Origin, Held: s.Held, Ended: s.Ended, By: s.By, Version: s.Version}
}

type scheduleList struct {
	Schedules []rota.Schedule `json:"schedules" nullable:"false"`
}

func putSchedule(ctx context.Context, svc rota.Service, in *body[scheduleRequest]) (*body[rota.Schedule], error) {
	return answer(svc.PutSchedule(ctx, in.Body.schedule()))
}

// PutSchedule creates a schedule, or replaces the one of that name.
func (c *Client) PutSchedule(ctx context.Context, s rota.Schedule) (out rota.Schedule, err error) {
	in := requestOf(&s)
	err = c.do(ctx, call{method: "POST", path: "/schedules", in: &in, exact: true, out: &out})
	return out, err
}

func listSchedules(ctx context.Context, svc rota.Service, _ *nothing) (*body[scheduleList], error) {
	schedules, err := svc.Schedules(ctx)
	return answer(scheduleList{full(schedules)}, err)
}

// Schedules are all schedules.
func (c *Client) Schedules(ctx context.Context) ([]rota.Schedule, error) {
	var out scheduleList
	err := c.do(ctx, call{method: "GET", path: "/schedules", out: &out, again: true})
	return out.Schedules, err
}

type scheduleName struct {
	Name string `path:"schedule"`
}

func getSchedule(ctx context.Context, svc rota.Service, in *scheduleName) (*body[rota.ScheduleRecord], error) {
	r, err := svc.Schedule(ctx, in.Name)
	r.Fires, r.Log = full(r.Fires), full(r.Log)
	return answer(r, err)
}

// Schedule is a schedule with its latest fires and alarms.
func (c *Client) Schedule(ctx context.Context, name string) (out rota.ScheduleRecord, err error) {
	err = c.do(ctx, call{method: "GET", path: "/schedules/" + url.PathEscape(name), out: &out, again: true})
	return out, err
}

func fireSchedule(ctx context.Context, svc rota.Service, in *scheduleName) (*body[rota.Fire], error) {
	return answer(svc.FireSchedule(ctx, in.Name))
}

// FireSchedule fires a schedule now.
func (c *Client) FireSchedule(ctx context.Context, name string) (out rota.Fire, err error) {
	err = c.do(ctx, call{method: "POST", path: "/schedules/" + url.PathEscape(name) + "/fire", out: &out})
	return out, err
}

func dropSchedule(ctx context.Context, svc rota.Service, in *scheduleName) (*nothing, error) {
	return done(svc.DropSchedule(ctx, in.Name))
}

// DropSchedule removes a schedule.
func (c *Client) DropSchedule(ctx context.Context, name string) error {
	return c.do(ctx, call{method: "DELETE", path: "/schedules/" + url.PathEscape(name)})
}
