package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// kept is a Service that has one output: a head, a gap and a tail.
type kept struct {
	spy
	head, tail string
	size       int64
	fails      bool // when the tail is asked for
}

func (k *kept) Output(_ context.Context, q rota.OutputQuery, _ time.Duration) (rota.Output, error) {
	if q.Task != rota.Element(42, 17) {
		return rota.Output{}, rota.Errorf(rota.ErrNotFound, "task %v: not there", q.Task)
	}
	out := rota.Output{Attempt: 2, Offset: q.Offset, Size: k.size, Ended: true}
	tail := k.size - int64(len(k.tail))
	switch {
	case q.Offset < int64(len(k.head)):
		out.Data = []byte(k.head[q.Offset:min(len(k.head), int(q.Offset)+3)])
	case k.fails:
		return rota.Output{}, rota.Errorf(rota.ErrUnavailable, "the store went away")
	case q.Offset < k.size:
		out.Offset = max(tail, q.Offset)
		out.Cut = out.Offset - q.Offset
		out.Data = []byte(k.tail[out.Offset-tail:])
	}
	return out, nil
}

func TestTheRawOutputIsAllThatIsKept(t *testing.T) {
	svc := &kept{head: "<b>head</b>\n\x00\xff", tail: "the tail\n", size: 1000}
	s := New(svc, Options{Authenticate: byRole, Log: quiet()})
	w := ask(s, "GET", Prefix+"/tasks/42.17/output/raw?stream=stderr", "viewer", "")
	if want := svc.head + "\n[977 bytes were not kept]\n" + svc.tail; w.Code != 200 || w.Body.String() != want {
		t.Errorf("%d %q, want %q", w.Code, w.Body, want)
	}
	for name, want := range map[string]string{"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff",
		"Content-Disposition": `attachment; filename="rota-42.17-2-stderr.txt"`} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if w := ask(s, "GET", Prefix+"/tasks/42/output/raw", "viewer", ""); w.Code != 404 || problemIn(t, w.Body.Bytes()).Kind != "not-found" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestABrokenRawOutputDoesNotLookWhole(t *testing.T) {
	svc := &kept{head: strings.Repeat("x", 10), tail: "y", size: 11, fails: true}
	s := New(svc, Options{Authenticate: byRole, Log: quiet()})
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the connection is not broken")
		}
	}()
	ask(s, "GET", Prefix+"/tasks/42.17/output/raw", "viewer", "")
}
