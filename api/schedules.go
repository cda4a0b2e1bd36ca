package api

import (
	"context"
	"net/url"

	"github.com/rotaqueue/rota"
)

// scheduleRequest is what of a schedule its giver decides; the rest is the server's.
type scheduleRequest struct {
	Name    string       `json:"name"`
	Expr    string       `json:"expr" doc:"five fields as cron has them, @daily and the like, or @every 90s"`
	Zone    string       `json:"zone,omitempty" doc:"time zone of the expression, for example Europe/Berlin"`
	Spec    rota.Spec    `json:"spec"`
	Overlap rota.Overlap `json:"overlap,omitempty" doc:"what happens when the job of the fire before has not ended"`
	Paused  bool         `json:"paused,omitempty"`
	By      string       `json:"by,omitempty" doc:"whose jobs they are; default: who asks"`
	Version int          `json:"version,omitempty" doc:"of the schedule that this one replaces; 0: create"`
}

type scheduleList struct {
	Schedules []rota.Schedule `json:"schedules" nullable:"false"`
}

func putSchedule(ctx context.Context, svc rota.Service, in *body[scheduleRequest]) (*body[rota.Schedule], error) {
	s := in.Body
	return answer(svc.PutSchedule(ctx, rota.Schedule{Name: s.Name, Expr: s.Expr, Zone: s.Zone, Spec: s.Spec,
		Overlap: s.Overlap, Paused: s.Paused, By: s.By, Version: s.Version}))
}

// PutSchedule creates a schedule, or replaces the one of that name.
func (c *Client) PutSchedule(ctx context.Context, s rota.Schedule) (out rota.Schedule, err error) {
	in := scheduleRequest{s.Name, s.Expr, s.Zone, s.Spec, s.Overlap, s.Paused, s.By, s.Version}
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

type dropScheduleRequest struct {
	Name string `path:"schedule"`
}

func dropSchedule(ctx context.Context, svc rota.Service, in *dropScheduleRequest) (*nothing, error) {
	return done(svc.DropSchedule(ctx, in.Name))
}

// DropSchedule removes a schedule.
func (c *Client) DropSchedule(ctx context.Context, name string) error {
	return c.do(ctx, call{method: "DELETE", path: "/schedules/" + url.PathEscape(name)})
}
