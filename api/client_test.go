package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rotaqueue/rota"
)

// breaking serves a handler that breaks the connection of the first n requests after it has read them, and counts
// all of them.
func breaking(t *testing.T, n int64, requests *atomic.Int64) http.Handler {
	s := New(&spy{}, Options{Authenticate: byRole})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > n {
			r.Header.Set("Authorization", "Bearer admin")
			s.Handler().ServeHTTP(w, r)
			return
		}
		io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	})
}

func bothWays(t *testing.T, h http.Handler, check func(t *testing.T, c *Client)) {
	for _, network := range []string{"socket", "tcp"} {
		t.Run(network, func(t *testing.T) {
			var ln net.Listener
			var c *Client
			var err error
			if network == "socket" {
				if ln, err = ListenUnix(t.TempDir()); err == nil {
					c = Dial(ln.Addr().String())
				}
			} else if ln, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
				c, err = Connect("http://"+ln.Addr().String(), "admin")
			}
			if err != nil {
				t.Fatal(err)
			}
			srv := &http.Server{Handler: h, ConnContext: withPeer}
			go srv.Serve(ln)
			t.Cleanup(func() { c.Close(); srv.Close() })
			check(t, c)
		})
	}
}

func TestReadsAndKeyedSubmitsAreSentAgain(t *testing.T) {
	calls := map[string]func(context.Context, *Client) error{
		"submit with a key": func(ctx context.Context, c *Client) error {
			_, err := c.Submit(ctx, rota.Submission{Key: "k"})
			return err
		},
		"job":   func(ctx context.Context, c *Client) error { _, err := c.Job(ctx, 1); return err },
		"await": func(ctx context.Context, c *Client) error { _, err := c.Await(ctx, "s", 0); return err },
	}
	for name, do := range calls {
		var requests atomic.Int64
		bothWays(t, breaking(t, retries, &requests), func(t *testing.T, c *Client) {
			requests.Store(0)
			if err := do(t.Context(), c); err != nil || requests.Load() != retries+1 {
				t.Errorf("%s: %v after %d requests", name, err, requests.Load())
			}
			requests.Store(-10) // net/http sends some again by itself
			if err := do(t.Context(), c); !errors.Is(err, rota.ErrUnavailable) {
				t.Errorf("%s, broken once more: %v", name, err)
			}
		})
	}
}

// TestABlobIsSentAgainFromItsBeginning: each time, whether the connection broke in its middle or somebody behind a proxy could
// not take it.
func TestABlobIsSentAgainFromItsBeginning(t *testing.T) {
	text := strings.Repeat("0123456789", 400_000)
	stopping := problemOf(rota.Errorf(rota.ErrUnavailable, "the node is stopping"))
	for name, refuses := range map[string]func(*testing.T, http.ResponseWriter){
		"it broke": func(t *testing.T, w http.ResponseWriter) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
		},
		"it was refused": func(_ *testing.T, w http.ResponseWriter) { stopping.write(w) },
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			svc := &cronjobs{}
			s := New(svc, Options{Authenticate: byRole})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) <= retries {
					_, _ = io.CopyN(io.Discard, r.Body, 1_000_000)
					refuses(t, w)
					return
				}
				s.Handler().ServeHTTP(w, r)
			}))
			defer server.Close()
			c, err := Connect(server.URL, "admin")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			sum := sha256.Sum256([]byte(text))
			b := rota.Blob{ID: rota.BlobID(hex.EncodeToString(sum[:])), Size: int64(len(text))}
			if _, err := c.PutBlob(t.Context(), b, strings.NewReader(text)); err != nil || requests.Load() != retries+1 {
				t.Fatalf("%v after %d requests", err, requests.Load())
			}
			if len(svc.kept) != 1 || svc.kept[0] != text {
				t.Errorf("%d came, the last with %d bytes", len(svc.kept), len(svc.kept[0]))
			}
		})
	}
}

// Behind a proxy stand several nodes: one that stops says so, for one that has gone the proxy says something, and
// another answers.
func TestAReadThatOneNodeCannotAnswerIsSentAgain(t *testing.T) {
	stopping := problemOf(rota.Errorf(rota.ErrUnavailable, "the node is stopping"))
	for name, refuses := range map[string]func(http.ResponseWriter){
		"the node":  func(w http.ResponseWriter) { stopping.write(w) },
		"the proxy": func(w http.ResponseWriter) { http.Error(w, "<html>", http.StatusBadGateway) },
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			s := New(&spy{}, Options{Authenticate: byRole})
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1)%2 == 1 {
					refuses(w)
					return
				}
				s.Handler().ServeHTTP(w, r)
			}))
			defer proxy.Close()
			c, err := Connect(proxy.URL, "admin")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Job(t.Context(), 1); err != nil || requests.Load() != 2 {
				t.Errorf("a read: %v after %d requests", err, requests.Load())
			}
			if _, err := c.Submit(t.Context(), rota.Submission{}); !errors.Is(err, rota.ErrUnavailable) || requests.Load() != 3 {
				t.Errorf("a submit without a key: %v after %d requests", err, requests.Load()-2)
			}
		})
	}
}

