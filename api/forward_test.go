package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/server"
)

// overNode is the socket of a node without a store, whose servers are at the addresses.
func overNode(t *testing.T, svc rota.Service, addresses ...string) *Client {
	t.Helper()
	var servers []*Client
	for _, a := range addresses {
		servers = append(servers, connectTo(t, a, ""))
	}
	_, c := overSocket(t, svc, Options{Log: quiet(), Elsewhere: &Elsewhere{
		Servers: func() []*Client { return servers }, Here: []string{"drop-schedule"},
		Why: func() error { return rota.Errorf(rota.ErrDenied, "it is elsewhere") }}})
	return c
}

// closedAddress is one at which nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	return "http://" + ln.Addr().String()
}

func TestS1WhoHasATokenIsPassedOn(t *testing.T) {
	far := realServer(t, server.Options{})
	a := overTLS(t, far, Options{Authenticate: far.Authenticate, Log: quiet()}).String()
	admin := rota.WithPrincipal(context.Background(), rota.Principal{Name: "ada", Role: rota.RoleAdmin})
	tok, err := far.CreateToken(admin, rota.Token{Name: "ole", Role: rota.RoleOperator})
	if err != nil {
		t.Fatal(err)
	}
	near := &spy{}
	bare := overNode(t, near, closedAddress(t), a)
	c := bare.WithToken(tok.Secret)
	done, err := c.Submit(t.Context(), rota.Submission{Spec: rota.Spec{Argv: []string{"true"}, Name: "a/b c?d"}})
	if err != nil {
		t.Fatal(err)
	}
	job, err := c.Job(t.Context(), done.Job)
	if err != nil || job.Submitter != "ole" {
		t.Errorf("%+v, %v", job, err)
	}
	if _, err := c.PutSchedule(t.Context(), rota.Schedule{Name: "every-day", Expr: "@daily", Spec: job.Spec}); err != nil {
		t.Error(err)
	}
	err = c.DropSchedule(t.Context(), "a/b c?d#e") // what is escaped stays so
	if !errors.Is(err, rota.ErrNotFound) || !strings.Contains(err.Error(), "a/b c?d#e") {
		t.Errorf("a name with all signs: %v", err)
	}
	if _, err := bare.WithToken("rt_wrong").Job(t.Context(), done.Job); !errors.Is(err, rota.ErrUnauthenticated) {
		t.Errorf("a wrong token: %v", err)
	}
	if len(near.asked) > 0 {
		t.Errorf("the node itself was asked %v", near.asked)
	}
	// The user of the socket asks the node.
	if err := bare.DropSchedule(t.Context(), "near"); err != nil || len(near.asked) == 0 || near.asked[0] != "near" {
		t.Errorf("without a token: %v, %v", near.asked, err)
	}
}

// TestANodeWithoutAStoreAnswersNothingElse walks every route, with a Service that would not survive being asked.
func TestANodeWithoutAStoreAnswersNothingElse(t *testing.T) {
	c := overNode(t, nil)
	for i := range routes {
		rt := &routes[i]
		if rt.role == anybody || rt.name == "drop-schedule" {
			continue
		}
		r, err := http.NewRequestWithContext(t.Context(), rt.method, "http://rota"+rt.target(), strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.transport.RoundTrip(r)
		if err != nil {
			t.Fatalf("%s: %v", rt.pattern(), err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if p := problemIn(t, text); resp.StatusCode != 403 || p.Detail != "it is elsewhere" {
			t.Errorf("%s: %d %s", rt.pattern(), resp.StatusCode, text)
		}
	}
}

func TestNoServerIsReachedIsASentence(t *testing.T) {
	c := overNode(t, &spy{}, closedAddress(t), closedAddress(t)).WithToken("rt_any")
	_, err := c.Submit(t.Context(), rota.Submission{Spec: rota.Spec{Argv: []string{"true"}}})
	if !errors.Is(err, rota.ErrUnavailable) || !strings.Contains(err.Error(), "nobody listens at http://127.0.0.1:") {
		t.Errorf("%v", err)
	}
}
