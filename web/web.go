// Package web is Rota's page: what a [rota.Service] knows and can do, as HTML that the server makes.
//
// It promises that reading works without scripts; that a page shows the same as the API would, and offers no act that
// the Service would refuse to who looks; that what jobs are called, say and write is text on it, never markup; and that
// it asks nothing of any other server, and knows nothing of the path that a proxy puts before it.
//
// A page has a file of Go and a file of HTML of its name. Pages call the Service only, in the name of who looks; who
// that is, a token in a cookie says. The package touches HTTP and its own files, which are part of the binary.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/rotaqueue/rota"
)

// Options are what pages need beside a Service.
type Options struct {
	// Authenticate says whose a token is: ErrUnauthenticated when nobody's.
	Authenticate func(ctx context.Context, secret string) (rota.Principal, error)
	// Describe is the OpenAPI description of the API beside the pages, as JSON; nil: they have none.
	Describe func() ([]byte, error)
	Log      *slog.Logger     // what is told nobody else; default: slog.Default()
	Now      func() time.Time // default: time.Now
}

// Pages serve a Service to browsers.
type Pages struct {
	svc    rota.Service
	opts   Options
	log    *slog.Logger
	now    func() time.Time
	mux    *http.ServeMux
	assets assets
	feed   *feed
	docs   docs
}

// New makes pages. They look at the Service only while somebody looks at them, or Run runs.
func New(svc rota.Service, o Options) *Pages {
	p := &Pages{svc: svc, opts: o, log: o.Log, now: o.Now, mux: http.NewServeMux(), assets: newAssets()}
	if p.log == nil {
		p.log = slog.Default()
	}
	if p.now == nil {
		p.now = time.Now
	}
	p.feed = newFeed(svc, p.now)
	p.docs = docs{describe: o.Describe}
	p.mux.HandleFunc("GET /assets/{version}/{name...}", p.assets.serve)
	for i := range routes {
		p.mux.Handle(routes[i].method+" "+routes[i].path, p.handler(&routes[i]))
	}
	p.mux.Handle("/", p.handler(&route{role: rota.RoleViewer, show: (*Pages).nowhere}))
	return p
}

// Run watches the Service, for charts, until ctx ends. Without it those of the last hour are as fine only while somebody looks.
func (p *Pages) Run(ctx context.Context) { p.feed.run(ctx) }

// ServeHTTP answers a browser. What it is called by, and from which site, was checked before.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	p.mux.ServeHTTP(w, r)
}

// policy lets a page use what comes from its own server, in files of their own, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"

func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

func (p *Pages) nowhere(r *request) error {
	return rota.Errorf(rota.ErrNotFound, "%s: there is no such page", r.URL.Path)
}
