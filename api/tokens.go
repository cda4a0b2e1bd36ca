package api

import (
	"context"
	"strconv"
	"time"

	"github.com/rotaqueue/rota"
)

// tokenRequest is what of a token its giver decides; the rest is the server's.
type tokenRequest struct {
	Name    string    `json:"name"`
	Role    rota.Role `json:"role"`
	Node    string    `json:"node,omitempty" doc:"role node: the only node that may use it; default: the first that does"`
	Expires time.Time `json:"expires,omitzero" doc:"default: never"`
	User    string    `json:"user,omitempty" doc:"whose it is: it has no more rights than that user, and goes with the user"`
	Queues  string    `json:"queues,omitempty" doc:"the role holds for these queues only: patterns with commas, ! excludes"`
}

type tokenList struct {
	Tokens []rota.Token `json:"tokens" nullable:"false"`
}

func createToken(ctx context.Context, svc rota.Service, in *body[tokenRequest]) (*body[rota.Token], error) {
	return answer(svc.CreateToken(ctx, rota.Token{Name: in.Body.Name, Role: in.Body.Role, Node: in.Body.Node, Expires: in.Body.Expires,
		User: in.Body.User, Queues: in.Body.Queues}))
}

// CreateToken makes a token; the answer alone has the secret.
func (c *Client) CreateToken(ctx context.Context, t rota.Token) (out rota.Token, err error) {
	err = c.do(ctx, call{method: "POST", path: "/tokens", in: &tokenRequest{t.Name, t.Role, t.Node, t.Expires, t.User, t.Queues}, out: &out})
	return out, err
}

func listTokens(ctx context.Context, svc rota.Service, _ *nothing) (*body[tokenList], error) {
	tokens, err := svc.Tokens(ctx)
	return answer(tokenList{full(tokens)}, err)
}

// Tokens are all tokens, without their secrets.
func (c *Client) Tokens(ctx context.Context) ([]rota.Token, error) {
	var out tokenList
	err := c.do(ctx, call{method: "GET", path: "/tokens", out: &out, again: true})
	return out.Tokens, err
}

type dropTokenRequest struct {
	ID int64 `path:"token" doc:"the token's number"`
}

func dropToken(ctx context.Context, svc rota.Service, in *dropTokenRequest) (*nothing, error) {
	return done(svc.DropToken(ctx, in.ID))
}

// DropToken withdraws a token.
func (c *Client) DropToken(ctx context.Context, id int64) error {
	return c.do(ctx, call{method: "DELETE", path: "/tokens/" + strconv.FormatInt(id, 10)})
}
