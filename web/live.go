package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

const (
	beatEvery  = 15 * time.Second // proxies give up what is silent; and the session is looked at again
	streamFor  = 30 * time.Minute // then the browser connects again
	liveWrites = 20 * time.Second // for one event to go out
)

// live streams which kinds of things changed, to one tab of a browser, which tells the others. It carries nothing else:
// each page asks for what it shows, in the name of who looks.
func (p *Pages) live(r *request) error {
	control := http.NewResponseController(r.w)
	_ = control.SetReadDeadline(time.Time{}) // what cannot has none
	h := r.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	r.w.WriteHeader(http.StatusOK)
	send := func(format string, args ...any) error {
		_ = control.SetWriteDeadline(time.Now().Add(liveWrites))
		if _, err := fmt.Fprintf(r.w, format, args...); err != nil {
			return err
		}
		return control.Flush()
	}
	leave := p.feed.join()
	defer leave()
	seen := r.Header.Get("Last-Event-ID")
	if seen == "" {
		seen = r.URL.Query().Get("last")
	}
	if seen == "" { // nothing was seen before: the page is as fresh as this
		_, seen, _ = p.feed.since("")
	}
	beat, over := time.NewTicker(beatEvery), time.NewTimer(streamFor)
	defer beat.Stop()
	defer over.Stop()
	if send("retry: 2000\nid: %s\nevent: hello\ndata: \n\n", seen) != nil {
		return nil
	}
	for {
		what, now, changed := p.feed.since(seen)
		if len(what) > 0 {
			if send("id: %s\nevent: changed\ndata: %s\n\n", now, strings.Join(what, " ")) != nil {
				return nil
			}
			seen = now
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-over.C:
			return nil
		case <-beat.C:
			if who, err := p.opts.Authenticate(r.Context(), r.secret()); err != nil || !who.Role.May(rota.RoleViewer) {
				_ = send("event: out\ndata: \n\n")
				return nil
			}
			if send(": beat\n\n") != nil {
				return nil
			}
		case <-changed:
		}
	}
}
