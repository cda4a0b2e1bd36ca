package api

import (
	"context"

	"github.com/rotaqueue/rota"
)

type secretRequest struct {
	Name string `path:"secret" doc:"its name"`
	Body struct {
		Value string `json:"value"`
	}
}

type secretList struct {
	Secrets []rota.Secret `json:"secrets" nullable:"false"`
}

type dropSecretRequest struct {
	Name string `path:"secret" doc:"its name"`
}

func putSecret(ctx context.Context, svc rota.Service, in *secretRequest) (*nothing, error) {
	return done(svc.PutSecret(ctx, in.Name, in.Body.Value))
}

// PutSecret keeps a secret.
func (c *Client) PutSecret(ctx context.Context, name, value string) error {
	in := secretRequest{}.Body
	in.Value = value
	return c.do(ctx, call{method: "PUT", path: "/secrets/" + name, in: &in, again: true})
}

func listSecrets(ctx context.Context, svc rota.Service, _ *nothing) (*body[secretList], error) {
	all, err := svc.Secrets(ctx)
	return answer(secretList{full(all)}, err)
}

// Secrets are the names of secrets.
func (c *Client) Secrets(ctx context.Context) ([]rota.Secret, error) {
	var out secretList
	err := c.do(ctx, call{method: "GET", path: "/secrets", out: &out, again: true})
	return out.Secrets, err
}

func dropSecret(ctx context.Context, svc rota.Service, in *dropSecretRequest) (*nothing, error) {
	return done(svc.DropSecret(ctx, in.Name))
}

// DropSecret removes a secret.
func (c *Client) DropSecret(ctx context.Context, name string) error {
	return c.do(ctx, call{method: "DELETE", path: "/secrets/" + name})
}
