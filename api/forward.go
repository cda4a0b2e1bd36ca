package api

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"time"

	"github.com/rotaqueue/rota"
)

// forward passes requests on as they are, and their answers back: a job on a node without a store asks in its own name
// (S1), and what it may is for the server to say.
func forward(servers func() []*Client, log *slog.Logger) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:      func(*httputil.ProxyRequest) {}, // the transport chooses the server
		Transport:    elsewhere(servers),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) { refuse(w, err) },
		ErrorLog:     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// What cannot set a deadline (a recorder in a test) has none.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(rota.MaxWait + writeTimeout))
		proxy.ServeHTTP(w, r)
	})
}

// elsewhere is a transport to whichever of the servers takes a request. One that was not reached has not had it, so the
// next is asked; a read may be asked of two. What else breaks is for the sender to decide upon.
type elsewhere func() []*Client

func (servers elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	var text []byte
	var err error
	if r.Body != nil {
		text, err = io.ReadAll(io.LimitReader(r.Body, rota.MaxBody+1))
	}
	switch {
	case err != nil:
		return nil, rota.Invalid("read the request: %v", err)
	case len(text) > rota.MaxBody:
		return nil, bodyTooLarge()
	}
	var failed error
	for _, c := range servers() {
		resp, err := c.transport.RoundTrip(c.addressed(r, text))
		if err == nil {
			return resp, nil
		}
		failed = c.unreachable(&call{again: r.Method == http.MethodGet}, err)
		if r.Method != http.MethodGet && !neverSent(err) {
			break
		}
	}
	return nil, failed
}

// addressed is another's request as it goes to the server.
func (c *Client) addressed(r *http.Request, text []byte) *http.Request {
	out := r.Clone(r.Context())
	u := *r.URL
	u.Scheme, u.Host, out.Host = c.base.Scheme, c.base.Host, c.base.Host
	if u.RawPath != "" {
		u.RawPath = c.base.EscapedPath() + u.RawPath
	}
	u.Path = c.base.Path + u.Path
	out.URL = &u
	out.Body, out.ContentLength = http.NoBody, int64(len(text))
	if len(text) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(text))
	}
	return out
}

// neverSent reports whether a request failed because the server was not reached, or was not the one that was meant.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || !mayReturn(err)
}
