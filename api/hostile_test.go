package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/server"
)

// hostile is a real server on a TCP address, with an admin's token, to be attacked.
type hostile struct {
	*testing.T
	svc   *server.Server
	api   *Server
	addr  string
	admin string // a token
	ctx   context.Context
}

func newHostile(t *testing.T) *hostile { return newImpatient(t, 0, 0) }

// newImpatient is one that waits only so long for the headers of a request, and for all of it.
func newImpatient(t *testing.T, header, read time.Duration) *hostile {
	h := &hostile{T: t, svc: realServer(t, server.Options{TrustSubmitters: true})}
	h.ctx = rota.WithPrincipal(t.Context(), rota.Principal{Name: "ada", Role: rota.RoleAdmin})
	token, err := h.svc.CreateToken(h.ctx, rota.Token{Name: "ada", Role: rota.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	h.admin = token.Secret
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = ln.Addr().String()
	h.api = serve(t, h.svc, Options{Authenticate: h.svc.Authenticate, Metrics: http.NotFoundHandler(), Log: quiet(), header: header, read: read}, ln)
	return h
}

// attack is a request, byte for byte, that must not be served.
type attack struct{ class, name, text string }

func request(method, path, host, body string, headers ...string) string {
	text := method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n"
	for _, h := range headers {
		text += h + "\r\n"
	}
	if body != "" {
		text += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	return text + "\r\n" + body
}

// send sends raw bytes, and returns the status and the head of what comes back; 0: the connection was closed without a word.
func (h *hostile) send(text string) (status int, header http.Header) {
	h.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	go io.WriteString(conn, text) // the answer may come before all of it is taken
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, nil
	}
	resp.Body.Close()
	return resp.StatusCode, resp.Header
}

// corpus is every attack that stands in one request.
func (h *hostile) corpus() (all []attack) {
	bearer := "Authorization: Bearer " + h.admin
	add := func(class, name, text string) { all = append(all, attack{class, name, text}) }
	for i := range routes {
		rt := &routes[i]
		path, name := rt.target(), rt.method+" "+rt.path
		body := ""
		if rt.method != "GET" && rt.method != "DELETE" {
			body = "{}"
		}
		for _, host := range []string{"evil.example", "evil.example:2691", "localhost.evil.example", "127.0.0.1.evil.example", "10.9.8.7", "", "ada@localhost.x"} {
			add("host and rebinding", name+" for "+host, request(rt.method, path, host, body, bearer))
		}
		if rt.method != "GET" {
			for _, origin := range []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: null"} {
				add("cross-site", name+" with "+origin, request(rt.method, path, h.addr, body, bearer, origin))
			}
		}
		if rt.role == anybody {
			continue
		}
		for _, who := range []string{"", "Authorization: Bearer ", "Authorization: Bearer wrong", "Authorization: Bearer rt_" + strings.Repeat("0", 40),
			"Authorization: Basic YWRhOmFkYQ==", "Authorization: " + h.admin, "Authorization: Bearer " + h.admin[:len(h.admin)-1], "Cookie: token=" + h.admin} {
			text := request(rt.method, path, h.addr, body, who)
			if who == "" {
				text = request(rt.method, path, h.addr, body)
			}
			add("nobody", name+" as "+strings.ReplaceAll(who, h.admin, "TOKEN"), text)
		}
		if takesBody(h.api, rt) {
			add("oversize", name+" said to be large", rt.method+" "+path+" HTTP/1.1\r\nHost: "+h.addr+"\r\n"+bearer+"\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{")
			add("oversize", name+" large in chunks", rt.method+" "+path+" HTTP/1.1\r\nHost: "+h.addr+"\r\n"+bearer+"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"+
				fmt.Sprintf("%x\r\n", rota.MaxBody+1000)+strings.Repeat(" ", rota.MaxBody+1000)+"\r\n0\r\n\r\n")
			for _, depth := range []int{maxDepth + 1, 1000, 500_000} {
				add("deep", fmt.Sprintf("%s %d deep", name, depth), request(rt.method, path, h.addr, strings.Repeat(`[`, depth)+strings.Repeat(`]`, depth), bearer))
				add("deep", fmt.Sprintf("%s %d deep in a field", name, depth), request(rt.method, path, h.addr, `{"spec":`+strings.Repeat(`{"a":`, depth)+"1"+strings.Repeat(`}`, depth)+`}`, bearer))
			}
		}
		if strings.Contains(rt.path, "{") {
			for _, step := range []string{"../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
				"%252e%252e%252f%252e%252e%252fetc%252fpasswd", "..%5c..%5cetc%5cpasswd", "..;/..;/etc/passwd", "%00", "..%00/", "%c0%ae%c0%ae%c0%af", "....//....//etc/passwd", "/etc/passwd", "%2fetc%2fpasswd"} {
				add("traversal", name+" by "+step, request(rt.method, inBraces.ReplaceAllLiteralString(rt.path, step), h.addr, body, bearer))
			}
		}
	}
	add("malformed", "no host", "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n")
	add("malformed", "two hosts", "GET /livez HTTP/1.1\r\nHost: "+h.addr+"\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
	add("malformed", "two lengths", "POST /api/v1/jobs HTTP/1.1\r\nHost: "+h.addr+"\r\n"+bearer+"\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")
	add("malformed", "length and chunks", "POST /api/v1/jobs HTTP/1.1\r\nHost: evil.example\r\n"+bearer+"\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	add("malformed", "a line end in a header", "GET /livez HTTP/1.1\r\nHost: "+h.addr+"\r\nX: a\rb\r\nConnection: close\r\n\r\n\x00")
	add("malformed", "no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n")
	add("malformed", "an old version", "GET /livez HTTP/0.9\r\n\r\n")
	add("malformed", "a proxy's request", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n")
	add("malformed", "another server's URL", "GET http://evil.example/livez HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
	add("oversize", "a long header", request("GET", "/livez", h.addr, "", "X-Long: "+strings.Repeat("x", 2*maxHeader)))
	add("oversize", "a long path", request("GET", "/"+strings.Repeat("x", 2*maxHeader), h.addr, ""))
	add("oversize", "many headers", request("GET", "/livez", h.addr, "", strings.TrimSuffix(strings.Repeat("X-A: 0123456789\r\n", 10_000), "\r\n")))
	zero := strings.Repeat("0", 64)
	add("oversize", "a blob beyond the limit", "PUT /api/v1/blobs/"+zero+" HTTP/1.1\r\nHost: "+h.addr+"\r\n"+bearer+fmt.Sprintf("\r\nContent-Length: %d\r\n\r\nx", rota.MaxBlob+1))
	add("oversize", "a blob of unknown length", "PUT /api/v1/blobs/"+zero+" HTTP/1.1\r\nHost: "+h.addr+"\r\n"+bearer+"\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n")
	add("content", "a blob that is another", request("PUT", "/api/v1/blobs/"+zero, h.addr, "xx", bearer))
	add("content", "a program that cannot be run", request("POST", "/api/v1/jobs", h.addr, `{"spec":{},"program":"aGVsbG8="}`, bearer))
	add("content", "BASE64 that is none", request("POST", "/api/v1/jobs", h.addr, `{"spec":{},"program":"!!!"}`, bearer))
	add("content", "two values", request("POST", "/api/v1/jobs", h.addr, `{"spec":{"argv":["true"]}}{"spec":{"argv":["true"]}}`, bearer))
	add("content", "an unknown field", request("POST", "/api/v1/jobs", h.addr, `{"spec":{"argv":["true"],"root":true}}`, bearer))
	add("content", "bytes that are no text", request("POST", "/api/v1/jobs", h.addr, "{\"spec\":{\"argv\":[\"\xff\xfe\"]}}", bearer))
	return all
}

// takesBody reports whether a route reads a body of JSON.
func takesBody(s *Server, rt *route) bool {
	item := s.huma.OpenAPI().Paths[rt.path]
	op := map[string]*huma.Operation{"POST": item.Post, "PATCH": item.Patch}[rt.method]
	return op != nil && op.RequestBody != nil
}

// TestHostileRequestsAreRefused sends the whole corpus: nothing of it is served, nothing is changed by it, no answer leads
// elsewhere, and the server serves those who ask properly as before.
func TestHostileRequestsAreRefused(t *testing.T) {
	h := newHostile(t)
	before, err := h.svc.Audit(h.ctx, rota.DeedQuery{Max: 1})
	if err != nil {
		t.Fatal(err)
	}
	all := h.corpus()
	classes, refused := map[string]int{}, 0
	for _, a := range all {
		status, header := h.send(a.text)
		to := header.Get("Location")
		switch {
		case status/100 == 2, status/100 == 5 && status != 501 && status != 505:
			t.Errorf("%s: %s: answered with %d", a.class, a.name, status)
		case to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")):
			t.Errorf("%s: %s: leads to %q", a.class, a.name, to)
		default:
			refused++
			classes[a.class]++
		}
	}
	t.Logf("hostile requests: %d of %d refused: %v", refused, len(all), classes)
	after, err := h.svc.Audit(h.ctx, rota.DeedQuery{Max: 10})
	if err != nil || after[0].ID != before[0].ID {
		t.Errorf("something was changed: %+v, %v", after, err)
	}
	if jobs, err := h.svc.Jobs(h.ctx, rota.JobQuery{}); err != nil || len(jobs) != 0 {
		t.Errorf("jobs were made: %+v, %v", jobs, err)
	}
	if status, _ := h.send(request("GET", Prefix+"/status", h.addr, "", "Authorization: Bearer "+h.admin)); status != 200 {
		t.Errorf("who asks properly is answered with %d", status)
	}
}

// TestSlowClientsAreCutOff: who dribbles a request, head or body, is let go, and takes nobody else's place.
func TestSlowClientsAreCutOff(t *testing.T) {
	h := newImpatient(t, 500*time.Millisecond, time.Second)
	var all sync.WaitGroup
	var cut atomic.Int32
	const clients = 100
	for i := range clients {
		all.Go(func() {
			conn, err := net.Dial("tcp", h.addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			head := "POST /api/v1/jobs HTTP/1.1\r\nHost: " + h.addr + "\r\nX-A: "
			if i%2 == 1 { // the head comes, and the body does not
				head = "POST /api/v1/jobs HTTP/1.1\r\nHost: " + h.addr + "\r\nAuthorization: Bearer " + h.admin + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
			}
			io.WriteString(conn, head)
			drip := time.NewTicker(50 * time.Millisecond)
			defer drip.Stop()
			over := make(chan bool, 1)
			go func() {
				text, _ := io.ReadAll(conn) // ends when the server lets go
				over <- !strings.HasPrefix(string(text), "HTTP/1.1 2")
			}()
			for {
				select {
				case <-drip.C:
					io.WriteString(conn, " ")
				case ok := <-over:
					if ok {
						cut.Add(1)
					}
					return
				case <-t.Context().Done():
					return
				}
			}
		})
	}
	if status, _ := h.send(request("GET", Prefix+"/status", h.addr, "", "Authorization: Bearer "+h.admin)); status != 200 {
		t.Errorf("meanwhile who asks properly is answered with %d", status)
	}
	all.Wait()
	t.Logf("slow clients: %d of %d cut off", cut.Load(), clients)
	if cut.Load() != clients {
		t.Errorf("%d of %d slow clients were cut off", cut.Load(), clients)
	}
}

// TestP2AFloodDelaysNoRenewal: while many who are nobody ask for all they can, wrong logins among it, a node over the
// network renews its lease each time within the time that it has for that, a third of its length, and the lease is not lost.
func TestP2AFloodDelaysNoRenewal(t *testing.T) {
	h := newHostile(t)
	if _, err := h.svc.PutUser(h.ctx, "uma", rota.UserChange{Role: new(rota.RoleSubmitter), Password: new("correct horse")}); err != nil {
		t.Fatal(err)
	}
	token, err := h.svc.CreateToken(h.ctx, rota.Token{Name: "n", Role: rota.RoleNode})
	if err != nil {
		t.Fatal(err)
	}
	node, err := ConnectEach("http://"+h.addr, token.Secret)
	if err != nil {
		t.Fatal(err)
	}
	const ttl = 30 * time.Second // as it is by default
	opening := rota.Opening{Session: "s", Key: "k", TTL: rota.Duration(ttl), Sole: true, Node: rota.Node{Name: "n", Slots: 1, State: rota.NodeUp}}
	if _, err := node.OpenSession(t.Context(), opening); err != nil {
		t.Fatal(err)
	}
	flood, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var asked atomic.Int64
	for i := range 64 {
		all.Go(func() {
			for n := 0; flood.Err() == nil; n++ {
				h.floodOnce(flood, i, n)
				asked.Add(1)
			}
		})
	}
	renewals := 0
	for ; renewals < 40 || asked.Load() < 100; renewals++ {
		ctx, cancel := context.WithTimeout(t.Context(), ttl/3)
		_, err := node.Renew(ctx, rota.Renewal{Session: "s", State: rota.NodeUp})
		cancel()
		if err != nil {
			t.Errorf("renewal %d: %v", renewals, err)
			break
		}
	}
	stop()
	all.Wait()
	if nodes, err := h.svc.Nodes(h.ctx); err != nil || len(nodes) != 1 || nodes[0].State != rota.NodeUp {
		t.Errorf("the node is %+v, %v", nodes, err)
	}
	t.Logf("%d renewals during a flood of %d requests", renewals, asked.Load())
	if asked.Load() < 100 {
		t.Errorf("%d requests are no flood", asked.Load())
	}
}

// floodOnce asks for something that is refused, and costs.
func (h *hostile) floodOnce(ctx context.Context, i, n int) {
	var text string
	switch (i + n) % 4 {
	case 0:
		text = request("POST", Prefix+"/login", h.addr, fmt.Sprintf(`{"user":"uma","password":"wrong %d"}`, n))
	case 1:
		text = request("POST", Prefix+"/login", h.addr, fmt.Sprintf(`{"user":"nobody-%d-%d","password":"wrong"}`, i, n))
	case 2:
		text = request("GET", Prefix+"/status", h.addr, "", "Authorization: Bearer rt_"+strings.Repeat("0", 40))
	default:
		text = request("POST", Prefix+"/jobs", h.addr, strings.Repeat("[", 100_000), "Authorization: Bearer wrong")
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", h.addr)
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	go io.WriteString(conn, text)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 2 && !errors.Is(ctx.Err(), context.Canceled) {
		h.Errorf("a flood's request was served: %d", resp.StatusCode)
	}
}
