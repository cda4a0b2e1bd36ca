package courier

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/rotaqueue/rota"
)

// TestZ5_WebhooksAreSigned: the receiver can tell that it was us, what it is about, and whether it has had it before.
func TestZ5_WebhooksAreSigned(t *testing.T) {
	key := []byte("a key of some length")
	var got rota.Event
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if sign := r.Header.Get(HeaderSignature); sign != Sign(key, r.Header.Get(HeaderTime), body) || sign == Sign([]byte("another"), r.Header.Get(HeaderTime), body) {
			t.Errorf("signature %q", sign)
		}
		if r.Header.Get(HeaderEvent) != "e7.0" || r.Header.Get(HeaderKind) != "job.failed" || json.Unmarshal(body, &got) != nil {
			t.Errorf("%v %s", r.Header, body)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	c := New(Options{Key: key, Private: true})
	e := rota.Event{ID: "e7.0", Kind: rota.EventFailed, Job: 42, Reason: "exit code 3"}
	if err := c.Deliver(t.Context(), receiver.URL, []rota.Event{e}); err != nil || got.ID != e.ID || got.Reason != e.Reason {
		t.Errorf("%v, %+v", err, got)
	}
}

// TestZ5_AFlakyReceiverIsAFailure: what it answers but success, and that it does not answer, is told.
func TestZ5_AFlakyReceiverIsAFailure(t *testing.T) {
	var n atomic.Int32
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			panic(http.ErrAbortHandler)
		case 3:
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}
	}))
	defer receiver.Close()
	c := New(Options{Private: true})
	for i := range 4 {
		if err := c.Deliver(context.Background(), receiver.URL, []rota.Event{{ID: "e1"}}); (err != nil) != (i < 3) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestWebhooksDoNotReachWhatOnlyThisMachineReaches: by address, and by a name that means one.
func TestWebhooksDoNotReachWhatOnlyThisMachineReaches(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	defer receiver.Close()
	c := New(Options{})
	port := receiver.URL[len("http://127.0.0.1:"):]
	for _, url := range []string{receiver.URL, "http://localhost:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://0.0.0.0:" + port,
		"http://169.254.169.254/latest", "http://10.0.0.1:1", "http://100.64.0.1:1", "http://[fe80::1]:1", "http://[fd00::1]:1"} {
		if err := c.Deliver(t.Context(), url, []rota.Event{{ID: "e1"}}); !errors.Is(err, rota.ErrDenied) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
