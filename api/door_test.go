package api

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestUnknownRoutesAndMethodsAreProblems(t *testing.T) {
	s := New(&spy{}, Options{})
	for _, c := range []struct {
		method, path string
		code         int
		allow, says  string
	}{
		{"GET", "/api/v2/jobs", 404, "", "no such route"},
		{"GET", "/favicon.ico", 404, "", "no such route"},
		{"PUT", "/api/v1/jobs", 405, "GET, POST", "takes GET, POST"},
		{"DELETE", "/api/v1/tasks/1", 405, "GET", "takes GET"},
		{"DELETE", "/api/v1/audit", 405, "GET", "takes GET"}, // it is only added to (C2)
		{"POST", "/api/v1/audit", 405, "GET", "takes GET"},
		{"DELETE", "/api/v1/audit/1", 404, "", "no such route"},
		{"BREW", "/livez", 405, "GET", "takes GET"},
		{"POST", "/", 405, "GET", "takes GET"},
	} {
		w := ask(s, c.method, c.path, "", "")
		p := problemIn(t, w.Body.Bytes())
		if w.Code != c.code || w.Header().Get("Allow") != c.allow || !strings.Contains(p.Detail, c.says) || p.Kind != "not-found" {
			t.Errorf("%s %s: %d, allow %q, %+v", c.method, c.path, w.Code, w.Header().Get("Allow"), p)
		}
	}
}

func TestAnswersAreNotGuessedAtFramedOrKept(t *testing.T) {
	s := New(&spy{}, Options{Authenticate: byRole})
	for _, path := range []string{"/", "/nowhere", "/api/v1/status", "/api/v1/tasks/1/output/raw"} {
		h := ask(s, "GET", path, "viewer", "").Header()
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer"} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
	}
}

func TestOnlyOurOwnNamesAreAnsweredTo(t *testing.T) {
	s := New(&spy{}, Options{Hosts: []string{"Rota.Example.Org"}})
	for host, ok := range map[string]bool{
		"localhost": true, "LOCALHOST:2691": true, "127.0.0.1:2691": true, "[::1]:2691": true, "127.8.8.8": true,
		"rota.example.org": true, "rota.example.org.:443": true, "10.1.2.3:2691": true, "[::ffff:10.1.2.3]:2691": true,
		"evil.example": false, "localhost.evil.example": false, "10.1.2.4": false, "": false, "127.0.0.1.evil.example": false,
	} {
		r := newRequest("GET", "/livez", "", "")
		r.Host = host
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 2691}))
		if w := send(s, r); (w.Code == 200) != ok || !ok && w.Code != 403 {
			t.Errorf("host %q: %d", host, w.Code)
		}
	}
}

func TestPagesOfOtherSitesAreRefused(t *testing.T) {
	s := New(&spy{}, Options{Authenticate: byRole})
	r := newRequest("POST", "/api/v1/jobs", "admin", `{"spec":{}}`)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if w := send(s, r); w.Code != 403 || problemIn(t, w.Body.Bytes()).Kind != "denied" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestListenOnOtherAddressesNeedsTLS(t *testing.T) {
	for addr, ok := range map[string]bool{"127.0.0.1:0": true, "localhost:2691": true, "[::1]:1": true, "127.9.9.9:1": true,
		"0.0.0.0:1": false, ":2691": false, "[::]:1": false, "192.168.1.5:1": false, "rota.example.org:1": false} {
		if err := CheckListen(addr, false, false); (err == nil) != ok || !ok && rota.FixOf(err) == "" {
			t.Errorf("%s: %v", addr, err)
		}
		if CheckListen(addr, true, false) != nil || CheckListen(addr, false, true) != nil {
			t.Errorf("%s is refused with TLS, or behind a proxy", addr)
		}
	}
	if CheckListen("2691", true, true) == nil {
		t.Error("an address without a port is taken")
	}
}

func TestWithoutATokenNobodyAsksOverTCP(t *testing.T) {
	for name, header := range map[string]string{"none": "", "basic": "Basic YWRtaW46", "empty": "Bearer ", "wrong": "Bearer nonsense"} {
		for _, opts := range []Options{{}, {Authenticate: byRole}} {
			r := newRequest("GET", "/api/v1/status", "", "")
			if header != "" {
				r.Header.Set("Authorization", header)
			}
			w := send(New(&spy{}, opts), r)
			if w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" || problemIn(t, w.Body.Bytes()).Kind != "unauthenticated" {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
	}
}

func TestHealthAndRoot(t *testing.T) {
	svc := &spy{}
	s := New(svc, Options{Authenticate: byRole, Log: quiet(), Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("rota_up 1\n"))
	})})
	for path, want := range map[string]string{"/": "Rota", "/livez": "ok", "/readyz": "ok", "/metrics": "rota_up 1"} {
		if w := ask(s, "GET", path, "viewer", ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	svc.fail = rota.Errorf(rota.ErrBroken, "the disk said something private")
	if w := ask(s, "GET", "/readyz", "", ""); w.Code != 503 || strings.Contains(w.Body.String(), "private") {
		t.Errorf("/readyz of a broken store: %d %s", w.Code, w.Body)
	}
	if w := ask(s, "GET", "/livez", "", ""); w.Code != 200 {
		t.Errorf("/livez of a broken store: %d", w.Code)
	}
}
