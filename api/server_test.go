package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotaqueue/rota"
)

func TestClientsOfTheSocketAreCounted(t *testing.T) {
	counts := make(chan int, 100)
	s, first := overSocket(t, &spy{}, Options{OnClients: func(n int) { counts <- n }})
	second := Dial(first.where)
	_, tcp := overTCP(t, &spy{}, Options{Authenticate: byRole, OnClients: func(int) { t.Error("TCP is counted") }}, "viewer")
	step := func(want int, what string, do func()) {
		t.Helper()
		do()
		if got := <-counts; got != want || s.Clients() != want {
			t.Errorf("%s: told %d, counted %d, want %d", what, got, s.Clients(), want)
		}
	}
	ask := func(c *Client) func() {
		return func() {
			t.Helper()
			if _, err := c.Status(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask(tcp)()
	step(1, "one", ask(first))
	step(2, "two", ask(second))
	ask(first)() // over the same connection
	step(1, "one has gone", first.Close)
	step(0, "both have gone", second.Close)
}

func TestShutdownEndsWaitsAndLetsTheRestEnd(t *testing.T) {
	waiting := make(chan struct{})
	svc := &spy{hold: func(ctx context.Context) error {
		close(waiting)
		<-ctx.Done()
		return ctx.Err()
	}}
	s, c := overSocket(t, svc, Options{})
	ended := make(chan error)
	go func() {
		_, err := c.Await(context.Background(), "s", rota.MaxWait)
		ended <- err
	}()
	<-waiting
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, rota.ErrUnavailable) || !strings.Contains(err.Error(), "stopping") {
		t.Errorf("the wait ended with %v", err)
	}
	if _, err := c.Status(t.Context()); !errors.Is(err, rota.ErrUnavailable) || rota.FixOf(err) != "rota up" {
		t.Errorf("afterwards: %v, fix %q", err, rota.FixOf(err))
	}
}

// TestAWaitMayTakeLongerThanAnAnswer runs on a clock of its own: the wait is as long as the time to write an answer.
func TestAWaitMayTakeLongerThanAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := &spy{hold: func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(max(rota.MaxWait, writeTimeout, readTimeout) + time.Second):
				return nil
			}
		}}
		pipes := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		s := New(svc, Options{Authenticate: byRole})
		go s.Serve(pipes)
		tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return pipes.dial() }}
		c := (&Client{transport: tr, base: url.URL{Scheme: "http", Host: "localhost"}}).WithToken("admin")
		if _, err := c.Await(t.Context(), "s", rota.MaxWait); err != nil {
			t.Error(err)
		}
		if svc.calls != 1 {
			t.Errorf("it was asked %d times", svc.calls)
		}
		c.Close()
		s.Close()
	})
}

// pipeListener is a listener within the test, whose connections know the test's clock.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) dial() (net.Conn, error) {
	ours, theirs := net.Pipe()
	l.conns <- theirs
	return ours, nil
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func TestWaitsAreCapped(t *testing.T) {
	svc := &spy{}
	_, c := overSocket(t, svc, Options{})
	if _, err := c.Watch(t.Context(), 1, rota.Progress{}, time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := svc.asked[2]; got != rota.MaxWait {
		t.Errorf("waits %v", got)
	}
}

func TestWatchTellsWhatIsTheSame(t *testing.T) {
	seen := rota.Progress{Job: 7, Tasks: 3, Sealed: true, Running: 3}
	svc := &spy{gives: map[reflect.Type]any{reflect.TypeFor[rota.Progress](): seen}}
	s, c := overSocket(t, svc, Options{Authenticate: byRole})
	if got, err := c.Watch(t.Context(), 7, seen, 0); err != nil || got != seen {
		t.Errorf("the same: %+v, %v", got, err)
	}
	if got, err := c.Watch(t.Context(), 7, rota.Progress{}, 0); err != nil || got != seen {
		t.Errorf("another: %+v, %v", got, err)
	}
	first := ask(s, "GET", Prefix+"/jobs/7/progress", "viewer", "")
	r := newRequest("GET", Prefix+"/jobs/7/progress", "viewer", "")
	r.Header.Set("If-None-Match", first.Header().Get("ETag"))
	if w := send(s, r); w.Code != http.StatusNotModified || w.Body.Len() != 0 || svc.asked[1] != seen {
		t.Errorf("%d %s, asked %v", w.Code, w.Body, svc.asked)
	}
	r.Header.Set("If-None-Match", `"something else"`)
	if w := send(s, r); w.Code != 200 {
		t.Errorf("with a strange ETag: %d %s", w.Code, w.Body)
	}
}
