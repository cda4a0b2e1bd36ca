package api

import (
	"context"
	"net/url"
	"time"

	"github.com/rotaqueue/rota"
)

func sessionPath(id rota.SessionID) string { return "/sessions/" + url.PathEscape(string(id)) }

func openSession(ctx context.Context, svc rota.Service, in *body[rota.Opening]) (*body[rota.Opened], error) {
	return answer(svc.OpenSession(ctx, in.Body))
}

// OpenSession registers a node and opens its session.
func (c *Client) OpenSession(ctx context.Context, o rota.Opening) (out rota.Opened, err error) {
	err = c.do(ctx, call{method: "POST", path: "/sessions", in: &o, out: &out})
	return out, err
}

type closeSessionRequest struct {
	Session rota.SessionID `path:"session"`
}

func closeSession(ctx context.Context, svc rota.Service, in *closeSessionRequest) (*nothing, error) {
	return done(svc.CloseSession(ctx, in.Session))
}

// CloseSession ends a session cleanly.
func (c *Client) CloseSession(ctx context.Context, id rota.SessionID) error {
	return c.do(ctx, call{method: "DELETE", path: sessionPath(id)})
}

type awaitRequest struct {
	Session rota.SessionID `path:"session"`
	Wait    durationText   `query:"wait" doc:"how long to wait; a minute at most"`
}

func await(ctx context.Context, svc rota.Service, in *awaitRequest) (*body[rota.News], error) {
	return answer(svc.Await(ctx, in.Session, atMost(in.Wait)))
}

// Await returns when the session may find work, when one of its attempts is asked to end, when its node is asked to
// drain, to pause or to go on, or when the wait is over.
func (c *Client) Await(ctx context.Context, id rota.SessionID, wait time.Duration) (out rota.News, err error) {
	err = c.do(ctx, call{method: "GET", path: sessionPath(id) + "/news", query: query().wait(wait), out: &out, again: true})
	return out, err
}

func renew(ctx context.Context, svc rota.Service, in *body[rota.Renewal]) (*body[rota.Renewed], error) {
	return answer(svc.Renew(ctx, in.Body))
}

// Renew keeps a session's lease. It is sent once: when it was sent is what the lease is reckoned from (P2).
func (c *Client) Renew(ctx context.Context, r rota.Renewal) (out rota.Renewed, err error) {
	err = c.do(ctx, call{method: "POST", path: "/renewals", in: &r, out: &out})
	return out, err
}

func exchange(ctx context.Context, svc rota.Service, in *body[rota.Exchange]) (*body[rota.Exchanged], error) {
	return answer(svc.Exchange(ctx, in.Body))
}

// Exchange finishes what ended and claims what fits. It is sent once; the node repeats it under its number (P5).
func (c *Client) Exchange(ctx context.Context, x rota.Exchange) (out rota.Exchanged, err error) {
	err = c.do(ctx, call{method: "POST", path: "/exchanges", in: &x, out: &out})
	return out, err
}
