package web

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// request is one request of a browser, and what all pages know.
type request struct {
	*http.Request
	w      http.ResponseWriter
	pages  *Pages
	status int

	Root   string // the way from this page to the first: "./", "../"
	Who    rota.Principal
	Theme  string // light or dark; empty: as the system has it
	zone   *time.Location
	Now    time.Time
	Flash  string // what the act before had as its result
	Title  string
	Page   string   // the page's name
	Topics []string // what changes it
	D      any      // the page's own
}

func (p *Pages) request(w http.ResponseWriter, r *http.Request) *request {
	rq := &request{Request: r, w: w, pages: p, status: http.StatusOK, Now: p.now(), zone: time.UTC}
	rq.Root = rootOf(r.URL.Path)
	if t := rq.cookie(themeCookie); t == "light" || t == "dark" {
		rq.Theme = t
	}
	if z, err := time.LoadLocation(rq.cookie(zoneCookie)); err == nil && z != time.Local {
		rq.zone = z
	}
	return rq
}

// rootOf is the way from a page to the first.
func rootOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return "./" + strings.Repeat("../", strings.Count(path, "/")-1)
}

// partial reports whether only a piece of a page is wanted.
func (r *request) partial() bool { return r.Header.Get("HX-Request-Type") == "partial" }

// here is this page, as seen from the first one.
func (r *request) here() string {
	at := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	if q := r.With(); q != "?" {
		at += q
	}
	return at
}

// show answers with a page.
func (r *request) show(page, title string, data any) {
	r.Page, r.Title, r.D = page, title, data
	if r.Flash == "" {
		r.Flash = r.takeFlash()
	}
	var b bytes.Buffer
	name := "layout"
	if r.partial() {
		name = "piece"
		if at := local(r.PostFormValue("back")); r.Method == http.MethodPost && at != "" {
			r.Root = rootOf("/" + at) // the piece stands on the page that asked for it
		}
	}
	if err := templates()[page].ExecuteTemplate(&b, name, r); err != nil {
		r.pages.log.Error("a page could not be made", "page", page, "err", err)
		http.Error(r.w, "the server failed inside; its log says why", http.StatusInternalServerError)
		return
	}
	r.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	r.w.WriteHeader(r.status)
	_, _ = r.w.Write(b.Bytes()) // whoever does not listen any more needs no answer
}

// redirect sends the browser to a page, named as seen from the first one. The way there is written relative to this one:
// the server does not know what a proxy puts before it.
func (r *request) redirect(to string) {
	if to == "" {
		to = "./"
	}
	r.w.Header().Set("Location", r.Root+to)
	r.w.WriteHeader(http.StatusSeeOther)
}

var localPath = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9/._@%~-]*(\?[^#\\\s]*)?$|^(\?[^#\\\s]*)?$`)

// local is a way to a page of ours, or none: nobody is sent elsewhere.
func local(to string) string {
	if !localPath.MatchString(to) || strings.Contains(to, "//") || strings.Contains(to, "..") {
		return ""
	}
	return to
}

// back is where an act's form was.
func (r *request) back(otherwise string) string {
	if to := local(r.PostFormValue("back")); to != "" {
		return to
	}
	return otherwise
}

// May reports whether who looks has a role. It is for what a page offers; the Service decides.
func (r *request) May(role string) bool { return r.Who.Role.May(rota.Role(role)) }

// Owns reports whether who looks may act on a submitter's jobs.
func (r *request) Owns(submitter string) bool {
	return r.May("operator") || r.May("submitter") && r.Who.Name == submitter
}

// With is this page's query with some parameters changed: names and values in turn, an empty value takes one away.
func (r *request) With(pairs ...string) string {
	q := url.Values{}
	for k, vs := range r.URL.Query() {
		if k != "upto" && k != "done" {
			q[k] = vs
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return "?" + q.Encode()
}

// Here is this page as a form sends it back.
func (r *request) Here() string { return r.here() }

// Asset is the way to a file of ours.
func (r *request) Asset(name string) string { return r.Root + r.pages.assets.path(name) }

func escape(s string) string { return url.QueryEscape(s) }
