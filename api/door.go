package api

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// doors is the mux with everything a request passes before a handler sees it: the checks of the address it came
// to, the route it wants, and who asks.
type doors struct {
	mux    *http.ServeMux
	routes map[string]*route // by pattern
	hosts  hosts
	origin *http.CrossOriginProtection
	who    func(*http.Request) (rota.Principal, error)
	pages  http.Handler // for browsers; nil: there are none

	cronjob *Cronjob

	elsewhere *Elsewhere
	away      http.Handler // answers those who have a token, if there is an elsewhere
}

func newDoors(opts Options, table []route) *doors {
	d := &doors{
		mux:    http.NewServeMux(),
		routes: map[string]*route{},
		hosts:  newHosts(opts.Hosts),
		origin: http.NewCrossOriginProtection(),
		who:    whoAsks(opts.Authenticate, opts.Submitters),
		pages:  opts.Pages,

		cronjob: opts.Cronjob,
	}
	for i := range table {
		d.routes[table[i].pattern()] = &table[i]
	}
	if d.elsewhere = opts.Elsewhere; d.elsewhere != nil {
		d.away = forward(d.elsewhere.Servers, cmp.Or(opts.Log, slog.Default()))
	}
	d.mux.HandleFunc("/", d.lost)
	return d
}

// ServeHTTP lets a request in, or refuses it.
func (d *doors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := d.outer(w.Header(), r); err != nil {
		refuse(w, err)
		return
	}
	_, token := bearer(r)
	switch {
	case token && d.away != nil:
		d.away.ServeHTTP(w, r)
		return
	case d.pages != nil && !token && peerOf(r.Context()) == nil && isPage(r):
		d.pages.ServeHTTP(w, r)
		return
	}
	d.mux.ServeHTTP(w, r)
}

// isPage reports whether a request is a browser's, for a page: not for a route. At the root, programs are told what this
// is, and people are shown it.
func isPage(r *http.Request) bool {
	switch r.URL.Path {
	case "/":
		return strings.Contains(r.Header.Get("Accept"), "text/html")
	case "/livez", "/readyz", "/metrics":
		return false
	}
	return !strings.HasPrefix(r.URL.Path, "/api/")
}

// outer refuses what is wrong whatever the route: a name that is not ours, a page of another site, a body that no
// route takes. No browser comes through the unix socket, so what is said to browsers is said over TCP only.
func (d *doors) outer(answer http.Header, r *http.Request) error {
	if peerOf(r.Context()) == nil {
		secure(answer)
		if err := d.hosts.check(r); err != nil {
			return err
		}
		if err := d.origin.Check(r); err != nil {
			return rota.Errorf(rota.ErrDenied, "a page of another site asked for this: %v", err)
		}
	}
	if r.ContentLength > rota.MaxBody && !d.takesBulk(r) {
		return bodyTooLarge()
	}
	return nil
}

// takesBulk reports whether a request goes to a route whose body may be that large.
func (d *doors) takesBulk(r *http.Request) bool {
	_, pattern := d.mux.Handler(r)
	return d.routes[pattern].isBulk() && r.ContentLength <= rota.MaxBlob
}

// The values of headers that every answer has.
var (
	noSniff   = []string{"nosniff"}
	noContent = []string{"default-src 'none'; frame-ancestors 'none'"}
	noStore   = []string{"no-store"}
	noReferer = []string{"no-referrer"}
)

// secure says that an answer is nothing to be guessed at, run, framed or kept.
func secure(h http.Header) {
	h["X-Content-Type-Options"] = noSniff
	h["Content-Security-Policy"] = noContent
	h["Cache-Control"] = noStore
	h["Referrer-Policy"] = noReferer
}

// HandleFunc puts a handler behind the door of its route. It panics when the table of routes does not have it.
func (d *doors) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	rt := d.routes[pattern]
	if rt == nil {
		panic("api: " + pattern + " is not in the table of routes")
	}
	if rt.role == anybody {
		d.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			h(w, r.WithContext(rota.WithPrincipal(r.Context(), rota.Principal{From: from(r), Remote: peerOf(r.Context()) == nil})))
		})
		return
	}
	who := d.who
	if rt.isCronjob() {
		who = d.cronjob.whoAt(who)
	}
	d.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		p, err := who(r)
		if err == nil {
			err = rt.admits(p)
		}
		if err == nil && d.elsewhere != nil && !slices.Contains(d.elsewhere.Here, rt.name) {
			err = d.elsewhere.Why()
		}
		if err != nil {
			refuse(w, err)
			return
		}
		h(w, r.WithContext(rota.WithPrincipal(r.Context(), p)))
	})
}

// lost answers what no route takes.
func (d *doors) lost(w http.ResponseWriter, r *http.Request) {
	var methods []string
	for _, m := range []string{"GET", "POST", "PUT", "DELETE"} {
		probe := &http.Request{Method: m, Host: r.Host, URL: r.URL}
		if _, pattern := d.mux.Handler(probe); pattern != "/" {
			methods = append(methods, m)
		}
	}
	if len(methods) > 0 {
		allow := strings.Join(methods, ", ")
		w.Header().Set("Allow", allow)
		p := problemOf(rota.Errorf(rota.ErrNotFound, "%s %s: this route takes %s", r.Method, r.URL.Path, allow))
		p.Status = http.StatusMethodNotAllowed
		p.write(w)
		return
	}
	refuse(w, rota.Errorf(rota.ErrNotFound, "%s %s: no such route", r.Method, r.URL.Path).
		WithFix("%s/openapi.json describes all routes", Prefix))
}
