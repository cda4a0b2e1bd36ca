package doctor

import (
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSocketOfNobody(t *testing.T) {
	expect(t, checkSocket(t.Context(), Place{}), OK)
	expect(t, checkSocket(t.Context(), Place{Socket: shortPath(t)}), OK, "no node runs")
}

func TestP26SocketWithALongPath(t *testing.T) {
	path := "/" + strings.Repeat("x", 99)
	expect(t, checkSocket(t.Context(), Place{Socket: path}), OK, "no node runs")
	expect(t, checkSocket(t.Context(), Place{Socket: path + "x"}), Fail, "101 bytes")
}

func TestSocketOfANode(t *testing.T) {
	path := shortPath(t)
	serve(t, listenUnix(t, path), "Rota 1.2.3: a job queue.")
	expect(t, checkSocket(t.Context(), Place{Socket: path}), OK, "answers on "+path, userName(os.Geteuid()))
}

func TestSocketOfAStranger(t *testing.T) {
	t.Run("that speaks HTTP", func(t *testing.T) {
		path := shortPath(t)
		serve(t, listenUnix(t, path), "It works!")
		expect(t, checkSocket(t.Context(), Place{Socket: path}), Fail, "not a Rota node")
	})
	t.Run("that speaks otherwise", func(t *testing.T) {
		path := shortPath(t)
		greet(t, listenUnix(t, path), "220 mail.example ESMTP\r\n")
		expect(t, checkSocket(t.Context(), Place{Socket: path}), Fail, "not a Rota node")
	})
}

// A node that is frozen still has its connections accepted, by the kernel.
func TestSocketOfAFrozenNode(t *testing.T) {
	path := shortPath(t)
	listenUnix(t, path)
	expect(t, checkSocket(t.Context(), Place{Socket: path}), Fail, "did not answer")
}

func TestSocketOfADeadNode(t *testing.T) {
	path := shortPath(t)
	ln := listenUnix(t, path)
	ln.SetUnlinkOnClose(false)
	ln.Close()
	expect(t, checkSocket(t.Context(), Place{Socket: path}), Warn, "left the socket "+path)
}

func TestSocketThatIsNone(t *testing.T) {
	path := shortPath(t)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, checkSocket(t.Context(), Place{Socket: path}), Fail, "not a socket")
	expect(t, checkSocket(t.Context(), Place{Socket: filepath.Join(path, "x")}), Fail, "not a directory")
}

func TestP28SocketOfAnotherUser(t *testing.T) {
	err := fmt.Errorf("dial: %w", syscall.EACCES)
	expect(t, judgeSocket("/data/rota.sock", "kim", err), Fail, "belongs to kim")
	expect(t, judgeSocket("/data/rota.sock", "kim", fs.ErrNotExist), OK, "no node runs")
	expect(t, judgeSocket("/data/rota.sock", "kim", syscall.EMFILE), Fail, "too many open files")
}

// shortPath is a path for a socket; those of t.TempDir are too long on some systems.
func shortPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rota")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func listenUnix(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// serve answers every request with the text.
func serve(t *testing.T, ln net.Listener, text string) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, text) }))
	srv.Listener.Close()
	srv.Listener = ln
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// greet sends a line to whoever connects, and listens no further.
func greet(t *testing.T, ln net.Listener, line string) {
	t.Helper()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, line)
			c.Close()
		}
	}()
}
