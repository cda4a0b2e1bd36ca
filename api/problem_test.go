package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestEveryKindOfErrorSurvivesTheWire(t *testing.T) {
	for _, k := range rota.Kinds {
		t.Run(k.Name, func(t *testing.T) {
			const text, fix = `job 7: "100%" wrong`, "rota retry --100% <7>"
			svc := &spy{fail: fmt.Errorf("tried: %w", &rota.Error{Kind: k.Err, Text: text, Fix: fix})}
			_, c := overSocket(t, svc, Options{Log: quiet()})
			_, err := c.Job(t.Context(), 7)
			if !errors.Is(err, k.Err) {
				t.Errorf("is %v, want %v", rota.KindOf(err).Name, k.Name)
			}
			for _, other := range rota.Kinds {
				if other.Err != k.Err && errors.Is(err, other.Err) {
					t.Errorf("is %v, too", other.Name)
				}
			}
			if got := err.Error(); got != "tried: "+text {
				t.Errorf("text %q", got)
			}
			if got := rota.FixOf(err); got != fix {
				t.Errorf("fix %q", got)
			}
		})
	}
}

func TestABareErrorIsInternal(t *testing.T) {
	var log strings.Builder
	svc := &spy{fail: errors.New("pq: password is hunter2")}
	opts := Options{Authenticate: byRole, Log: slog.New(slog.NewTextHandler(&log, nil))}
	_, local := overSocket(t, svc, opts)
	_, err := local.Status(t.Context())
	if !errors.Is(err, rota.ErrInternal) || !strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the node's own user is told %v", err)
	}
	_, remote := overTCP(t, svc, opts, "viewer")
	_, err = remote.Status(t.Context())
	if !errors.Is(err, rota.ErrInternal) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a remote caller is told %v", err)
	}
	if strings.Count(log.String(), "hunter2") != 2 {
		t.Errorf("log: %s", log.String())
	}
}

func TestAWaitThatWasCutShortIsUnavailable(t *testing.T) {
	svc := &spy{fail: fmt.Errorf("watch: %w", context.DeadlineExceeded)}
	_, c := overSocket(t, svc, Options{})
	if _, err := c.Status(t.Context()); !errors.Is(err, rota.ErrUnavailable) {
		t.Error(err)
	}
}

func TestAnswersOfOthersGetAKind(t *testing.T) {
	for status, want := range map[int]error{
		302: rota.ErrNotFound, 400: rota.ErrInvalid, 401: rota.ErrUnauthenticated, 403: rota.ErrDenied, 404: rota.ErrNotFound,
		405: rota.ErrNotFound, 413: rota.ErrTooLarge, 418: rota.ErrInvalid, 429: rota.ErrUnavailable, 431: rota.ErrTooLarge,
		500: rota.ErrInternal, 502: rota.ErrUnavailable, 503: rota.ErrUnavailable, 504: rota.ErrUnavailable,
	} {
		resp := &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"text/html"}}}
		if err := readProblem(resp, []byte("<html>")); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", status, rota.KindOf(err).Name, want)
		}
	}
}
