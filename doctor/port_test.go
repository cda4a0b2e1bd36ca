package doctor

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
)

func TestPort(t *testing.T) {
	for _, c := range []struct {
		listen string
		level  Level
		words  string
	}{
		{"", OK, "no API address"},
		{"none", OK, "no API address"},
		{"127.0.0.1:0", OK, "any free port"},
		{"127.0.0.1", Fail, "no address to listen on"},
		{"127.0.0.1:http", Fail, "no address to listen on"},
		{"127.0.0.1:65536", Fail, "no address to listen on"},
		{"192.0.2.1:2691", Fail, "192.0.2.1 is no address of this machine"},
	} {
		t.Run(c.listen, func(t *testing.T) {
			expect(t, checkPort(t.Context(), Place{Listen: c.listen}), c.level, c.words)
		})
	}
}

func TestFreePort(t *testing.T) {
	ln := listenTCP(t)
	address := ln.Addr().String()
	ln.Close()
	expect(t, checkPort(t.Context(), Place{Listen: address}), OK, address+" is free")
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("the check kept the port: %v", err)
	}
	again.Close()
}

func TestPortOfAStranger(t *testing.T) {
	ln := listenTCP(t)
	greet(t, ln, "220 mail.example ESMTP\r\n")
	p := Place{Listen: ln.Addr().String()}
	expect(t, checkPort(t.Context(), p), Warn, "taken by another program", "instead")
}

func TestPortOfANode(t *testing.T) {
	ln, path := listenTCP(t), shortPath(t)
	serve(t, ln, "Rota 1.2.3: a job queue.")
	p := Place{Listen: ln.Addr().String(), Socket: path}
	expect(t, checkPort(t.Context(), p), Warn, "taken by a node with another data folder")

	serve(t, listenUnix(t, path), "Rota 1.2.3: a job queue.")
	expect(t, checkPort(t.Context(), p), OK, "a node serves the API at "+p.Listen)

	p.Listen = ":" + strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	expect(t, checkPort(t.Context(), p), OK, "a node serves the API at "+p.Listen)
}

func TestPortOfANodeWithACertificate(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("Rota")) }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it is asked without a certificate first
	srv.StartTLS()
	defer srv.Close()
	p := Place{Listen: srv.Listener.Addr().String()}
	expect(t, checkPort(t.Context(), p), Warn, "taken by a node with another data folder")
}

func listenTCP(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}
