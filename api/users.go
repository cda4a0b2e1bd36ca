package api

import (
	"context"
	"net/url"

	"github.com/rotaqueue/rota"
)

func userPath(name string) string { return "/users/" + url.PathEscape(name) }

type userList struct {
	Users []rota.User `json:"users" nullable:"false"`
}

func listUsers(ctx context.Context, svc rota.Service, _ *nothing) (*body[userList], error) {
	all, err := svc.Users(ctx)
	return answer(userList{full(all)}, err)
}

// Users are all users.
func (c *Client) Users(ctx context.Context) ([]rota.User, error) {
	var out userList
	err := c.do(ctx, call{method: "GET", path: "/users", out: &out, again: true})
	return out.Users, err
}

type putUserRequest struct {
	Name string `path:"user" doc:"the user's name"`
	Body rota.UserChange
}

func putUser(ctx context.Context, svc rota.Service, in *putUserRequest) (*body[rota.User], error) {
	return answer(svc.PutUser(ctx, in.Name, in.Body))
}

// PutUser creates a user, or changes one.
func (c *Client) PutUser(ctx context.Context, name string, ch rota.UserChange) (out rota.User, err error) {
	err = c.do(ctx, call{method: "PATCH", path: userPath(name), in: &ch, exact: true, out: &out})
	return out, err
}

type dropUserRequest struct {
	Name string `path:"user" doc:"the user's name"`
}

func dropUser(ctx context.Context, svc rota.Service, in *dropUserRequest) (*nothing, error) {
	return done(svc.DropUser(ctx, in.Name))
}

// DropUser removes a user.
func (c *Client) DropUser(ctx context.Context, name string) error {
	return c.do(ctx, call{method: "DELETE", path: userPath(name)})
}

type loginRequest struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

func login(ctx context.Context, svc rota.Service, in *body[loginRequest]) (*body[rota.Token], error) {
	return answer(svc.Login(ctx, in.Body.User, in.Body.Password))
}

// Login gives a token for a user's name and password.
func (c *Client) Login(ctx context.Context, name, password string) (out rota.Token, err error) {
	err = c.do(ctx, call{method: "POST", path: "/login", in: &loginRequest{name, password}, exact: true, out: &out})
	return out, err
}

func createLink(ctx context.Context, svc rota.Service, _ *nothing) (*body[rota.Link], error) {
	return answer(svc.CreateLink(ctx))
}

// CreateLink makes a link that lets its bearer in once.
func (c *Client) CreateLink(ctx context.Context) (out rota.Link, err error) {
	err = c.do(ctx, call{method: "POST", path: "/links", out: &out})
	return out, err
}

type redeemRequest struct {
	Secret string `json:"secret"`
}

func redeem(ctx context.Context, svc rota.Service, in *body[redeemRequest]) (*body[rota.Token], error) {
	return answer(svc.Redeem(ctx, in.Body.Secret))
}

// Redeem gives the token for a link, once.
func (c *Client) Redeem(ctx context.Context, secret string) (out rota.Token, err error) {
	err = c.do(ctx, call{method: "POST", path: "/links/redeem", in: &redeemRequest{secret}, out: &out})
	return out, err
}

type auditRequest struct {
	By     string `query:"by" doc:"whose deeds"`
	What   string `query:"what" doc:"the verb"`
	Before int64  `query:"before" minimum:"0" doc:"only lines older than this one: the last of the page before"`
	Max    int    `query:"max" minimum:"0" doc:"at most so many; default 100"`
}

type deedList struct {
	Deeds []rota.Deed `json:"deeds" nullable:"false"`
}

func audit(ctx context.Context, svc rota.Service, in *auditRequest) (*body[deedList], error) {
	all, err := svc.Audit(ctx, rota.DeedQuery{By: in.By, What: in.What, Before: in.Before, Max: in.Max})
	return answer(deedList{full(all)}, err)
}

// Audit is what was changed by whom, newest first.
func (c *Client) Audit(ctx context.Context, q rota.DeedQuery) ([]rota.Deed, error) {
	var out deedList
	params := query().text("by", q.By).text("what", q.What).number("before", q.Before).number("max", int64(q.Max))
	err := c.do(ctx, call{method: "GET", path: "/audit", query: params, out: &out, again: true})
	return out.Deeds, err
}
