package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/rotaqueue/rota"
)

// route is one line of the table of routes.
type route struct {
	method, path string
	role         rota.Role // who may come in; empty: anybody
	name         string    // its operation's id in the description
	summary      string
	bind         func(*Server, *route)
}

// pattern is the route as the mux of the standard library writes it.
func (rt *route) pattern() string {
	if rt.path == "/" {
		return rt.method + " /{$}"
	}
	return rt.method + " " + rt.path
}

// admits refuses principals below the route's role.
func (rt *route) admits(p rota.Principal) error {
	if p.Role.May(rt.role) {
		return nil
	}
	makes := "rota token create --role " + string(rt.role) + " NAME"
	if rt.role == node {
		makes = "rota node token NAME"
	}
	return rota.Errorf(rota.ErrDenied, "%s: this needs the role %s, and %q has the role %s", rt.name, rt.role, p.Name, p.Role).
		WithFix("ask an admin for a token of that role: %s", makes)
}

// operation is the route as it is described.
func (rt *route) operation(s *Server) huma.Operation {
	op := huma.Operation{
		Method: rt.method, Path: rt.path, OperationID: rt.name, Summary: rt.summary, Tags: rt.tags(),
		Description:                  "Needs no authentication.",
		RejectUnknownQueryParameters: true,
		SkipValidateBody:             true,             // decode is strict by itself and reads a body once
		MaxBodyBytes:                 rota.MaxBody + 1, // huma refuses what reaches its limit
		BodyReadTimeout:              s.opts.read,
	}
	if rt.role != anybody {
		op.Description = "Needs the role " + string(rt.role) + "."
		op.Security = []map[string][]string{{bearerScheme: {}}}
	}
	return op
}

func (rt *route) tags() []string {
	rest, ok := strings.CutPrefix(rt.path, Prefix+"/")
	if !ok {
		return []string{"server"}
	}
	tag, _, _ := strings.Cut(rest, "/")
	return []string{tag}
}

// body is a request or an answer that is a JSON value and nothing else.
type body[T any] struct{ Body T }

// nothing is a request without parameters, or an answer without a body.
type nothing struct{}

func answer[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{v}, nil
}

// done answers calls that have nothing to say but that they succeeded.
func done(err error) (*nothing, error) {
	if err != nil {
		return nil, err
	}
	return &nothing{}, nil
}

// handler serves one route: I holds its parameters and body, O the answer.
type handler[I, O any] func(ctx context.Context, svc rota.Service, in *I) (*O, error)

// on binds a handler to its route.
func on[I, O any](h handler[I, O]) func(*Server, *route) {
	return func(s *Server, rt *route) {
		huma.Register(s.huma, rt.operation(s), func(ctx context.Context, in *I) (*O, error) {
			out, err := h(ctx, s.svc, in)
			if err != nil {
				return nil, s.problem(ctx, err)
			}
			return out, nil
		})
	}
}

// waits binds a handler that may take up to rota.MaxWait: it gets the time to write its answer, and is woken when
// the server stops.
func waits[I, O any](h handler[I, O]) func(*Server, *route) {
	return func(s *Server, rt *route) {
		op := rt.operation(s)
		op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
			_, w := humago.Unwrap(ctx)
			// What cannot set a deadline (a recorder in a test) has none.
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(rota.MaxWait + writeTimeout))
			next(ctx)
		}}
		huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(s.stopping, cancel)()
			out, err := h(ctx, s.svc, in)
			if err != nil {
				return nil, s.problem(ctx, err)
			}
			return out, nil
		})
	}
}

// plain binds a handler of the standard library that answers with a text of its own.
func plain(contentType string, h func(*Server, http.ResponseWriter, *http.Request)) func(*Server, *route) {
	return func(s *Server, rt *route) {
		op := rt.operation(s)
		op.Responses = map[string]*huma.Response{"200": {
			Description: "OK", Content: map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: huma.TypeString}}}}}
		s.huma.OpenAPI().AddOperation(&op)
		s.doors.HandleFunc(rt.pattern(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType+"; charset=utf-8")
			h(s, w, r)
		})
	}
}