func TestNothingElseIsSentAgain(t *testing.T) {
	calls := map[string]func(context.Context, *Client) error{
		"submit": func(ctx context.Context, c *Client) error { _, err := c.Submit(ctx, rota.Submission{}); return err },
		"upload": func(ctx context.Context, c *Client) error { _, err := c.Upload(ctx, 1, rota.Part{}); return err },
		"operate": func(ctx context.Context, c *Client) error {
			_, err := c.Operate(ctx, rota.Operation{Act: rota.ActRetry})
			return err
		},
		"queue": func(ctx context.Context, c *Client) error {
			_, err := c.ChangeQueue(ctx, "q", rota.QueueChange{})
			return err
		},
		"rename":     func(ctx context.Context, c *Client) error { _, err := c.RenameQueue(ctx, "q", "p"); return err },
		"drop queue": func(ctx context.Context, c *Client) error { return c.DropQueue(ctx, "q") },
		"change node": func(ctx context.Context, c *Client) error {
			_, err := c.ChangeNode(ctx, "n", rota.NodeChange{})
			return err
		},
		"drain":    func(ctx context.Context, c *Client) error { return c.DrainNode(ctx, "n") },
		"pause":    func(ctx context.Context, c *Client) error { return c.PauseNode(ctx, "n", true) },
		"remove":   func(ctx context.Context, c *Client) error { return c.RemoveNode(ctx, "n", true) },
		"token":    func(ctx context.Context, c *Client) error { _, err := c.CreateToken(ctx, rota.Token{}); return err },
		"renew":    func(ctx context.Context, c *Client) error { _, err := c.Renew(ctx, rota.Renewal{}); return err },
		"exchange": func(ctx context.Context, c *Client) error { _, err := c.Exchange(ctx, rota.Exchange{}); return err },
		"drop":     func(ctx context.Context, c *Client) error { return c.DropSchedule(ctx, "x") },
	}
	for name, do := range calls {
		var requests atomic.Int64
		bothWays(t, breaking(t, 1, &requests), func(t *testing.T, c *Client) {
			requests.Store(1)
			if _, err := c.Status(t.Context()); err != nil { // so that a kept connection is used
				t.Fatal(err)
			}
			requests.Store(0)
			if err := do(t.Context(), c); !errors.Is(err, rota.ErrUnavailable) || requests.Load() != 1 {
				t.Errorf("%s: %v after %d requests", name, err, requests.Load())
			}
		})
	}
}

