package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rotaqueue/rota"
)

// readyWithin is how long the store may take to count as answering.
const readyWithin = 5 * time.Second

// root tells a person who found the address what it is.
func (s *Server) root(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "Rota %s: a job queue. The API is below %s, described at %s/openapi.json.\n", rota.Version, Prefix, Prefix)
}

// livez: the process answers.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

// readyz: the store answers, too.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	_, err := s.svc.Status(rota.WithPrincipal(ctx, rota.Principal{Name: "readyz", Role: viewer}))
	if err != nil {
		s.log.Warn("not ready", "err", err)
		refuse(w, rota.Errorf(rota.ErrUnavailable, "the store does not answer").WithFix("the node's log says why"))
		return
	}
	fmt.Fprintln(w, "ok")
}

// metrics are the figures of whoever was set up to gather them.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if s.opts.Metrics == nil {
		refuse(w, rota.Errorf(rota.ErrUnsupported, "this server gathers no metrics"))
		return
	}
	w.Header().Del("Content-Type")
	s.opts.Metrics.ServeHTTP(w, r)
}

// Alive reports whether a server answers at all. It asks without a name.
func (c *Client) Alive(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.String()+"/livez", nil)
	if err != nil {
		return err
	}
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return c.unreachable(&call{again: true}, err)
	}
	return read(resp, &call{})
}
