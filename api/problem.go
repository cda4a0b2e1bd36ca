package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rotaqueue/rota"
)

// problem is an error on the wire (RFC 9457): the kind by its name, the sentence, and what mends it.
type problem struct {
	Title  string `json:"title" doc:"the kind of error in words"`
	Status int    `json:"status" doc:"the HTTP status"`
	Kind   string `json:"kind" doc:"the kind of error: decide by this"`
	Detail string `json:"detail" doc:"what was tried and why it failed"`
	Fix    string `json:"fix,omitempty" doc:"what mends it: a sentence or a command"`
}

const problemType = "application/problem+json"

func (p *problem) Error() string             { return p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return problemType }

// problemOf is an error as it goes over the wire. A wait that was cut short is no defect: the caller may come again.
func problemOf(err error) *problem {
	k := rota.KindOf(err)
	if k.Err == rota.ErrInternal && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		k = rota.KindOf(rota.ErrUnavailable)
	}
	return &problem{Title: k.Err.Error(), Status: k.Status, Kind: k.Name, Detail: err.Error(), Fix: rota.FixOf(err)}
}

// err is the problem as the error it was.
func (p *problem) err() error {
	for _, k := range rota.Kinds {
		if k.Name == p.Kind {
			return &rota.Error{Kind: k.Err, Text: p.Detail, Fix: p.Fix}
		}
	}
	return &rota.Error{Kind: kindOfStatus(p.Status), Text: p.Detail, Fix: p.Fix}
}

// kindOfStatus is the kind of an answer that does not name one: it comes from something between us and the server,
// or from net/http itself.
func kindOfStatus(status int) error {
	switch {
	case status == http.StatusUnauthorized:
		return rota.ErrUnauthenticated
	case status == http.StatusForbidden:
		return rota.ErrDenied
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status/100 == 3:
		return rota.ErrNotFound
	case status == http.StatusRequestEntityTooLarge, status == http.StatusRequestURITooLong,
		status == http.StatusRequestHeaderFieldsTooLarge:
		return rota.ErrTooLarge
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status == http.StatusBadGateway,
		status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return rota.ErrUnavailable
	case status/100 == 4:
		return rota.ErrInvalid
	}
	return rota.ErrInternal
}

// problem is what the caller is told of an error. A defect of ours is logged, and remote callers are not told its
// inside.
func (s *Server) problem(ctx context.Context, err error) *problem {
	if s.stopping.Err() != nil && errors.Is(err, context.Canceled) {
		err = rota.Errorf(rota.ErrUnavailable, "the node is stopping").WithFix("try again when it is up: rota up")
	}
	p := problemOf(err)
	if p.Kind != internalKind {
		return p
	}
	who, _ := rota.PrincipalOf(ctx)
	s.log.Error("a request failed inside", "err", err, "principal", who.Name)
	if who.Remote {
		p.Detail, p.Fix = "the server failed inside", "its log says why"
	}
	return p
}

var internalKind = rota.KindOf(rota.ErrInternal).Name

// refuse writes an error as the whole answer.
func refuse(w http.ResponseWriter, err error) { problemOf(err).write(w) }

func (p *problem) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", problemType)
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // whoever does not listen any more needs no answer
}

// humaProblems makes the errors that huma itself finds ours. It is a setting of the whole process, and api is its
// only user.
var humaProblems = sync.OnceFunc(func() { huma.NewError = humaProblem })

// humaProblem is what huma found wrong with a request, before any handler saw it.
func humaProblem(status int, msg string, errs ...error) huma.StatusError {
	kind := rota.ErrInvalid
	switch status {
	case 0, http.StatusInternalServerError, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType:
	default:
		kind = kindOfStatus(status)
	}
	e := rota.Errorf(kind, "%s", msg)
	if parts := sentences(errs); len(parts) > 0 {
		e.Text = strings.Join(parts, "; ")
	}
	if strings.Contains(e.Text, huma.ErrUnknownContentType.Error()) {
		_ = e.WithFix("send JSON, with the header Content-Type: application/json")
	}
	if kind == rota.ErrTooLarge {
		e = bodyTooLarge()
	}
	return problemOf(e)
}

const maxSentences = 5 // of one problem

func sentences(errs []error) []string {
	var parts []string
	for _, err := range errs {
		if len(parts) == maxSentences {
			break
		}
		d, ok := err.(*huma.ErrorDetail)
		switch {
		case !ok:
			parts = append(parts, err.Error())
		case d.Location == "" || d.Location == "body":
			parts = append(parts, d.Message)
		default:
			parts = append(parts, d.Location+": "+strings.TrimPrefix(d.Message, "invalid value: "))
		}
	}
	return parts
}

func bodyTooLarge() *rota.Error {
	return rota.Errorf(rota.ErrTooLarge, "request: its body may have %d bytes at most", rota.MaxBody).
		WithFix("upload lines and input in parts")
}