// TestAKeptConnectionThatClosedIsNoError: the node was started anew between two calls.
func TestAKeptConnectionThatClosedIsNoError(t *testing.T) {
	dir := t.TempDir()
	var c *Client
	for i := range 4 {
		ln, err := ListenUnix(dir)
		if err != nil {
			t.Fatal(err)
		}
		s := New(&spy{}, Options{})
		ended := make(chan error)
		go func() { ended <- s.Serve(ln) }()
		if c == nil {
			c = Dial(ln.Addr().String())
			defer c.Close()
		}
		if i%2 == 0 {
			_, err = c.Submit(t.Context(), rota.Submission{})
		} else {
			err = c.DropToken(t.Context(), 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}

func TestACancelledCallReturnsAtOnceAndSpoilsNothing(t *testing.T) {
	waiting := make(chan struct{})
	svc := &spy{hold: func(ctx context.Context) error {
		close(waiting)
		<-ctx.Done() // of the server's side: the client went away
		return ctx.Err()
	}}
	for name, c := range clientsOf(t, svc) {
		waiting = make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-waiting; cancel() }()
		if _, err := c.Await(ctx, "s", rota.MaxWait); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.Submit(ctx, rota.Submission{Key: "k"}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled before: %v", name, err)
		}
		if _, err := c.Status(t.Context()); err != nil {
			t.Errorf("%s, the next call: %v", name, err)
		}
	}
}

func clientsOf(t *testing.T, svc rota.Service) map[string]*Client {
	_, socket := overSocket(t, svc, Options{Authenticate: byRole})
	_, tcp := overTCP(t, svc, Options{Authenticate: byRole}, "admin")
	return map[string]*Client{"socket": socket, "tcp": tcp}
}

func TestTextThatWouldNotArriveIsRefused(t *testing.T) {
	svc := &spy{}
	_, c := overSocket(t, svc, Options{})
	for text, ok := range map[string]bool{"caf\xe9": false, "\xff\xfe": false, "café": true, "\ufffd": true, `\ufffd`: true,
		`C:\ufffd\\ufffd`: true, "\\\xe9": false, "<&>\u2028": true} {
		_, err := c.Submit(t.Context(), rota.Submission{Spec: rota.Spec{Argv: []string{"cat", text}}})
		if !ok {
			if !errors.Is(err, rota.ErrInvalid) || rota.FixOf(err) == "" {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := svc.asked[0].(rota.Submission).Spec.Argv[1]; got != text {
			t.Errorf("%q arrived as %q", text, got)
		}
	}
	// What a node reports must never be refused for its text: the attempt would stay unfinished.
	if _, err := c.Exchange(t.Context(), rota.Exchange{Finished: []rota.Finish{{Reason: "exec \xff: no such file"}}}); err != nil {
		t.Error(err)
	}
}

// TestALargeRequestHearsWhyItIsRefused: the server does not read what it refuses.
func TestALargeRequestHearsWhyItIsRefused(t *testing.T) {
	large := rota.Submission{Spec: rota.Spec{Shell: strings.Repeat("x", rota.MaxBody-100)}}
	for name, c := range clientsOf(t, &spy{}) {
		if _, err := c.WithToken("nonsense").Submit(t.Context(), large); !errors.Is(err, rota.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.Submit(t.Context(), large); err != nil {
			t.Errorf("%s, afterwards: %v", name, err)
		}
		large := rota.Submission{Spec: rota.Spec{Shell: strings.Repeat("x", rota.MaxBody)}}
		if _, err := c.Submit(t.Context(), large); !errors.Is(err, rota.ErrTooLarge) {
			t.Errorf("%s, over the limit: %v", name, err)
		}
	}
}

func TestAnAddressIsChecked(t *testing.T) {
	for server, ok := range map[string]bool{
		"http://127.0.0.1:2691": true, "http://localhost:2691/rota/": true, "http://[::1]:2691": true, "https://rota.example.org": true,
		"http://rota.example.org": false, "http://10.0.0.5:2691": false, "rota.example.org:2691": false, "ftp://localhost": false,
		"": false, "https://": false, "https://user:secret@rota.example.org": false, "https://rota.example.org?token=x": false,
	} {
		_, err := Connect(server, "secret")
		if (err == nil) != ok {
			t.Errorf("%s: %v", server, err)
		}
		if err != nil && (!errors.Is(err, rota.ErrInvalid) || rota.FixOf(err) == "" || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v, fix %q", server, err, rota.FixOf(err))
		}
	}
	if _, err := Connect("http://10.0.0.5:2691", ""); err != nil {
		t.Errorf("without a token: %v", err)
	}
}

func TestNobodyListensIsASentence(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	c, err := Connect("http://"+ln.Addr().String(), "admin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); !errors.Is(err, rota.ErrUnavailable) || !strings.Contains(rota.FixOf(err), "rota up") {
		t.Errorf("%v, fix %q", err, rota.FixOf(err))
	}
}

func TestOverTLSAndBelowAPath(t *testing.T) {
	svc := &spy{}
	s := New(svc, Options{Authenticate: byRole})
	front := httptest.NewTLSServer(http.StripPrefix("/tools/rota", s.Handler()))
	defer front.Close()
	c, err := Connect(front.URL+"/tools/rota/", "operator")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.transport.(*http.Transport).TLSClientConfig = front.Client().Transport.(*http.Transport).TLSClientConfig
	for _, name := range []string{"nightly", "a b/c%d?e#f", "..", "."} {
		svc.asked = nil
		err := c.DropSchedule(t.Context(), name)
		if strings.Trim(name, ".") == "" {
			if !errors.Is(err, rota.ErrNotFound) { // no such name can be in a path
				t.Errorf("%q: %v", name, err)
			}
		} else if err != nil || len(svc.asked) != 1 || svc.asked[0] != name {
			t.Errorf("%q arrived as %q, %v", name, svc.asked, err)
		}
	}
}

func TestAnotherServerIsRecognised(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == Prefix+"/queues" {
			http.Redirect(w, r, "/login", http.StatusFound)
			return
		}
		w.Write([]byte("<html>hello</html>"))
	}))
	defer other.Close()
	u, err := url.Parse(other.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Connect(u.String(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Status(t.Context()); err == nil || !strings.Contains(rota.FixOf(err), "Rota server") {
		t.Error(err)
	}
	if _, err := c.Queues(t.Context()); !errors.Is(err, rota.ErrNotFound) {
		t.Error(err)
	}
}
